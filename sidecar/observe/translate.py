"""Records of inscope-init to observations: the one place where what a call said becomes a behaviour.

It keeps state (who runs what, who wrote what) and does no I/O but to look at the descriptors that it is handed. Hashes
are left open in drafts. For each record it gives what follows from it, in order.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import assert_never

from inscope.behaviour import Syscall
from inscope.workload import InstanceId
from sidecar.normalise.interpreters import is_interpreter
from sidecar.normalise.paths import Generaliser
from sidecar.observe.actors import Actors
from sidecar.observe.call_detail import detail_of
from sidecar.observe.drafts import Draft
from sidecar.observe.execs import Execs
from sidecar.observe.facts import Again, Ended, Fact, InForce, Lost
from sidecar.observe.images import Images
from sidecar.observe.kinds import Flag, Level
from sidecar.observe.known_acts import KnownActs
from sidecar.observe.loads import Loads
from sidecar.observe.opens import Opens
from sidecar.observe.patterns import WatchList
from sidecar.observe.process_log import ProcessLog
from sidecar.observe.programs import Programs
from sidecar.observe.records import (
    BindRecord,
    ByeRecord,
    CodeMemoryRecord,
    ConnectRecord,
    CountersRecord,
    ExecRecord,
    ExitRecord,
    HelloRecord,
    ImageRecord,
    ListenRecord,
    LoadRecord,
    ModeIsRecord,
    OpenRecord,
    ProcessRecord,
    Record,
    RepeatedRecord,
    SurveyRecord,
    SyscallRecord,
)
from sidecar.observe.scribe import Scribe
from sidecar.observe.sockets import Sockets
from sidecar.observe.surveyor import Surveyor
from sidecar.observe.syscall_numbers import call_name
from sidecar.observe.wall_clock import Clocks
from sidecar.observe.writers import Writers

_OTHERWISE = int(Flag.MISMATCH) | int(Flag.FAILED)

_GUARD = int(Flag.GUARD)
_AT_GUARD = "at inscope"
"""The detail of a call that was aimed at init or the sidecar."""

_NOBODYS = (HelloRecord, ExitRecord, CountersRecord, SurveyRecord, ByeRecord, RepeatedRecord, ModeIsRecord)
"""Records that tell of no act of a process that goes on."""


class Translator:
    """One instance's records to facts, from its HELLO on.

    Args:
        resumed: the agent has been running since before this sidecar.
        ephemeral_from: the first port that the kernel gives out by itself.
        close: takes a descriptor that no draft owns.
    """

    def __init__(
        self,
        instance: InstanceId,
        hello: HelloRecord,
        clocks: Clocks,
        *,
        resumed: bool,
        generaliser: Generaliser,
        watch_list: WatchList,
        ephemeral_from: int,
        images: Images,
        process_log: ProcessLog,
        known: KnownActs,
        close: Callable[[int], None] = os.close,
    ) -> None:
        self._known = known
        self._actors = Actors(hello.body.agent, process_log, resumed=resumed)
        self._scribe = Scribe(instance, hello, clocks, generaliser)
        self._surveyor = Surveyor(generaliser, watch_list)
        writers = Writers()
        self._execs = Execs(self._actors, self._scribe, Programs(generaliser, images), known, close)
        self._loads = Loads(self._actors, self._scribe, writers, self._surveyor, close)
        self._opens = Opens(self._actors, self._scribe, writers, watch_list)
        self._sockets = Sockets(self._actors, self._scribe, generaliser, ephemeral_from)
        self._opens.all_reads = hello.body.reads == Level.ALL

    def reconnected(self, hello: HelloRecord, clocks: Clocks) -> None:
        """The same init is back after its connection was lost: what is known of its processes stays."""
        self._known.forget()
        self._scribe.reconnected(hello, clocks)
        self._opens.all_reads = hello.body.reads == Level.ALL

    @property
    def began(self) -> float:
        """When the watching began, in seconds since the epoch."""
        return self._scribe.began

    def resync(self, clocks: Clocks) -> None:
        """Tell what time it is: once per packet."""
        self._scribe.resync(clocks)

    def translate(self, record: Record) -> Sequence[Fact]:
        """What follows from one record. Its descriptor goes into a draft, or is closed."""
        facts = self._facts(record)
        if record.head.pid and not record.head.ask and not isinstance(record, _NOBODYS):
            self._known.acts(self._actors.of(record.head), record.head, anew=_voids(record))
        if record.head.key and not isinstance(record, ProcessRecord | ImageRecord):
            self._keyed(record, facts)
        return facts

    def decided(self, record: Record, *, allowed: bool) -> None:
        """Whoever was held in the act of a record gets this verdict."""
        if isinstance(record, ExecRecord):
            self._execs.decided(record.head, allowed=allowed)
        self._known.acts(self._actors.of(record.head), record.head, anew=_voids(record))

    def _keyed(self, record: Record, facts: Sequence[Fact]) -> None:
        """The act's one draft, if it gave one, carries its key."""
        drafts = [fact for fact in facts if isinstance(fact, Draft)]
        if len(drafts) == 1 and not _runs_what_it_is_told(record):
            drafts[0].key = record.head.key
        elif not facts and _stays_silent(record):
            self._known.says_nothing(record.head.key)

    def _facts(self, record: Record) -> Sequence[Fact]:
        match record:
            case ConnectRecord(head, address):
                return self._sockets.connect(head, address)
            case OpenRecord():
                return self._opens.open(record)
            case LoadRecord():
                return self._loads.load(record)
            case ExecRecord():
                return self._execs.exec(record)
            case ImageRecord():
                return self._execs.image(record)
            case CodeMemoryRecord(head):
                return self._loads.code_memory(head)
            case BindRecord(head, address):
                return self._sockets.bind(head, address)
            case ListenRecord(head, address):
                return self._sockets.listen(head, address)
            case SyscallRecord():
                return self._syscall(record)
            case ExitRecord(head):
                self._actors.exited(head)
                return ()
            case ProcessRecord():
                self._execs.introduced(record)
                return ()
            case CountersRecord(_, counters):
                return (counters,)
            case SurveyRecord(head):
                return self._surveyor.surveyed(record, self._scribe.seconds(head))
            case ModeIsRecord(_, mode):
                return (InForce(mode.generation),)
            case RepeatedRecord(head, repeats):
                again = tuple(Again(*one) for one in self._known.repeated(repeats, self._scribe.seconds(head)))
                lost = self._known.foreign(repeats)
                return (*again, Lost(lost)) if lost else again
            case ByeRecord(_, ended):
                return (Ended(ended.status),)
            case HelloRecord():
                return ()
            case _:
                assert_never(record)

    def _syscall(self, record: SyscallRecord) -> Sequence[Draft]:
        process = self._actors.of(record.head)
        name = call_name(self._scribe.machine, record.call.nr, record.call.arch)
        aimed = _AT_GUARD if record.head.flags & _GUARD else ""
        detail = " ".join(filter(None, (name.foreign, detail_of(name.name, record.call), aimed)))
        return (self._scribe.draft(record.head, process, Syscall(name.name, detail, process.label)),)


def _voids(record: Record) -> bool:
    """Whether init has put away what it knew of the process: at an exec, and where one turned out otherwise."""
    return isinstance(record, ExecRecord) or (isinstance(record, ImageRecord) and bool(record.head.flags & _OTHERWISE))


def _runs_what_it_is_told(record: Record) -> bool:
    """An interpreter by the name it is called by. That it interprets nothing this once (`--version`) says nothing of
    the next time: the arguments are no part of a key."""
    return isinstance(record, ExecRecord) and is_interpreter(os.fsdecode(record.path))


def _stays_silent(record: Record) -> bool:
    """Whether an act that gave nothing to tell gives nothing the next time. A file that was not there may be then, and
    whether a mapped file is the process's own image is not in the key."""
    return isinstance(record, ConnectRecord) or (isinstance(record, OpenRecord) and bool(record.call.inode))
