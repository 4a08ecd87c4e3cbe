"""The fixed parts of messages: frozen types that mirror the structs of protocol.h, field by field.

`forms.py` refuses to be imported where a field is missing here, or has another name.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Head:
    """`struct inscope_head` without its framing. `time_ns` is CLOCK_BOOTTIME, `start` clock ticks since boot.

    `key` stands for the act, to init: see `known_acts.py`. 0: it is one that init tells each time.
    `ask` is not 0 where the caller is held for a verdict on it.
    """

    flags: int
    lost: int
    time_ns: int
    start: int
    pid: int
    tid: int
    ppid: int
    key: int = 0
    ask: int = 0


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
    expired: int


@dataclass(frozen=True, slots=True)
class ModeBody:
    """`struct inscope_mode`: what init does about acts that are not known, since which of our messages."""

    stance: int
    generation: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """`struct inscope_repeated`: how many repeats follow."""

    count: int


@dataclass(frozen=True, slots=True)
class Repeat:
    """`struct inscope_repeat`: a known act was done again so many times."""

    key: int
    times: int


@dataclass(frozen=True, slots=True)
class SurveyPart:
    """`struct inscope_survey`: some members of one kind; `last` and `complete` are 0 or 1."""

    survey: int
    last: int
    complete: int
    count: int
