"""What inscope-init says, as frozen types: one per kind of message.

Everything here is a claim of the peer, validated for shape and bounds only. Paths and arguments stay bytes: they become
text in `sidecar.normalise`, at one place.
"""

from __future__ import annotations

from dataclasses import dataclass

from sidecar.observe.bodies import (
    Address,
    Call,
    Counters,
    Exit,
    FileStat,
    Head,
    HelloBody,
    ModeBody,
    OpenCall,
    Repeat,
    SurveyPart,
)

NO_FD = -1
"""The `fd` of a record that came without a descriptor."""


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
    """An open that matched a pattern (or any, at level `all`); `path` was made absolute by init.

    `real` is what the file is called where `path` leads to it by links, else empty.
    """

    head: Head
    call: OpenCall
    path: bytes
    real: bytes = b""


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


@dataclass(frozen=True, slots=True)
class RepeatedRecord:
    """Known acts that init only counted."""

    head: Head
    repeats: tuple[Repeat, ...]


@dataclass(frozen=True, slots=True)
class ModeIsRecord:
    """What init does about acts that are not known, from here on."""

    head: Head
    mode: ModeBody


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
    | RepeatedRecord
    | ModeIsRecord
)


def descriptor_of(record: Record) -> int:
    """The descriptor that came with a record, or `NO_FD`."""
    return record.fd if isinstance(record, FileRecord) else NO_FD
