"""Records of inscope-init to observations: the one place where what a call said becomes a behaviour.

It keeps state (who runs what, who wrote what) and does no I/O but to look at the descriptors that it is handed. Hashes
are left open in drafts. For each record it gives what follows from it, in order.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import assert_never

from inscope.behaviour import (
    Access,
    Behaviour,
    CodeMemory,
    Connect,
    Contradiction,
    Exec,
    Listen,
    Load,
    Open,
    Protocol,
    Syscall,
)
from inscope.capability import Capability
from inscope.observation import Observation
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.normalise.paths import Generaliser
from sidecar.normalise.text import text_of
from sidecar.observe.bodies import Address, Counters, Head
from sidecar.observe.call_detail import detail_of
from sidecar.observe.claims import Claim, Peer
from sidecar.observe.destinations import Endpoint, destination_of, listener_of, receiver_of
from sidecar.observe.drafts import Draft, OpenFile
from sidecar.observe.images import Images
from sidecar.observe.kinds import Flag, Level
from sidecar.observe.open_flags import accesses_of
from sidecar.observe.patterns import WatchList
from sidecar.observe.process_log import ProcessLog
from sidecar.observe.processes import FileId, Process, ProcessTable
from sidecar.observe.programs import Programs, StartedProgram
from sidecar.observe.records import (
    NO_FD,
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
    OpenRecord,
    ProcessRecord,
    Record,
    SurveyRecord,
    SyscallRecord,
)
from sidecar.observe.surveyor import Surveyor
from sidecar.observe.syscall_numbers import call_name
from sidecar.observe.wall_clock import SECOND_NS, Clocks, WallClock
from sidecar.observe.writers import Writers

INIT_LABEL = "inscope-init"
"""What the agent's first process is called until it execs the agent."""

# Plain integers: `&` with an IntFlag costs a microsecond, for each record.
_DENIED, _MISMATCH, _FOREIGN = int(Flag.DENIED), int(Flag.MISMATCH), int(Flag.FOREIGN)

_EXECS_KEPT = 512
_SHARED_MEMORY = (b"/dev/zero (deleted)", b"/SYSV")
"""What the kernel calls the files behind anonymous shared memory (mmap, shmget)."""
_SENDS = frozenset({"sendto", "sendmsg", "sendmmsg"})


@dataclass(frozen=True, slots=True)
class Ended:
    """The agent's own end, with its wait(2) status."""

    status: int


QueuedFact = Draft | Capability | Counters | Ended
Fact = QueuedFact | Claim
"""What follows from a record. A claim is not told to anybody: it is held against the kernel while the socket lives."""


