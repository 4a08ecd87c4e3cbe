"""When things fail: each cell of DESIGN's matrix, where the thing is really killed, frozen, filled or cut.

In observe and detect nothing the agent does is held up. In enforce no failure lets through what is not in the
reference, and what is known to be good goes on.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from inscope.mode import Mode
from sidecar.init import binary
from tests.e2e.guarded import Guarded, learn
from tests.fakes.init_peer import CONSTANTS, InitPeer, encode, patterns, welcome
from tests.fakes.lone_sidecar import LoneSidecar
from tests.sidecar.init.observed import Observer

pytestmark = pytest.mark.real

DENIED = -13
TRUE = ("spawn", "/bin/true")  # known once it was met: nobody may write it
SHELL = ("spawn", "/bin/sh", "-c", "true")  # in the reference, and asked about each time: it is an interpreter
FOREIGN = ("spawn", "/bin/uname")  # not in the reference
AT_ONCE = 2.0
HOLD = 5.0


class Place:
    """Two listeners, a reference that has one of them, and a folder for a sidecar of any mode."""

    def __init__(self, folder: Path, good: int, bad: int) -> None:
        self.folder = folder
        self.good = ("connect", good)
        self.bad = ("connect", bad)
        learning = folder / "learning"
        learning.mkdir(mode=0o755)
        self.reference = learn(learning, [TRUE, SHELL, self.good, ("fill",), ("unfilled",)])

    def sidecar(self, mode: Mode, *options: str) -> LoneSidecar:
        folder = Path(tempfile.mkdtemp(dir=self.folder))
        folder.chmod(0o755)
        return LoneSidecar(folder, mode, self.reference, *options)


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    folder = Path(tempfile.mkdtemp(prefix="inscope-"))
    folder.chmod(0o755)
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        listeners = [stack.enter_context(closing(socket.create_server(("127.0.0.1", 0), backlog=4096))) for _ in "12"]
        yield Place(folder, *(each.getsockname()[1] for each in listeners))


def warm(agent: Guarded, place: Place) -> None:
    """Everything that can become known is, when this returns."""
    for act in (TRUE, SHELL, place.good) * 3:
        assert agent.do(*act).result == 0, act


def restart(sidecar: LoneSidecar, *options: str) -> None:
    sidecar.kill()
    sidecar.options = options
    sidecar.start()


GONE: dict[str, Callable[[LoneSidecar], None]] = {"killed": LoneSidecar.kill, "frozen": LoneSidecar.freeze}


@pytest.mark.parametrize("how", GONE)
@pytest.mark.parametrize("mode", [Mode.OBSERVE, Mode.DETECT])
def test_where_it_only_watches_a_sidecar_that_is_gone_holds_nothing_up(place: Place, mode: Mode, how: str) -> None:
    sidecar = place.sidecar(mode)
    with Guarded(sidecar) as agent:
        warm(agent, place)
        GONE[how](sidecar)
        for act in (TRUE, SHELL, place.good, FOREIGN, place.bad, ("times", 300, *TRUE)):
            done = agent.do(*act)
            assert done.result == 0, act
            assert done.seconds < AT_ONCE, act


@pytest.mark.slow
@pytest.mark.parametrize("how", GONE)
def test_enforced_what_is_not_known_waits_five_seconds_and_is_refused_and_the_known_goes_on(
    place: Place, how: str
) -> None:
    sidecar = place.sidecar(Mode.ENFORCE)
    with Guarded(sidecar) as agent:
        warm(agent, place)
        assert agent.do(*FOREIGN).result == DENIED
        assert agent.do(*place.bad).result == DENIED
        GONE[how](sidecar)
        for act in (TRUE, place.good, ("times", 200, *TRUE)):
            done = agent.do(*act)
            assert done.result == 0, act
            assert done.seconds < AT_ONCE, act
        done = agent.do(*place.bad)
        assert done.result == DENIED
        assert HOLD - 0.5 < done.seconds < HOLD + 1.0
        assert agent.do(*TRUE).result == 0


def test_a_sidecar_that_comes_back_in_time_answers_for_those_who_wait(place: Place) -> None:
    sidecar = place.sidecar(Mode.ENFORCE)
    with Guarded(sidecar) as agent:
        warm(agent, place)
        for act, result in ((SHELL, 0), (FOREIGN, DENIED), (place.bad, DENIED), (place.good, 0), (TRUE, 0)):
            sidecar.freeze()
            agent.begin(*act)
            restart(sidecar)
            done = agent.end()
            assert done.result == result, act
            assert done.seconds < HOLD, act


def test_who_was_asked_and_died_before_the_answer_is_followed_by_one_who_answers(place: Place) -> None:
    """The first sidecar has read the question, which is therefore nowhere but with who is held."""
    sidecar = place.sidecar(Mode.ENFORCE)
    with Guarded(sidecar) as agent:
        warm(agent, place)
        for act, result in ((SHELL, 0), (FOREIGN, DENIED), (place.bad, DENIED)):
            restart(sidecar, "--slow", "3600")
            asked = sidecar.asked
            agent.begin(*act)
            sidecar.await_asked(asked + 1)
            restart(sidecar)
            done = agent.end()
            assert done.result == result, act
            assert done.seconds < HOLD, act


@pytest.mark.slow
def test_a_sidecar_that_is_restarted_under_load_loses_no_verdict_and_breaks_no_call(place: Place) -> None:
    sidecar = place.sidecar(Mode.ENFORCE)
    with Guarded(sidecar) as agent:
        warm(agent, place)
        enough = sidecar.folder / "enough"
        agent.begin("work", str(enough), place.good[1], place.bad[1])
        for _ in range(5):
            sidecar.await_asked(sidecar.asked + 20)
            restart(sidecar)
        sidecar.await_asked(sidecar.asked + 20)
        enough.touch()
        assert agent.end().result == 0


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--unbound",), ("--slow", "3600")], ids=["no reference yet", "a slow verdict"])
def test_enforced_nothing_happens_before_a_verdict(place: Place, options: tuple[str, ...]) -> None:
    sidecar = place.sidecar(Mode.ENFORCE)
    with Guarded(sidecar) as agent:
        warm(agent, place)
        restart(sidecar, *options)
        for act in (SHELL, place.bad):
            done = agent.do(*act)
            assert done.result == DENIED, act
            assert HOLD - 0.5 < done.seconds < HOLD + 1.0, act
        restart(sidecar)
        assert agent.do(*SHELL).result == 0
        assert agent.do(*place.bad).result == DENIED


@pytest.mark.slow
def test_a_queue_that_overflows_costs_telemetry_and_no_verdict(place: Place) -> None:
    sidecar = place.sidecar(Mode.ENFORCE)
    with Guarded(sidecar) as agent:
        warm(agent, place)
        agent.do("fill")
        sidecar.freeze()
        agent.do("filled")
        sidecar.thaw()
        for act, result in ((SHELL, 0), (FOREIGN, DENIED), (place.bad, DENIED), (place.good, 0)):
            done = agent.do(*act)
            assert done.result == result, act
            assert done.seconds < HOLD
    assert any("INIT_QUEUE" in line for line in sidecar.journal)


NONSENSE = {
    "garbage": lambda ask: b"\xff" * 100,
    "a verdict on nobody": lambda ask: verdict(ask + 1, 0),
    "a verdict that is cut": lambda ask: verdict(ask, 0)[:-1],
    "an error that is none": lambda ask: verdict(ask, -1),
}


def verdict(ask: int, error: int) -> bytes:
    return encode("VERDICT", ask.to_bytes(8, "little") + error.to_bytes(4, "little", signed=True))


@pytest.mark.slow
@pytest.mark.parametrize("what", NONSENSE)
def test_what_a_sidecar_says_that_makes_no_sense_allows_nothing(place: Place, what: str) -> None:
    """By a real init: it hangs up or does not listen, and who is held is refused in time."""
    folder = Path(tempfile.mkdtemp(dir=place.folder))
    with InitPeer(folder / "init.sock") as peer:
        peer.answer = lambda _: welcome(stance=CONSTANTS["ENFORCES"]) + patterns(())
        peer.on_ask = lambda ask: NONSENSE[what](ask)
        done = Observer(binary(), peer).run("/bin/echo", "on")
        assert done.stdout == b""
        assert done.returncode == 126
