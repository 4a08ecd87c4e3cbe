"""From records to the sink: order, bounds, and every loss counted."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from contextlib import suppress
from errno import EACCES
from pathlib import Path

from inscope.behaviour import Behaviour, Connect, Exec, Load, Open
from inscope.capability import Capability, CapabilityKind
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.normalise.paths import default_generaliser
from sidecar.observe import pipeline as pipeline_module
from sidecar.observe.bodies import FileStat
from sidecar.observe.claims import Claim
from sidecar.observe.header import HEADER
from sidecar.observe.identities import Identities
from sidecar.observe.images import Images
from sidecar.observe.init_listener import PeerCredentials
from sidecar.observe.kinds import Flag, Kind, Stance
from sidecar.observe.known_acts import KnownActs
from sidecar.observe.patterns import default_watch_list
from sidecar.observe.pipeline import Pipeline
from sidecar.observe.process_log import ProcessLog
from sidecar.observe.records import HelloRecord, Record
from sidecar.observe.translate import Translator
from sidecar.observe.wall_clock import Clocks
from tests.sidecar.observe.fake_fingerprinter import hash_of
from tests.sidecar.observe.fake_init import (
    BOOT_NS,
    WALL_NS,
    address_body,
    bye_message,
    counters_body,
    exec_message,
    file_body,
    hello_record,
    message,
    open_descriptors,
    open_message,
    record,
)


class Sink:
    """Keeps everything in one list, in order."""

    def __init__(self) -> None:
        self.told: list[Observation | Capability | SourceCoverage | int] = []

    def observed(self, observation: Observation) -> None:
        self.told.append(observation)

    def repeated(self, observation: Observation, times: int) -> None:
        self.told += [observation] * times

    def countable(self, behaviour: Behaviour, writable: bool) -> bool:
        return True

    mode = Mode.OBSERVE

    async def verdict(self, behaviour: Behaviour) -> Verdict:
        return Verdict.ALLOW

    def in_force(self, generation: int) -> None:
        pass

    def surveyed(self, capability: Capability) -> None:
        self.told.append(capability)

    def covered(self, coverage: SourceCoverage) -> None:
        self.told.append(coverage)

    def ended(self, status: int) -> None:
        self.told.append(status)

    def behaviours(self) -> list[object]:
        return [one.behaviour for one in self.told if isinstance(one, Observation)]

    def losses(self, source: Source = Source.INIT) -> dict[LossCause, int]:
        return [one for one in self.told if isinstance(one, SourceCoverage) and one.source is source][-1].losses


class SlowFingerprinter:
    """Hashes only when told to: `go` opens the gate."""

    def __init__(self) -> None:
        self.go = asyncio.Event()

    async def identify(self, fd: int, file: FileStat, path: str) -> str:
        await self.go.wait()
        os.close(fd)
        return hash_of(path)

    async def identify_path(self, path: str, cwd: str) -> str:
        await self.go.wait()
        return ""


class Flow:
    """Counts how often the channel was held back and let go."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.packets: list[bytes] = []

    def become(self, stance: Stance) -> int:
        self.stance = stance
        return 1

    def tell(self, packets: Sequence[bytes]) -> None:
        self.packets += packets

    def pause(self) -> None:
        self.calls.append("pause")

    def resume(self) -> None:
        self.calls.append("resume")


class Reconciling:
    """Takes claims, and says when it was finished."""

    def __init__(self, sink: Sink) -> None:
        self.claims: list[Claim] = []
        self.sink = sink

    def claimed(self, claim: Claim) -> None:
        self.claims.append(claim)

    async def finish(self) -> None:
        self.sink.told.append(-1)


