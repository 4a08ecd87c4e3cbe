"""Packets of inscope-init to records and back. The peer is hostile: whatever it sends becomes records or one error."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import Any

from sidecar.observe.header import HEADER, HeaderError, Layout
from sidecar.observe.records import (
    NO_FD,
    Address,
    BindRecord,
    ByeRecord,
    Call,
    CodeMemoryRecord,
    ConnectRecord,
    Counters,
    CountersRecord,
    ExecRecord,
    Exit,
    ExitRecord,
    FileStat,
    Flag,
    Head,
    HelloBody,
    HelloRecord,
    ImageRecord,
    Kind,
    ListenRecord,
    LoadRecord,
    OpenCall,
    OpenRecord,
    ProcessRecord,
    Record,
    SurveyPart,
    SurveyRecord,
    SyscallRecord,
)

PROTOCOL_VERSION = HEADER.constants["PROTOCOL_VERSION"]
MAGIC = HEADER.constants["MAGIC"]
PACKET_MAX = HEADER.constants["PACKET_MAX"]
FDS_MAX = HEADER.constants["FDS_MAX"]
ARGV_ITEMS_MAX = HEADER.constants["ARGV_ITEMS_MAX"]

_HEAD = HEADER.structs["head"].codec
_LENGTH = struct.Struct("=H")
_MAGIC_AND_VERSION = struct.Struct("=IH")
_KNOWN_FLAGS = sum(Flag)
_HAS_FD = int(Flag.HAS_FD)


class MalformedPacketError(Exception):
    """The peer sent bytes that are not the protocol: `reason` at byte `offset` of the packet. The peer is at fault."""

    def __init__(self, reason: str, offset: int) -> None:
        super().__init__(f"malformed packet from init at byte {offset}: {reason}")
        self.reason = reason
        self.offset = offset


class ProtocolVersionError(MalformedPacketError):
    """The peer speaks another version: init and sidecar come from different builds."""

    def __init__(self, version: int, offset: int) -> None:
        super().__init__(f"protocol version {version}, this sidecar speaks {PROTOCOL_VERSION}", offset)
        self.version = version


class OversizedPacketError(ValueError):
    """What we wanted to send does not fit into a packet: we are at fault."""


_Strings = list[bytes]
_Build = Callable[[Head, Any, _Strings, int], Record]


class _Form:
    """How one kind is decoded: its body's struct, the type of that body, and how body and strings become a record."""

    __slots__ = ("body", "build", "codec")

    def __init__(self, struct_name: str, body: type[Any], build: _Build) -> None:
        layout = HEADER.structs[struct_name]
        _require_same_fields(layout, body)
        self.codec = layout.codec
        self.body = body
        self.build = build


def _require_same_fields(layout: Layout, body: type[Any], framing: int = 0) -> None:
    names = tuple(field.name for field in fields(body))
    if names != layout.fields[framing:]:
        raise HeaderError(f"struct inscope_{layout.name} has {layout.fields[framing:]}, {body.__name__} has {names}")


_require_same_fields(HEADER.structs["head"], Head, framing=2)


class _ShapeError(Exception):
    """Body and strings of a message do not go together; becomes a MalformedPacketError with the offset."""


def _hello(head: Head, body: HelloBody, strings: _Strings, _: int) -> HelloRecord:
    if len(strings) < 3:
        raise _ShapeError("HELLO with fewer than three strings")
    return HelloRecord(head, body, strings[0], strings[1], strings[2], tuple(strings[3:]))


def _exec(head: Head, file: FileStat, strings: _Strings, fd: int) -> ExecRecord:
    if len(strings) != 2 + file.argc or file.argc > ARGV_ITEMS_MAX:
        raise _ShapeError(f"EXEC of {file.argc} arguments with {len(strings)} strings")
    return ExecRecord(head, file, strings[0], strings[1], tuple(strings[2:]), fd)


def _image(head: Head, file: FileStat, strings: _Strings, fd: int) -> ImageRecord:
    return ImageRecord(head, file, _only(strings), fd)


def _load(head: Head, file: FileStat, strings: _Strings, fd: int) -> LoadRecord:
    return LoadRecord(head, file, _only(strings), fd)


