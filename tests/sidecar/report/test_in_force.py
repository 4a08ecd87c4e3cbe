"""What a sidecar says is in force, what it keeps for the next one, and what it does when nobody tells it more."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from inscope.behaviour import Connect, Protocol, Syscall
from inscope.codec import CodecError
from inscope.containment import Containment
from inscope.effect import Effect
from inscope.lapse import Lapse
from inscope.mode import Mode
from inscope.reference import ReferenceKind, ReferenceVersion, entries_of
from inscope.v1 import sidecar_pb2 as pb
from inscope.v1 import words_pb2
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.judge.local import NOTHING_YET, LocalReference
from sidecar.observe.enforceable import why_not_enforce
from sidecar.observe.header import HEADER
from sidecar.observe.kinds import Stance
from sidecar.observe.pipeline import stance_of
from sidecar.report.in_effect import InEffect
from sidecar.report.kept_reference import KeptReference
from sidecar.report.outbox import Outbox
from sidecar.report.pushed_reference import MAX_TTL, reference_from_wire
from sidecar.report.reporter import CannotEnforceError, Reporter
from sidecar.report.spool import Spool

FREE, FROZEN = Containment.FREE, Containment.FROZEN
PTRACE = Syscall("ptrace", "", "/bin/x")
VERSIONS = (ReferenceVersion(ReferenceKind.ENVELOPE, 3),)
ENFORCED = LocalReference(Mode.ENFORCE, VERSIONS, frozenset(entries_of(PTRACE)), ttl=60.0)


class Timer:
    """A clock that the test moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.due: dict[object, tuple[float, Callable[[], None]]] = {}

    def time(self) -> float:
        return self.now

    def call_at(self, when: float, callback: Callable[[], None]) -> asyncio.TimerHandle:
        timer = self

        class Handle:
            def cancel(self) -> None:
                timer.due.pop(self, None)

        handle = Handle()
        self.due[handle] = when, callback
        return handle  # type: ignore[return-value]  # the part of it that is used

    def move(self, seconds: float) -> None:
        self.now += seconds
        for handle, (when, callback) in list(self.due.items()):
            if when <= self.now:
                del self.due[handle]
                callback()


class Link:
    """Keeps what is said of effects."""

    def __init__(self) -> None:
        self.effects: list[Effect] = []

    def say_effect(self, effect: Effect) -> None:
        self.effects.append(effect)

    def send_batch(self, *_: object) -> None: ...
    def say_goodbye(self, exit_status: int) -> None: ...
    def renew(self) -> None: ...


class Rig:
    """A reporter whose init answers when the test says so."""

    def __init__(self, folder: Path, begin: LocalReference = NOTHING_YET) -> None:
        self.timer, self.link, self.said = Timer(), Link(), [""]
        spool = Spool(folder / "spool", lambda: "e")
        self.reporter = Reporter(
            InstanceId("i"), Outbox(), spool, self.timer, lambda: 1_000.0 + self.timer.now, self.said.append, begin
        )
        self.stance = stance_of(begin.mode, begin.containment)
        self.generation = 0
        self.reporter.reference_swapped = self._told

    def _told(self) -> int:
        wanted = stance_of(self.reporter.mode, self.reporter.containment)
        if wanted is not self.stance:
            self.stance, self.generation = wanted, self.generation + 1
        return self.generation


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path)


def test_a_mode_is_in_effect_when_init_says_so_and_not_before(rig: Rig) -> None:
    rig.reporter.welcomed(rig.link, 0)
    rig.reporter.in_force(0)
    rig.reporter.take(ENFORCED)
    assert rig.link.effects == [Effect(Mode.OBSERVE, FREE)]
    rig.reporter.in_force(1)
    assert rig.link.effects[1:] == [Effect(Mode.ENFORCE, FREE)]


def test_what_init_need_not_be_told_is_in_effect_at_once(rig: Rig) -> None:
    rig.reporter.welcomed(rig.link, 0)
    rig.reporter.in_force(0)
    rig.reporter.take(LocalReference(Mode.DETECT))
    assert rig.link.effects == [Effect(Mode.OBSERVE, FREE), Effect(Mode.DETECT, FREE)]


def test_each_stream_begins_with_what_is_in_effect(rig: Rig) -> None:
    rig.reporter.in_force(0)
    rig.reporter.welcomed(rig.link, 0)
    rig.reporter.disconnected(refused=False)
    rig.reporter.welcomed(rig.link, 0)
    assert rig.link.effects == [Effect(Mode.OBSERVE, FREE)] * 2


def test_an_order_that_was_overtaken_is_never_said_to_be_in_effect() -> None:
    said = InEffect(Mode.OBSERVE, FREE)
    assert said.told(1, Mode.ENFORCE, FREE) is None
    assert said.told(2, Mode.OBSERVE, FROZEN) is None
    assert said.confirmed(1) is None
    assert said.confirmed(2) == Effect(Mode.OBSERVE, FROZEN)


def test_who_cannot_enforce_says_why_and_goes_on_as_before(rig: Rig) -> None:
    rig.reporter.obstacle = lambda: "no ptrace"
    kept: list[LocalReference] = []
    rig.reporter.keep = kept.append
    with pytest.raises(CannotEnforceError, match="it cannot enforce: no ptrace"):
        rig.reporter.take(ENFORCED)
    assert (rig.reporter.mode, rig.reporter.bound.is_set(), kept) == (Mode.OBSERVE, False, [])
    rig.reporter.take(replace(ENFORCED, mode=Mode.DETECT))
    assert (rig.reporter.mode, len(kept)) == (Mode.DETECT, 1)


