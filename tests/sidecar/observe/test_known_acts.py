"""What init is told to count: the same act by the same program, and nothing that its key does not pin down."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inscope.behaviour import Access, Behaviour, CodeMemory, Exec, Load, Open, Program, Script, ScriptOrigin
from inscope.observation import Observation
from inscope.workload import InstanceId
from sidecar.observe.bodies import FileStat, Head, Repeat
from sidecar.observe.drafts import Draft, OpenFile
from sidecar.observe.header import HEADER
from sidecar.observe.kinds import Kind
from sidecar.observe.known_acts import KNOWN_MAX, TIMES_MAX, KnownActs, Ran, number_of
from sidecar.observe.processes import Process
from sidecar.observe.protocol import PACKET_MAX
from tests.sidecar.observe.fake_fingerprinter import hash_of
from tests.sidecar.observe.fake_init import file_body

READ = Open("/etc/shadow", Access.READ, "/bin/a", True)
GIT = Exec(Program("/bin/git", hash_of("/bin/git")), "/bin/sh")

_HEAD, _ACTOR, _KNOWN, _ACT = (HEADER.structs[name].codec for name in ("head", "actor", "known", "known_act"))


def anything(_behaviour: Behaviour, _writable: bool) -> bool:
    return True


def head(pid: int = 5, time_ns: int = 70) -> Head:
    return Head(0, 0, time_ns, 50, pid, pid, 1)


def seen(behaviour: Behaviour) -> Observation:
    return Observation(InstanceId("i"), 1.0, behaviour)


def met(known: KnownActs, key: int, behaviour: Behaviour, *, path: str = "", writable: int = 0) -> None:
    file = OpenFile(-1, FileStat(*file_body(7, writable=writable)), path) if path else None
    known.met(key, Draft(seen(behaviour), file), seen(behaviour))


def messages(packets: Sequence[bytes]) -> Iterator[tuple[int, bytes]]:
    """Kind, and what follows the head."""
    for packet in packets:
        at = 0
        while at < len(packet):
            size, kind = struct.unpack_from("=IH", packet, at)
            yield kind, packet[at + _HEAD.size : at + size]
            at += size


def told(known: KnownActs) -> list[tuple[int, bool, dict[int, int]]]:
    """Each KNOWN: its generation, whether it is the last of it, and its acts."""
    found = []
    for kind, body in messages(known.to_tell()):
        if kind == Kind.KNOWN:
            generation, last, count = _KNOWN.unpack_from(body)
            acts = dict(_ACT.iter_unpack(body[_KNOWN.size :]))
            assert len(acts) == count
            found.append((generation, bool(last), acts))
    return found


def actors(known: KnownActs) -> list[tuple[int, ...]]:
    return [_ACTOR.unpack(body) for kind, body in messages(known.to_tell()) if kind == Kind.ACTOR]


def test_what_was_met_is_told_once_and_its_repeats_come_back_as_it() -> None:
    known = KnownActs(anything)
    met(known, 9, READ)
    met(known, 9, READ)
    assert told(known) == [(0, True, {9: 0})]
    assert told(known) == []
    ((again, times),) = known.repeated([Repeat(9, 3), Repeat(10, 5), Repeat(9, 0)], 8.0)
    assert (again.behaviour, again.time, times) == (READ, 8.0, 3)


def test_an_exec_comes_with_the_number_of_what_then_runs() -> None:
    known = KnownActs(anything)
    met(known, 9, GIT, path="/bin/git")
    assert told(known) == [(0, True, {9: number_of("/bin/git")})]
    assert known.ran(9) == Ran("/bin/git", (1, 7))
    assert known.ran(10) is None
    met(known, 11, READ)
    assert known.ran(11) is None


def test_a_process_is_told_of_once_for_each_program() -> None:
    known = KnownActs(anything)
    known.acts(Process(5, 50, "/bin/a"), head(5, 70))
    known.acts(Process(5, 50, "/bin/a"), head(5, 71))
    known.acts(Process(6, 50, "/bin/a"), head(6, 72))
    known.acts(Process(5, 50, "/bin/b"), head(5, 73))
    known.acts(Process(7, 50, ""), head(7, 74))
    a, b = number_of("/bin/a"), number_of("/bin/b")
    assert a != b
    assert actors(known) == [(70, 50, a, 5), (72, 50, a, 6), (73, 50, b, 5)]


def test_a_process_that_execs_its_own_program_is_told_of_again() -> None:
    known = KnownActs(anything)
    known.acts(Process(5, 50, "/bin/a"), head(5, 70))
    known.acts(Process(5, 50, "/bin/a"), head(5, 71), anew=True)
    assert [since for since, *_ in actors(known)] == [70, 71]


@given(st.text())
def test_only_nothing_has_no_number(label: str) -> None:
    assert (number_of(label) == 0) == (label == "")


def test_many_small_messages_are_few_packets() -> None:
    known = KnownActs(anything)
    for pid in range(1, 2001):
        known.acts(Process(pid, 50, "/bin/a"), head(pid))
    packets = known.to_tell()
    assert len(packets) <= 4
    assert all(len(packet) <= PACKET_MAX for packet in packets)
    assert sum(1 for _ in messages(packets)) == 2000


NOT_COUNTED: dict[str, tuple[Behaviour, str]] = {
    "a script": (Exec(Program("/bin/x", "aa", Script(ScriptOrigin.FILE, "/s", "bb")), "/bin/sh"), "/bin/x"),
    "an interpreter that ran nothing this time": (
        Exec(Program("/usr/bin/python3.11", "aa"), "/b"),
        "/usr/bin/python3.11",
    ),
    "a program without a hash": (Exec(Program("/bin/x", ""), "/bin/sh"), "/bin/x"),
    "a library without a hash": (Load("/lib/x.so", "", "/bin/a", ""), "/lib/x.so"),
}


@pytest.mark.parametrize("what", NOT_COUNTED)
def test_what_the_key_does_not_pin_down_is_told_each_time(what: str) -> None:
    known = KnownActs(anything)
    behaviour, path = NOT_COUNTED[what]
    met(known, 9, behaviour, path=path)
    assert told(known) == []
    assert not list(known.repeated([Repeat(9, 1)], 1.0))


def test_what_may_not_be_counted_is_not_until_it_may() -> None:
    allowed: set[Behaviour] = {READ}
    known = KnownActs(lambda behaviour, writable: behaviour in allowed and not writable)
    met(known, 1, READ)
    met(known, 2, CodeMemory("/bin/a"))
    met(known, 3, READ, path="/bin/w", writable=1)
    assert told(known) == [(0, True, {1: 0})]
    allowed.clear()
    allowed.add(CodeMemory("/bin/a"))
    known.rejudge()
    assert told(known) == [(1, True, {2: 0})]
    met(known, 4, CodeMemory("/bin/a"))
    assert told(known) == [(1, True, {4: 0})]


def test_what_init_counted_before_it_heard_of_the_new_set_is_still_taken() -> None:
    allowed: set[Behaviour] = {READ}
    known = KnownActs(lambda behaviour, _writable: behaviour in allowed)
    met(known, 1, READ)
    allowed.clear()
    known.rejudge()
    assert told(known) == [(1, True, {})]
    assert [times for _, times in known.repeated([Repeat(1, 2)], 1.0)] == [2]


def test_news_that_a_new_set_overtakes_are_told_with_it_and_not_twice() -> None:
    known = KnownActs(anything)
    met(known, 1, READ)
    known.rejudge()
    assert told(known) == [(1, True, {1: 0})]


def test_a_large_set_comes_in_parts_of_one_generation() -> None:
    known = KnownActs(anything)
    for key in range(1, KNOWN_MAX + 100):
        met(known, key, READ)
    known.to_tell()
    known.rejudge()
    parts = told(known)
    assert [(generation, last) for generation, last, _ in parts] == [(1, False), (1, True)]
    assert {key for _, _, acts in parts for key in acts} == set(range(1, KNOWN_MAX + 1))


def test_an_act_of_no_interest_is_counted_and_gives_nothing() -> None:
    known = KnownActs(lambda _behaviour, _writable: False)
    known.says_nothing(4)
    assert told(known) == [(0, True, {4: 0})]
    assert not list(known.repeated([Repeat(4, 7)], 1.0))


def test_another_connection_begins_with_nothing() -> None:
    known = KnownActs(anything)
    met(known, 1, GIT, path="/bin/git")
    known.acts(Process(5, 50, "/bin/a"), head())
    known.rejudge()
    known.forget()
    assert known.to_tell() == []
    assert known.ran(1) is None
    assert not list(known.repeated([Repeat(1, 1)], 1.0))
    known.acts(Process(5, 50, "/bin/a"), head())
    met(known, 1, GIT, path="/bin/git")
    kinds = [kind for kind, _ in messages(known.to_tell())]
    assert kinds == [Kind.ACTOR, Kind.KNOWN]


def test_what_an_earlier_sidecar_called_known_is_lost_and_counted() -> None:
    known = KnownActs(anything)
    met(known, 7, READ)
    assert known.foreign([Repeat(7, 2), Repeat(8, 3), Repeat(9, 1)]) == 4


def test_a_count_that_cannot_be_is_cut() -> None:
    known = KnownActs(anything)
    met(known, 1, READ)
    assert [times for _, times in known.repeated([Repeat(1, (1 << 64) - 1)], 1.0)] == [TIMES_MAX]