class Plant:
    """A pipeline with everything around it in the test's hand."""

    def __init__(self, stance: Stance | None = None) -> None:
        self.sink = Sink()
        self.flow = Flow()
        self.fingerprinter = SlowFingerprinter()
        self.reconciling = Reconciling(self.sink)
        self.pipeline = Pipeline(
            self.translator, self.sink, lambda: Clocks(WALL_NS, BOOT_NS), stance and (lambda: stance)
        )
        self.pipeline.attach(Identities(self.fingerprinter, self.pipeline.unhashed), self.flow, self.reconciling)

    def translator(self, hello: HelloRecord, clocks: Clocks, resumed: bool, known: KnownActs) -> Translator:
        return Translator(
            InstanceId("i"),
            hello,
            clocks,
            resumed=resumed,
            generaliser=default_generaliser(),
            watch_list=default_watch_list(),
            ephemeral_from=32768,
            images=Images(lambda fd: (f"/file/{fd}", b"")),
            process_log=ProcessLog(Path("/nonexistent/processes"), lambda _: None),
            known=known,
        )

    def connect(self) -> None:
        self.pipeline.connected(hello_record(), PeerCredentials(1, 2, 3), resumed=False)

    def feed(self, *records: Record) -> None:
        self.pipeline.received(records)

    async def run(self, turns: int = 50) -> None:
        task = asyncio.create_task(self.pipeline.run())
        for _ in range(turns):
            await asyncio.sleep(0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def load(number: int) -> Record:
    fd = os.open("/dev/null", os.O_RDONLY)
    return record(message(Kind.LOAD, "file", file_body(1000 + number), [b"/lib/%d.so" % number]), fd)


def write(name: bytes) -> Record:
    return record(open_message(name, os.O_WRONLY))


async def test_order_is_kept_while_one_is_being_hashed() -> None:
    plant = Plant()
    plant.connect()
    plant.feed(write(b"/a.py"), load(1), write(b"/b.py"))
    await plant.run()
    assert [type(one) for one in plant.sink.behaviours()] == [Open]
    plant.fingerprinter.go.set()
    await plant.run()
    assert [type(one) for one in plant.sink.behaviours()] == [Open, Load, Open]


async def test_the_end_comes_after_everything_and_after_reconciling() -> None:
    plant = Plant()
    plant.connect()
    plant.feed(load(1), record(bye_message(256)))
    plant.fingerprinter.go.set()
    await plant.run()
    assert isinstance(plant.sink.told[-3], Observation)
    assert plant.sink.told[-2:] == [-1, 256]


async def test_hashing_that_falls_behind_holds_the_channel_back() -> None:
    plant = Plant()
    plant.connect()
    for number in range(pipeline_module.DESCRIPTORS_MAX):
        plant.feed(load(number))
    plant.feed(load(9999))
    assert plant.flow.calls == ["pause"]
    plant.fingerprinter.go.set()
    await plant.run(2000)
    assert plant.flow.calls == ["pause", "resume"]
    assert len(plant.sink.behaviours()) == pipeline_module.DESCRIPTORS_MAX + 1
    assert LossCause.SIDECAR_QUEUE not in plant.sink.losses()


async def test_over_the_hard_limit_the_newest_are_dropped_and_counted_and_leak_nothing() -> None:
    before = open_descriptors()
    plant = Plant()
    plant.connect()
    most = 2 * pipeline_module.DESCRIPTORS_MAX
    plant.feed(*(load(number) for number in range(most + 7)))
    assert plant.sink.losses() == {LossCause.SIDECAR_QUEUE: 7}
    plant.fingerprinter.go.set()
    await plant.run(5000)
    assert len(plant.sink.behaviours()) == most
    assert open_descriptors() == before


async def test_small_records_are_bounded_too() -> None:
    plant = Plant()
    plant.connect()
    plant.feed(*[write(b"/a.py")] * (pipeline_module.HARD_LIMIT + 3))
    assert plant.sink.losses() == {LossCause.SIDECAR_QUEUE: 3}
    await plant.run(500)
    assert len(plant.sink.behaviours()) == pipeline_module.HARD_LIMIT


def asks(number: int) -> Record:
    fd = os.open("/dev/null", os.O_RDONLY)
    return record(message(Kind.LOAD, "file", file_body(number), [b"/lib/%d.so" % number], ask=number), fd)


def answers(plant: Plant) -> dict[int, int]:
    """What was told about each ask: 0 or an errno."""
    codec = HEADER.structs["verdict"].codec
    size = HEADER.structs["head"].codec.size
    verdicts = [packet[size:] for packet in plant.flow.packets if packet[4] == Kind.VERDICT]
    return dict(map(codec.unpack, verdicts))


async def test_who_is_held_is_answered_however_much_waits_before_it() -> None:
    before = open_descriptors()
    plant = Plant()
    plant.connect()
    plant.feed(*[write(b"/a.py")] * (pipeline_module.HARD_LIMIT + 3))
    plant.feed(asks(77))
    plant.fingerprinter.go.set()
    for _ in range(20):
        await asyncio.sleep(0)
    assert answers(plant) == {77: 0}
    assert plant.sink.losses() == {LossCause.SIDECAR_QUEUE: 4}
    await plant.run(500)
    assert open_descriptors() == before


async def test_where_it_is_enforced_the_channel_is_read_whatever_waits() -> None:
    plant = Plant()
    plant.connect()
    plant.feed(*[write(b"/a.py")] * pipeline_module.HIGH_WATER)
    assert plant.flow.calls == ["pause"]
    plant.sink.mode = Mode.ENFORCE
    plant.pipeline.rejudge()
    assert plant.flow.calls == ["pause", "resume"]
    plant.feed(write(b"/a.py"))
    assert plant.flow.calls == ["pause", "resume"]
    await plant.run(100)


async def test_where_it_is_contained_the_channel_is_read_whatever_waits_in_any_mode() -> None:
    plant = Plant(Stance.QUARANTINES)
    plant.connect()
    plant.feed(*[write(b"/a.py")] * pipeline_module.HIGH_WATER)
    assert plant.sink.mode is Mode.OBSERVE
    assert plant.flow.calls == []
    await plant.run(100)


def reaching(port: int, **head: int) -> Record:
    return record(message(Kind.CONNECT, "address", address_body(bytes((127, 0, 0, 1)), port), **head))


async def test_what_is_refused_is_told_with_the_verdict_that_refused_it() -> None:
    plant = Plant(Stance.QUARANTINES)

    async def cut_off(behaviour: Behaviour) -> Verdict:
        return Verdict.QUARANTINE if isinstance(behaviour, Connect) else Verdict.ALLOW

    plant.sink.verdict = cut_off
    plant.connect()
    plant.feed(reaching(80, ask=7), asks(8))
    plant.fingerprinter.go.set()
    await plant.run()
    assert answers(plant) == {7: EACCES, 8: 0}
    told = {type(one.behaviour): one.verdict for one in plant.sink.told if isinstance(one, Observation)}
    assert told == {Connect: Verdict.QUARANTINE, Load: Verdict.ALLOW}


async def test_what_init_cut_off_by_itself_is_told_as_such() -> None:
    plant = Plant(Stance.QUARANTINES)
    plant.connect()
    refused = [(Flag.DENIED | Flag.CUT, 1), (Flag.DENIED, 2), (Flag(0), 3)]
    plant.feed(*(reaching(port, flags=int(flags)) for flags, port in refused))
    await plant.run()
    told = [one.verdict for one in plant.sink.told if isinstance(one, Observation)]
    assert told == [Verdict.QUARANTINE, Verdict.DENY, Verdict.ALLOW]


async def test_more_callers_than_an_honest_init_holds_are_refused_unseen() -> None:
    before = open_descriptors()
    plant = Plant()
    plant.connect()
    most = pipeline_module.ASKS_MAX
    plant.feed(*(record(open_message(b"/a.py", os.O_WRONLY, ask=number)) for number in range(1, most + 1)))
    plant.feed(asks(7777))
    assert answers(plant) == {7777: EACCES}
    await plant.run(3000)
    assert open_descriptors() == before


async def test_an_error_of_ours_is_no_permission() -> None:
    class Broken(SlowFingerprinter):
        async def identify(self, fd: int, file: FileStat, path: str) -> str:
            os.close(fd)
            raise RuntimeError("a fault of ours")

    plant = Plant()
    plant.pipeline.attach(Identities(Broken(), plant.pipeline.unhashed), plant.flow, plant.reconciling)
    plant.connect()
    plant.feed(asks(5), write(b"/a.py"))
    await plant.run()
    assert answers(plant) == {5: EACCES}
    told = [one for one in plant.sink.told if isinstance(one, Observation)]
    assert [one.verdict for one in told] == [Verdict.DENY, Verdict.ALLOW]


async def test_losses_of_every_cause_are_told() -> None:
    plant = Plant()
    plant.connect()
    plant.pipeline.malformed("junk")
    assert plant.sink.losses() == {LossCause.MALFORMED: 1}
    plant.feed(record(message(Kind.COUNTERS, "counters", counters_body(lost_queue=4, unreadable=2))))
    await plant.run()
    assert plant.sink.losses() == {LossCause.MALFORMED: 1, LossCause.INIT_QUEUE: 4, LossCause.UNREADABLE: 2}
    plant.fingerprinter.go.set()
    plant.feed(record(exec_message(b"/bin/x", [b"x"])))
    await plant.run()
    assert plant.sink.losses()[LossCause.HASH_FAILED] == 1
    plant.pipeline.unreconciled(3)
    assert plant.sink.losses(Source.SOCKETS) == {LossCause.UNRECONCILED: 3}


async def test_junk_before_init_was_ever_there_is_told_once_it_is() -> None:
    plant = Plant()
    plant.pipeline.malformed("junk")
    assert plant.sink.told == []
    plant.connect()
    assert plant.sink.losses() == {LossCause.MALFORMED: 1}


async def test_a_lost_connection_ends_the_coverage_until_init_is_back() -> None:
    plant = Plant()
    plant.connect()
    plant.pipeline.disconnected()
    assert isinstance(plant.sink.told[-1], SourceCoverage)
    assert plant.sink.told[-1].until == WALL_NS / 1e9
    plant.pipeline.connected(hello_record(), PeerCredentials(1, 2, 3), resumed=True)
    covered = [one for one in plant.sink.told if isinstance(one, SourceCoverage) and one.source is Source.INIT]
    assert (covered[-1].since, covered[-1].until) == (WALL_NS / 1e9, 0)


async def test_what_is_known_of_processes_survives_a_lost_connection() -> None:
    plant = Plant()
    plant.fingerprinter.go.set()
    plant.connect()
    plant.feed(record(exec_message(b"/bin/agent", [b"agent"])))
    plant.pipeline.disconnected()
    plant.pipeline.connected(hello_record(), PeerCredentials(1, 2, 3), resumed=True)
    plant.feed(record(exec_message(b"/bin/git", [b"git"], pid=101, ppid=100, start=60)))
    await plant.run()
    last = plant.sink.behaviours()[-1]
    assert isinstance(last, Exec)
    assert last.parent == "/bin/agent"


async def test_claims_are_held_against_the_kernel_at_once() -> None:
    plant = Plant()
    plant.connect()
    plant.feed(load(1), record(message(Kind.CONNECT, "address", address_body(b"\x0a\0\0\1", 443, inode=77))))
    assert [claim.socket for claim in plant.reconciling.claims] == [77]
    plant.fingerprinter.go.set()
    await plant.run()


async def test_a_survey_is_told_with_its_coverage() -> None:
    plant = Plant()
    plant.connect()
    plant.feed(record(message(Kind.SURVEY, "survey", (6, 1, 1, 1), [b"1024-65535"])))
    await plant.run()
    capability, coverage = plant.sink.told[-2:]
    assert isinstance(capability, Capability)
    assert capability.kind is CapabilityKind.PORTS
    assert isinstance(coverage, SourceCoverage)
    assert coverage.source is Source.SURVEY


async def test_records_without_a_connection_are_closed() -> None:
    before = open_descriptors()
    records: Sequence[Record] = [load(1)]
    Plant().pipeline.received(records)
    assert open_descriptors() == before