@dataclass(frozen=True, slots=True)
class _Exec:
    """An exec whose image may yet turn out to be another."""

    draft: Draft
    started: StartedProgram
    parent: str
    argv: tuple[bytes, ...]
    cwd: bytes


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
        close: Callable[[int], None] = os.close,
    ) -> None:
        self._instance = instance
        self._generaliser = generaliser
        self._watch_list = watch_list
        self._ephemeral_from = ephemeral_from
        self._programs = Programs(generaliser, images)
        self._close = close
        self._processes = ProcessTable()
        self._process_log = process_log
        self._know_processes(hello.body.agent, resumed)
        self._writers = Writers()
        self._surveyor = Surveyor(generaliser, watch_list)
        self._last_exec: OrderedDict[tuple[int, int], _Exec] = OrderedDict()
        self._began_ns = hello.body.realtime_ns
        self.reconnected(hello, clocks)

    def _know_processes(self, agent: int, resumed: bool) -> None:
        if resumed:
            self._processes.restore(self._process_log.read())
        else:
            self._processes.expect(agent, INIT_LABEL)
        self._process_log.rewrite(self._processes.alive())

    def _executed(self, process: Process, label: str, image: FileId) -> Process:
        process = self._processes.executed(process, label, image)
        if not self._process_log.append(process):
            self._process_log.rewrite(self._processes.alive())
        return process

    def reconnected(self, hello: HelloRecord, clocks: Clocks) -> None:
        """The same init is back after its connection was lost: what is known of its processes stays."""
        self._machine = hello.body.machine
        self._all_reads = hello.body.reads == Level.ALL
        self._clock = WallClock(hello.body.realtime_ns, hello.head.time_ns, clocks)

    @property
    def began(self) -> float:
        """When the watching began, in seconds since the epoch."""
        return self._began_ns / SECOND_NS

    def resync(self, clocks: Clocks) -> None:
        """Tell what time it is: once per packet."""
        self._clock.resync(clocks)

    def translate(self, record: Record) -> Sequence[Fact]:
        """What follows from one record. Its descriptor goes into a draft, or is closed."""
        match record:
            case ConnectRecord(head, address):
                return self._connect(head, address)
            case OpenRecord():
                return self._open(record)
            case LoadRecord():
                return self._load(record)
            case ExecRecord():
                return self._exec(record)
            case ImageRecord():
                return self._image(record)
            case CodeMemoryRecord(head):
                process = self._processes.of(head)
                return (self._draft(head, process, CodeMemory(process.label)),)
            case BindRecord(head, address):
                return self._listen(head, receiver_of(address, ephemeral_from=self._ephemeral_from))
            case ListenRecord(head, address):
                return self._listen(head, listener_of(address, ephemeral_from=self._ephemeral_from))
            case SyscallRecord():
                return self._syscall(record)
            case ExitRecord(head):
                self._processes.exited(head)
                return ()
            case ProcessRecord():
                self._introduced(record)
                return ()
            case CountersRecord(_, counters):
                return (counters,)
            case SurveyRecord(head):
                return self._surveyor.surveyed(record, self._clock.seconds(head.time_ns))
            case ByeRecord(_, ended):
                return (Ended(ended.status),)
            case HelloRecord():
                return ()
            case _:
                assert_never(record)

    def _observation(self, head: Head, process: Process, behaviour: Behaviour) -> Observation:
        verdict = Verdict.DENY if head.flags & _DENIED else Verdict.ALLOW
        time = self._clock.seconds(head.time_ns)
        return Observation(self._instance, time, behaviour, process.ancestry, verdict)

    def _draft(self, head: Head, process: Process, behaviour: Behaviour) -> Draft:
        return Draft(self._observation(head, process, behaviour))

    def _path(self, raw: bytes) -> str:
        return self._generaliser.path(text_of(raw))

    # Programs.

    def _exec(self, record: ExecRecord) -> Sequence[Fact]:
        process = self._processes.of(record.head)
        if not record.file.inode:
            # Nothing is there (a search along PATH), so nothing is executed. Should that change before the kernel
            # looks, the image at the next trap tells.
            self._discard(record.fd)
            return ()
        return self._start(record, process, self._programs.of(record))

    def _introduced(self, record: ProcessRecord) -> None:
        """A fork runs what its parent runs; only where the parent is unknown does its image say more."""
        process = self._processes.of(record.head)
        if not process.label and record.path:
            self._executed(process, self._path(record.path), (record.file.device, record.file.inode))

    def _start(self, record: ExecRecord, process: Process, started: StartedProgram) -> Sequence[Fact]:
        behaviour = Exec(started.program, process.label)
        if not record.head.flags & _DENIED:
            image = (0, 0) if started.interpreted else (record.file.device, record.file.inode)
            process = self._executed(process, started.program.label, image)
        observation = self._observation(record.head, process, behaviour)
        draft = Draft(observation, started.want, started.script, os.fsdecode(record.cwd))
        self._remember(process, _Exec(draft, started, behaviour.parent, record.argv, record.cwd))
        return (draft,)

    def _remember(self, process: Process, last: _Exec) -> None:
        key = (process.pid, process.start)
        self._last_exec[key] = last
        self._last_exec.move_to_end(key)
        if len(self._last_exec) > _EXECS_KEPT:
            self._last_exec.popitem(last=False)

    def _image(self, record: ImageRecord) -> Sequence[Fact]:
        process = self._processes.of(record.head)
        last = self._last_exec.get((process.pid, process.start))
        if last and last.started.interpreted and not record.head.flags & _MISMATCH:
            return self._interpreter(record, process, last)
        return self._replaced(record, process, last)

    def _interpreter(self, record: ImageRecord, process: Process, last: _Exec) -> Sequence[Fact]:
        """The interpreter of a script, which until now was only the name in its first line."""
        program = replace(last.started.program, path=self._path(record.path))
        process = self._executed(process, process.label, (record.file.device, record.file.inode))
        observation = self._observation(record.head, process, Exec(program, last.parent))
        return (Draft(observation, _open_file(record), after=last.draft),)

    def _replaced(self, record: ImageRecord, process: Process, last: _Exec | None) -> Sequence[Fact]:
        """What runs is not what the exec named, or the record of that exec was lost."""
        parent = last.parent if last else process.label
        ran = self._programs.found(record, last.argv if last else (), last.cwd if last else b"/")
        claimed = last.started.program.path if last else "?"
        process = self._executed(process, ran.program.label, (record.file.device, record.file.inode))
        observation = self._observation(record.head, process, Exec(ran.program, parent))
        draft = Draft(observation, ran.want, ran.script, os.fsdecode(last.cwd if last else b"/"))
        if not record.head.flags & _MISMATCH:
            return (draft,)
        contradiction = Contradiction(claimed, ran.program.path, parent)
        return (self._draft(record.head, process, contradiction), draft)

    def _load(self, record: LoadRecord) -> Sequence[Fact]:
        process = self._processes.of(record.head)
        file = record.file
        if record.path.startswith(_SHARED_MEMORY):
            self._discard(record.fd)
            return (self._draft(record.head, process, CodeMemory(process.label)),)
        if (file.device, file.inode) == process.image:
            self._discard(record.fd)
            return ()
        path = self._path(record.path)
        changed = file.ctime_ns > self._began_ns
        surveyed = path in self._surveyor.libraries
        writer = "" if surveyed else self._writers.writer_of(record.path, changed_while_watched=changed)
        observation = self._observation(record.head, process, Load(path, "", process.label, writer))
        return (Draft(observation, _open_file(record)),)

    def _discard(self, fd: int) -> None:
        if fd != NO_FD:
            self._close(fd)

    # Files.

    def _open(self, record: OpenRecord) -> Sequence[Fact]:
        process = self._processes.of(record.head)
        wanted = accesses_of(self._call_name(record.call.nr, record.head), record.call.open_flags)
        if Access.WRITE in wanted and record.path:
            self._writers.wrote(record.path, process.label)
        return tuple(self._draft(record.head, process, behaviour) for behaviour in self._opens(record, process, wanted))

    def _opens(self, record: OpenRecord, process: Process, wanted: Sequence[Access]) -> Iterator[Open]:
        secret = self._watch_list.is_secret(record.path)
        for access in wanted if record.path else ():
            # A file that was not there was not read; scripts and the like are watched without being reported.
            read = access is Access.READ and record.call.inode and (secret or self._all_reads)
            if read or access is Access.WRITE:
                yield Open(self._path(record.path), access, process.label, secret)

    # Sockets.

    def _connect(self, head: Head, address: Address) -> Sequence[Fact]:
        datagram = self._call_name(address.nr, head) in _SENDS
        endpoint = destination_of(address, datagram=datagram)
        process = self._processes.of(head)
        if endpoint is None:
            return ()
        draft = self._draft(head, process, self._connected(endpoint, process))
        return (draft, *self._claim(address, endpoint, draft.observation, process))

    def _connected(self, endpoint: Endpoint, process: Process) -> Connect:
        return Connect(self._host(endpoint), endpoint.port, endpoint.protocol, process.label)

    def _host(self, endpoint: Endpoint) -> str:
        return self._generaliser.path(endpoint.host) if endpoint.protocol is Protocol.UNIX else endpoint.host

    def _claim(
        self, address: Address, endpoint: Endpoint, observation: Observation, process: Process
    ) -> Iterator[Claim]:
        if endpoint.protocol is Protocol.TCP and address.socket and endpoint.host:
            peer = Peer(endpoint.host, endpoint.port)
            yield Claim(address.socket, peer, observation.time, process.label, observation.ancestry)

    def _listen(self, head: Head, endpoint: Endpoint | None) -> Sequence[Fact]:
        process = self._processes.of(head)
        if endpoint is None:
            return ()
        behaviour = Listen(self._host(endpoint), endpoint.port, endpoint.protocol, process.label)
        return (self._draft(head, process, behaviour),)

    # Everything else.

    def _syscall(self, record: SyscallRecord) -> Sequence[Fact]:
        process = self._processes.of(record.head)
        name = call_name(self._machine, record.call.nr, record.call.arch)
        detail = " ".join(filter(None, (name.foreign, detail_of(name.name, record.call))))
        return (self._draft(record.head, process, Syscall(name.name, detail, process.label)),)

    def _call_name(self, nr: int, head: Head) -> str:
        return "" if head.flags & _FOREIGN else call_name(self._machine, nr).name


def _open_file(record: ImageRecord | LoadRecord) -> OpenFile:
    return OpenFile(record.fd, record.file, os.fsdecode(record.path))
