"""What inscope-init says, as frozen types: one per kind of message, with bodies that mirror the structs of protocol.h.

Everything here is a claim of the peer, validated for shape and bounds only. Paths and arguments stay bytes: they become
text in `sidecar.normalise`, at one place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, IntFlag

from sidecar.observe.header import HEADER

_KIND = HEADER.enums["kind"]
_FLAG = HEADER.enums["flag"]
_LEVEL = HEADER.enums["level"]
_SURVEY = HEADER.enums["survey_kind"]


class Kind(IntEnum):
    """`enum inscope_kind`: what a message is."""

    HELLO = _KIND["HELLO"]
    WELCOME = _KIND["WELCOME"]
    REFUSED = _KIND["REFUSED"]
    PATTERNS = _KIND["PATTERNS"]
    EXEC = _KIND["EXEC"]
    IMAGE = _KIND["IMAGE"]
    LOAD = _KIND["LOAD"]
    CODE_MEMORY = _KIND["CODE_MEMORY"]
    OPEN = _KIND["OPEN"]
    CONNECT = _KIND["CONNECT"]
    BIND = _KIND["BIND"]
    LISTEN = _KIND["LISTEN"]
    SYSCALL = _KIND["SYSCALL"]
    EXIT = _KIND["EXIT"]
    COUNTERS = _KIND["COUNTERS"]
    SURVEY = _KIND["SURVEY"]
    BYE = _KIND["BYE"]
    PROCESS = _KIND["PROCESS"]


class Flag(IntFlag):
    """`enum inscope_flag`: what holds for a message besides its kind."""

    HAS_FD = _FLAG["HAS_FD"]
    TRUNCATED = _FLAG["TRUNCATED"]
    UNREADABLE = _FLAG["UNREADABLE"]
    DENIED = _FLAG["DENIED"]
    MISMATCH = _FLAG["MISMATCH"]
    FOREIGN = _FLAG["FOREIGN"]


class Level(IntEnum):
    """`enum inscope_level`: how many opens init reports."""

    OFF = _LEVEL["OFF"]
    WATCHED = _LEVEL["WATCHED"]
    ALL = _LEVEL["ALL"]


class SurveyKind(IntEnum):
    """`enum inscope_survey_kind`: what a SURVEY message lists."""

    EXECUTABLES = _SURVEY["SURVEY_EXECUTABLES"]
    LIBRARIES = _SURVEY["SURVEY_LIBRARIES"]
    SECRETS = _SURVEY["SURVEY_SECRETS"]
    WRITABLE_CODE = _SURVEY["SURVEY_WRITABLE_CODE"]
    EGRESS = _SURVEY["SURVEY_EGRESS"]
    PORTS = _SURVEY["SURVEY_PORTS"]
    SYSCALLS = _SURVEY["SURVEY_SYSCALLS"]


NO_FD = -1
"""The `fd` of a record that came without a descriptor."""


@dataclass(frozen=True, slots=True)
class Head:
    """`struct inscope_head` without its framing. `time_ns` is CLOCK_BOOTTIME, `start` clock ticks since boot."""

    flags: int
    lost: int
    time_ns: int
    start: int
    pid: int
    tid: int
    ppid: int


@dataclass(frozen=True, slots=True)
class HelloBody:
    """`struct inscope_hello`. `realtime_ns` minus the head's `time_ns` is the wall clock's offset, in nanoseconds."""

    magic: int
    version: int
    machine: int
    mechanisms: int
    pid: int
    agent: int
    uid: int
    reads: int
    writes: int
    realtime_ns: int
    secret: bytes


@dataclass(frozen=True, slots=True)
class FileStat:
    """`struct inscope_file`: which file, in which state. All zero where it could not be opened."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int
    mode: int
    owner: int
    nr: int
    argc: int
    writable: int

    @property
    def state(self) -> tuple[int, int, int, int, int]:
        """What a hash of the content may be remembered under, while the workload cannot write the file."""
        return (self.device, self.inode, self.size, self.mtime_ns, self.ctime_ns)


@dataclass(frozen=True, slots=True)
class Call:
    """`struct inscope_call`. `error` is what init answered: 0 or a positive errno."""

    nr: int
    arch: int
    args0: int
    args1: int
    args2: int
    args3: int
    args4: int
    args5: int
    error: int

    @property
    def args(self) -> tuple[int, int, int, int, int, int]:
        """The six argument registers; pointers among them mean nothing here."""
        return (self.args0, self.args1, self.args2, self.args3, self.args4, self.args5)


