"""When an unused control plane ends."""

from __future__ import annotations

from dataclasses import dataclass, field

from controlplane.serve.activity import Activity


@dataclass
class Time:
    """A clock that its own sleep moves; `then` happens while sleeping."""

    now: float = 0.0
    slept: list[float] = field(default_factory=list)
    then: list[object] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        if self.then:
            self.then.pop(0)()  # type: ignore[operator]  # a test's callable


async def test_nobody_for_long_enough_is_idle() -> None:
    time = Time()
    await Activity(time, time.sleep).idle_for(30.0)
    assert time.slept == [30.0]


async def test_a_call_in_between_starts_the_wait_anew() -> None:
    time = Time()
    activity = Activity(time, time.sleep)

    def call() -> None:
        time.now -= 10.0  # it came and went after 20 of the 30 seconds
        with activity.busy():
            pass
        time.now += 10.0

    time.then.append(call)
    await activity.idle_for(30.0)
    assert time.slept == [30.0, 20.0]


async def test_a_call_that_lasts_is_never_idle() -> None:
    time = Time()
    activity = Activity(time, time.sleep)
    call = activity.busy()
    call.__enter__()
    time.then += [lambda: None, lambda: None, lambda: call.__exit__(None, None, None)]
    await activity.idle_for(30.0)
    assert time.slept == [30.0, 30.0, 30.0, 30.0]
    assert activity.under_way == 0
