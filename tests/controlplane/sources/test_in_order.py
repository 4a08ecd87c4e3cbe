"""Acts come in the order of their times, as far as the look ahead reaches, and none is lost or told twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.sources.in_order import in_order
from inscope.behaviour import Means, Outcome, RoleAssumption
from inscope.exercise import Exercise, Identity
from inscope.permission import Authority

ROLE = RoleAssumption("role", "p", Means.ASSUME_ROLE, Outcome.ALLOWED)


def act(time: float, name: str = "", issued: str = "") -> Exercise:
    return Exercise(name or f"{time}", time, Identity(Authority.AWS, "p"), ROLE, issued)


def test_what_was_given_out_comes_before_what_is_done_with_it() -> None:
    use, giving = act(10.0, "use"), act(10.0, "giving", issued="ASIA")
    assert [each.id for each in in_order([act(20.0, "later"), use, giving])] == ["giving", "use", "later"]


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e9)), st.integers(1, 10))
def test_none_is_lost(times: list[float], held: int) -> None:
    told = [each.time for each in in_order(map(act, times), held)]
    assert Counter(told) == Counter(times)


@settings(deadline=None)
@given(st.lists(st.floats(0, 1e9), max_size=30))
def test_what_is_less_far_out_of_order_than_the_look_ahead_is_in_order(times: list[float]) -> None:
    assert [each.time for each in in_order(map(act, times), max(len(times), 1))] == sorted(times)


def test_no_more_is_read_ahead_than_is_said() -> None:
    read: list[int] = []

    def source() -> Iterator[Exercise]:
        for number in range(100):
            read.append(number)
            yield act(float(number))

    assert next(in_order(source(), held=10)).time == 0.0
    assert len(read) == 11