@dataclass(frozen=True, slots=True)
class OpenCall:
    """`struct inscope_open`. `inode` is 0 where the path did not exist yet."""

    nr: int
    open_flags: int
    device: int
    inode: int


@dataclass(frozen=True, slots=True)
class Address:
    """`struct inscope_address`. `address` holds `length` meaningful bytes, already cut to that length."""

    nr: int
    descriptor: int
    socket: int
    family: int
    type: int
    protocol: int
    port: int
    length: int
    address: bytes


@dataclass(frozen=True, slots=True)
class Exit:
    """`struct inscope_exit`: a status as wait(2) gives it."""

    status: int


@dataclass(frozen=True, slots=True)
class Counters:
    """`struct inscope_counters`: cumulative for the life of init."""

    traps: int
    records: int
    lost_queue: int
    lost_away: int
    unreadable: int
    opens: int
    repeats: int
    gone: int
    busy: int
    undumpable: int


@dataclass(frozen=True, slots=True)
class SurveyPart:
    """`struct inscope_survey`: some members of one kind; `last` and `complete` are 0 or 1."""

    survey: int
    last: int
    complete: int
    count: int


@dataclass(frozen=True, slots=True)
class HelloRecord:
    """The first message of a connection: who init is and what it wraps."""

    head: Head
    body: HelloBody
    init_version: bytes
    cwd: bytes
    path: bytes
    command: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ExecRecord:
    """A program is about to be executed. Whoever holds the record owns `fd`."""

    head: Head
    file: FileStat
    path: bytes
    cwd: bytes
    argv: tuple[bytes, ...]
    fd: int


@dataclass(frozen=True, slots=True)
class ImageRecord:
    """What really runs after an exec, from /proc/PID/exe. Whoever holds the record owns `fd`."""

    head: Head
    file: FileStat
    path: bytes
    fd: int


@dataclass(frozen=True, slots=True)
class LoadRecord:
    """A file is mapped, or made, executable. Whoever holds the record owns `fd`."""

    head: Head
    file: FileStat
    path: bytes
    fd: int


@dataclass(frozen=True, slots=True)
class CodeMemoryRecord:
    """Executable memory without a file."""

    head: Head
    call: Call


@dataclass(frozen=True, slots=True)
class OpenRecord:
    """An open that matched a pattern (or any, at level `all`); `path` was made absolute by init."""

    head: Head
    call: OpenCall
    path: bytes


@dataclass(frozen=True, slots=True)
class ConnectRecord:
    """A connect, or a send that carries an address."""

    head: Head
    address: Address


@dataclass(frozen=True, slots=True)
class BindRecord:
    """A socket is given its own address."""

    head: Head
    address: Address


@dataclass(frozen=True, slots=True)
class ListenRecord:
    """A socket starts to accept; the address is the one it was bound to."""

    head: Head
    address: Address


@dataclass(frozen=True, slots=True)
class SyscallRecord:
    """Any other trapped call."""

    head: Head
    call: Call


@dataclass(frozen=True, slots=True)
class ExitRecord:
    """A process that init reaped."""

    head: Head
    exit: Exit


@dataclass(frozen=True, slots=True)
class CountersRecord:
    """How much init saw and lost so far."""

    head: Head
    counters: Counters


@dataclass(frozen=True, slots=True)
class SurveyRecord:
    """A part of what the container holds."""

    head: Head
    part: SurveyPart
    members: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class ByeRecord:
    """The agent has ended; nothing follows."""

    head: Head
    exit: Exit


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """A process that others descend from, met before any call of its own. `path` is what /proc/PID/exe says."""

    head: Head
    file: FileStat
    path: bytes


FileRecord = ExecRecord | ImageRecord | LoadRecord
Record = (
    HelloRecord
    | FileRecord
    | CodeMemoryRecord
    | OpenRecord
    | ConnectRecord
    | BindRecord
    | ListenRecord
    | SyscallRecord
    | ExitRecord
    | CountersRecord
    | SurveyRecord
    | ByeRecord
    | ProcessRecord
)


def descriptor_of(record: Record) -> int:
    """The descriptor that came with a record, or `NO_FD`."""
    return record.fd if isinstance(record, FileRecord) else NO_FD