def test_what_enforce_needs_of_the_kernel() -> None:
    bits = HEADER.enums["mechanism"]
    everything = sum(bits.values())
    assert why_not_enforce(everything) == ""
    assert "Linux 5.9" in why_not_enforce(everything & ~bits["M_ADDFD"])
    assert why_not_enforce(everything & ~bits["M_PIDFD_GETFD"]) == ""
    assert "pidfd_getfd" in why_not_enforce(everything & ~bits["M_PIDFD_GETFD"] & ~bits["M_ADDFD_SEND"])
    assert why_not_enforce(0).count(";") == 4


async def test_nothing_is_allowed_in_enforce_before_there_is_a_reference(tmp_path: Path) -> None:
    rig = Rig(tmp_path, LocalReference(Mode.ENFORCE))
    assert rig.stance is Stance.ENFORCES
    asked = asyncio.ensure_future(rig.reporter.verdict(PTRACE))
    await asyncio.sleep(0)
    assert not asked.done()
    rig.reporter.take(ENFORCED)
    assert await asked is Verdict.ALLOW


@pytest.mark.parametrize(("lapse", "mode"), [(Lapse.KEEP, Mode.ENFORCE), (Lapse.OBSERVE, Mode.OBSERVE)])
def test_a_control_plane_that_stays_away_is_said_and_what_was_configured_is_done(
    rig: Rig, lapse: Lapse, mode: Mode
) -> None:
    rig.reporter.in_force(0)
    rig.reporter.welcomed(rig.link, 0)
    rig.reporter.take(replace(ENFORCED, on_lapse=lapse))
    rig.reporter.in_force(1)
    rig.timer.move(1_000)
    rig.reporter.disconnected(refused=False)
    rig.timer.move(59)
    rig.reporter.disconnected(refused=False)
    assert rig.reporter.mode is Mode.ENFORCE
    rig.timer.move(1)
    assert rig.reporter.mode is mode
    assert "longer than the 60 s" in rig.said[-1]
    rig.reporter.in_force(rig.generation)
    rig.reporter.welcomed(rig.link, 0)
    assert rig.link.effects[-1] == Effect(mode, FREE, lapsed=2_060.0)
    rig.reporter.take(ENFORCED)
    assert rig.reporter.mode is Mode.ENFORCE


def test_a_control_plane_that_comes_back_in_time_is_no_lapse(rig: Rig) -> None:
    rig.reporter.take(ENFORCED)
    rig.reporter.disconnected(refused=False)
    rig.timer.move(59)
    rig.reporter.welcomed(rig.link, 0)
    rig.timer.move(1_000)
    assert not any("longer than" in line for line in rig.said)


def test_what_denies_is_kept_for_the_next_sidecar_and_what_does_not_is_not(tmp_path: Path) -> None:
    said: list[str] = []
    kept = KeptReference(tmp_path / "reference", said.append)
    assert kept.load() is None
    for reference in (ENFORCED, replace(NOTHING_YET, containment=FROZEN, on_lapse=Lapse.OBSERVE)):
        kept.keep(reference)
        assert kept.load() == reference
        assert (tmp_path / "reference").stat().st_mode & 0o777 == 0o600
    kept.keep(LocalReference(Mode.DETECT, VERSIONS))
    assert kept.load() is None
    (tmp_path / "reference").write_bytes(b"\xff not a reference")
    assert kept.load() is None
    assert "cannot be read" in said[-1]
    KeptReference(tmp_path / "no" / "folder", said.append).keep(ENFORCED)
    assert "cannot be kept" in said[-1]


async def test_a_kept_reference_judges_at_once(tmp_path: Path) -> None:
    rig = Rig(tmp_path, ENFORCED)
    assert await rig.reporter.verdict(PTRACE) is Verdict.ALLOW
    assert await rig.reporter.verdict(Connect("evil", 1, Protocol.TCP, "x")) is Verdict.DENY


@pytest.mark.parametrize("ttl", [-1.0, MAX_TTL + 1, float("nan"), float("inf")])
def test_a_time_to_live_that_is_none_is_refused(ttl: float) -> None:
    with pytest.raises(CodecError, match="ttl"):
        reference_from_wire(NOTHING_YET, pb.ReferencePush(mode=words_pb2.MODE_ENFORCE, ttl=ttl))


def test_what_an_older_control_plane_does_not_say_is_free_and_holds_for_ever() -> None:
    held = reference_from_wire(NOTHING_YET, pb.ReferencePush(mode=words_pb2.MODE_ENFORCE))
    assert (held.containment, held.ttl, held.on_lapse) == (FREE, 0.0, Lapse.KEEP)


@pytest.mark.parametrize("mode", Mode)
def test_each_mode_and_containment_has_its_stance(mode: Mode) -> None:
    assert stance_of(mode) is (Stance.ENFORCES if mode is Mode.ENFORCE else Stance.WATCHES)
    assert stance_of(mode, Containment.QUARANTINED) is Stance.QUARANTINES
    assert stance_of(mode, Containment.FROZEN) is Stance.FREEZES
