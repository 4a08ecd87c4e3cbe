"""A stream's text, unpacked where it is gzip: in pieces of a bounded size, whatever the ratio."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import BinaryIO

CHUNK = 256 << 10
"""Bytes read, and unpacked, at a time."""

_MAGIC = b"\x1f\x8b"
_GZIP = zlib.MAX_WBITS | 16


def text_of(stream: BinaryIO, skip: int, broken: Callable[[str], None]) -> Iterator[bytes]:
    """The text from byte `skip` on. Where the gzip stream is cut off or damaged, `broken` is told why, and what came
    before is kept. Members that follow one another are one text.
    """
    head = stream.read(len(_MAGIC))
    while 0 < len(head) < len(_MAGIC) and (more := stream.read(1)):
        head += more
    chunks = _unpacked(stream, head, broken) if head == _MAGIC else _plain(stream, head)
    for chunk in chunks:
        if skip >= len(chunk):
            skip -= len(chunk)
        else:
            yield chunk[skip:]
            skip = 0


def _plain(stream: BinaryIO, head: bytes) -> Iterator[bytes]:
    if head:
        yield head
    while chunk := stream.read(CHUNK):
        yield chunk


def _unpacked(stream: BinaryIO, packed: bytes, broken: Callable[[str], None]) -> Iterator[bytes]:
    member, begun = zlib.decompressobj(_GZIP), False
    while True:
        before = member.copy()
        try:
            text = member.decompress(packed, CHUNK)
        except zlib.error:
            yield from _until_damage(before, packed)
            broken("gzip that is damaged" if begun else "text behind the end of a gzip stream")
            return
        begun = begun or bool(packed)
        if text:
            yield text
        packed = member.unconsumed_tail
        if member.eof:
            packed = member.unused_data.lstrip(b"\0") or stream.read(CHUNK).lstrip(b"\0")
            if not packed:
                return
            member, begun = zlib.decompressobj(_GZIP), False
        elif not packed and len(text) < CHUNK:
            packed = stream.read(CHUNK)
            if not packed:
                broken("gzip that is cut off")
                return


def _until_damage(member: zlib._Decompress, packed: bytes) -> Iterator[bytes]:
    """Byte by byte: what is unpacked together with the damage is lost with it."""
    try:
        for at in range(len(packed)):
            if text := member.decompress(packed[at : at + 1]):
                yield text
    except zlib.error:
        return
