"""Packets of inscope-init to records. The peer is hostile: whatever it sends becomes records or one error."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from sidecar.observe.bodies import Head
from sidecar.observe.forms import FORMS, Entries, ShapeError, Strings
from sidecar.observe.header import HEADER
from sidecar.observe.kinds import Flag, Kind
from sidecar.observe.protocol import MAGIC, PROTOCOL_VERSION, MalformedPacketError, ProtocolVersionError
from sidecar.observe.records import NO_FD, Record

_HEAD = HEADER.structs["head"].codec
_LENGTH = struct.Struct("=H")
_MAGIC_AND_VERSION = struct.Struct("=IH")
_KNOWN_FLAGS = sum(Flag)
_HAS_FD = int(Flag.HAS_FD)


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
    form = FORMS.get(kind)
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
    tail = _entries(form.entries, data, tail_at, stop) if form.entries else _strings(data, tail_at, stop)
    try:
        body = form.body(*form.codec.unpack_from(data, body_at))
        return form.build(Head(flags, *rest), body, tail, fd), stop
    except ShapeError as error:
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


def _entries(codec: struct.Struct, data: bytes, offset: int, stop: int) -> Entries:
    if (stop - offset) % codec.size:
        raise MalformedPacketError("a cut entry", offset)
    return list(codec.iter_unpack(data[offset:stop]))


def _strings(data: bytes, offset: int, stop: int) -> Strings:
    strings: Strings = []
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