def _process(head: Head, file: FileStat, strings: _Strings, fd: int) -> ProcessRecord:
    _without_fd(fd)
    return ProcessRecord(head, file, _only(strings))


def _open(head: Head, call: OpenCall, strings: _Strings, fd: int) -> OpenRecord:
    _without_fd(fd)
    return OpenRecord(head, call, _only(strings))


def _survey(head: Head, part: SurveyPart, strings: _Strings, fd: int) -> SurveyRecord:
    _without_fd(fd)
    if len(strings) != part.count:
        raise _ShapeError(f"SURVEY of {part.count} members with {len(strings)} strings")
    return SurveyRecord(head, part, tuple(strings))


def _addressed(
    record: type[ConnectRecord] | type[BindRecord] | type[ListenRecord],
) -> Callable[[Head, Address, _Strings, int], Record]:
    def build(head: Head, body: Address, strings: _Strings, fd: int) -> Record:
        _bare(strings, fd)
        if body.length > len(body.address):
            raise _ShapeError(f"an address of {body.length} bytes")
        return record(head, _cut(body))

    return build


def _cut(body: Address) -> Address:
    return Address(
        body.nr,
        body.descriptor,
        body.socket,
        body.family,
        body.type,
        body.protocol,
        body.port,
        body.length,
        body.address[: body.length],
    )


def _plain(record: Callable[[Head, Any], Record]) -> _Build:
    def build(head: Head, body: Any, strings: _Strings, fd: int) -> Record:
        _bare(strings, fd)
        return record(head, body)

    return build


def _only(strings: _Strings) -> bytes:
    if len(strings) != 1:
        raise _ShapeError(f"{len(strings)} strings where there must be one")
    return strings[0]


def _bare(strings: _Strings, fd: int) -> None:
    _without_fd(fd)
    if strings:
        raise _ShapeError("strings where there must be none")


def _without_fd(fd: int) -> None:
    if fd != NO_FD:
        raise _ShapeError("a descriptor where there must be none")


_FORMS: dict[int, _Form] = {
    Kind.HELLO: _Form("hello", HelloBody, _hello),
    Kind.EXEC: _Form("file", FileStat, _exec),
    Kind.IMAGE: _Form("file", FileStat, _image),
    Kind.LOAD: _Form("file", FileStat, _load),
    Kind.CODE_MEMORY: _Form("call", Call, _plain(CodeMemoryRecord)),
    Kind.OPEN: _Form("open", OpenCall, _open),
    Kind.CONNECT: _Form("address", Address, _addressed(ConnectRecord)),
    Kind.BIND: _Form("address", Address, _addressed(BindRecord)),
    Kind.LISTEN: _Form("address", Address, _addressed(ListenRecord)),
    Kind.SYSCALL: _Form("call", Call, _plain(SyscallRecord)),
    Kind.EXIT: _Form("exit", Exit, _plain(ExitRecord)),
    Kind.COUNTERS: _Form("counters", Counters, _plain(CountersRecord)),
    Kind.SURVEY: _Form("survey", SurveyPart, _survey),
    Kind.BYE: _Form("exit", Exit, _plain(ByeRecord)),
    Kind.PROCESS: _Form("file", FileStat, _process),
}


def decode(data: bytes, fds: Sequence[int] = (), *, fds_cut: bool = False) -> list[Record]:
    """The records of one packet, in order. On success each descriptor of `fds` belongs to exactly one record.

    With `fds_cut` the kernel could not deliver all descriptors (ours ran out): the records without get `NO_FD`.
    When it raises, the descriptors still belong to the caller.

    Raises:
        ProtocolVersionError: a HELLO of another version, whatever else is in it.
        MalformedPacketError: anything else that protocol.h does not allow init to send.
    """
    records: list[Record] = []
    descriptors = iter(fds)
    offset, end = 0, len(data)
    while offset < end:
        record, offset = _decode_one(data, offset, end, descriptors, fds_cut)
        records.append(record)
    if not records:
        raise MalformedPacketError("an empty packet", 0)
    if next(descriptors, None) is not None:
        raise MalformedPacketError("more descriptors than messages that carry one", end)
    return records


def _decode_one(data: bytes, offset: int, end: int, descriptors: Iterator[int], fds_cut: bool) -> tuple[Record, int]:
    if end - offset < _HEAD.size:
        raise MalformedPacketError("a cut head", offset)
    size, kind, flags, *rest = _HEAD.unpack_from(data, offset)
    stop = offset + size
    form = _FORMS.get(kind)
    if form is None:
        raise MalformedPacketError(f"kind {kind} is not init's to send", offset)
    if kind == Kind.HELLO:
        _require_version(data, offset + _HEAD.size)
    body_at = offset + _HEAD.size
    tail_at = body_at + form.codec.size
    if stop > end or tail_at > stop:
        raise MalformedPacketError(f"size {size} does not fit its body or the packet", offset)
    if flags & ~_KNOWN_FLAGS:
        raise MalformedPacketError(f"unknown flags {flags:#x}", offset)
    fd = _next_fd(descriptors, fds_cut, offset) if flags & _HAS_FD else NO_FD
    strings = _strings(data, tail_at, stop) if tail_at < stop else []
    try:
        body = form.body(*form.codec.unpack_from(data, body_at))
        return form.build(Head(flags, *rest), body, strings, fd), stop
    except _ShapeError as error:
        raise MalformedPacketError(str(error), offset) from None


def _require_version(data: bytes, offset: int) -> None:
    # Magic and version lead the body in every version, so that a stranger can be told why it is refused.
    if len(data) - offset < _MAGIC_AND_VERSION.size:
        raise MalformedPacketError("a cut HELLO", offset)
    magic, version = _MAGIC_AND_VERSION.unpack_from(data, offset)
    if magic != MAGIC:
        raise MalformedPacketError(f"magic {magic:#x}", offset)
    if version != PROTOCOL_VERSION:
        raise ProtocolVersionError(version, offset)


def _next_fd(descriptors: Iterator[int], fds_cut: bool, offset: int) -> int:
    fd = next(descriptors, None)
    if fd is not None:
        return fd
    if fds_cut:
        return NO_FD
    raise MalformedPacketError("a message without the descriptor it announces", offset)


def _strings(data: bytes, offset: int, stop: int) -> _Strings:
    strings: _Strings = []
    while offset < stop:
        start = offset + _LENGTH.size
        if start > stop:
            raise MalformedPacketError("a cut string length", offset)
        offset = start + _LENGTH.unpack_from(data, offset)[0]
        if offset > stop:
            raise MalformedPacketError("a string longer than its message", start)
        text = data[start:offset]
        if b"\0" in text:
            raise MalformedPacketError("a NUL in a string", start)
        strings.append(text)
    return strings


def encode_welcome(*, survey: bool) -> bytes:
    """The answer to an accepted HELLO; `survey` asks init to list what the container holds."""
    return _message(Kind.WELCOME, HEADER.structs["welcome"].codec.pack(MAGIC, PROTOCOL_VERSION, int(survey)))


def encode_refused(reason: str) -> bytes:
    """The answer to a HELLO that is not accepted; `reason` is for people."""
    return _message(Kind.REFUSED, strings=[reason.encode("ascii", "backslashreplace")[:1000]])


def encode_patterns(patterns: Sequence[bytes]) -> bytes:
    """The watch list, each pattern led by its `enum inscope_match` byte; replaces the whole list.

    Raises:
        OversizedPacketError: the list does not fit into one packet.
    """
    body = HEADER.structs["patterns"].codec.pack(len(patterns))
    return _message(Kind.PATTERNS, body, patterns)


def _message(kind: Kind, body: bytes = b"", strings: Sequence[bytes] = ()) -> bytes:
    tail = b"".join(_LENGTH.pack(len(text)) + text for text in strings)
    size = _HEAD.size + len(body) + len(tail)
    if size > PACKET_MAX:
        raise OversizedPacketError(f"{kind.name} of {size} bytes; a packet holds {PACKET_MAX}")
    return _HEAD.pack(size, kind, *[0] * (len(HEADER.structs["head"].fields) - 2)) + body + tail
