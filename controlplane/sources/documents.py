"""Big JSON files as a stream of records: lines, arrays, or one object around a list; plain or gzip, whole or cut short.

Memory is bounded whatever the file: a record larger than `MAX_RECORD` is counted and passed over.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

import ijson
import msgspec

MAX_RECORD = 4 << 20
"""Bytes of one record: an API server's largest object is 1.5 MiB, and an audit event may hold two."""

WHOLE = 32 << 20
"""Bytes of a document that is read at once."""

_HEAD = 64 << 10
_CHUNK = 256 << 10
_GZIP = b"\x1f\x8b"

LISTS = ("items", "Records", "records", "logEvents", "events", "Events", "entries")
"""The keys of the documents that hold a list of records: see the sources for whose each is."""


@dataclass(slots=True)
class Faults:
    """What could not be read: records that are no JSON or too large, and whether the file ends in the midst."""

    malformed: int = 0
    cut: bool = False


class _Raw(io.RawIOBase):
    """Any binary stream, so that one can look ahead in it."""

    def __init__(self, source: BinaryIO) -> None:
        self._source = source

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]  # as io.RawIOBase has it
        piece = self._source.read(len(into))
        into[: len(piece)] = piece
        return len(piece)


class _Inflated(io.RawIOBase):
    """A gzip file, also of several members. Where it is cut short all that can be read is read, and it is said."""

    def __init__(self, source: io.BufferedReader, faults: Faults) -> None:
        self._source, self._faults = source, faults
        self._inflate = zlib.decompressobj(wbits=31)
        self._pending = b""
        self._ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, into: memoryview) -> int:  # type: ignore[override]  # as io.RawIOBase has it
        while not self._ended:
            piece = self._next(len(into))
            if piece:
                into[: len(piece)] = piece
                return len(piece)
        return 0

    def _next(self, most: int) -> bytes:
        if self._inflate.eof:  # the next member, if there is one
            self._pending = self._inflate.unused_data or self._source.read(_CHUNK)
            self._inflate = zlib.decompressobj(wbits=31)
            if not self._pending.strip(b"\0"):
                self._ended = True
                return b""
        data = self._pending or self._source.read(_CHUNK)
        if not data:
            self._ended = self._faults.cut = True
            return b""
        try:
            piece = self._inflate.decompress(data, most)
        except zlib.error:
            self._ended = self._faults.cut = True
            return b""
        self._pending = self._inflate.unconsumed_tail
        return piece


def records(source: BinaryIO, faults: Faults) -> Iterator[bytes]:
    """Each record as JSON text. `faults` is filled while they are read."""
    stream = _opened(source, faults)
    head = stream.peek(_HEAD)[:_HEAD].lstrip(b"\xef\xbb\xbf \t\r\n")
    prefix = _list_in(head)
    yield from _lines(stream, faults) if prefix is None else _elements(stream, prefix, faults)


def _opened(source: BinaryIO, faults: Faults) -> io.BufferedReader:
    plain: io.BufferedReader = io.BufferedReader(_Raw(source), _HEAD)
    if plain.peek(2)[:2] == _GZIP:
        return io.BufferedReader(_Inflated(plain, faults), _HEAD)
    return plain


def _list_in(head: bytes) -> str | None:
    """Where the list is in a document that is one; None where each line is a record of its own."""
    if head.startswith(b"["):
        return "item"
    if not head.startswith(b"{"):
        return None
    first_line = head.split(b"\n", 1)[0]
    whole_line = len(first_line) < len(head) or len(head) < _HEAD
    if whole_line and len(first_line) > 2 and _is_json(first_line) and not _only_line(head, first_line):
        return None
    depth_one = [(head.find(f'"{name}"'.encode()), name) for name in LISTS]
    found = sorted((at, name) for at, name in depth_one if at >= 0)
    return f"{found[0][1]}.item" if found else None


def _only_line(head: bytes, first_line: bytes) -> bool:
    return not head[len(first_line) :].strip()


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return False
    return True


def _lines(stream: io.BufferedReader, faults: Faults) -> Iterator[bytes]:
    while line := stream.readline(MAX_RECORD + 1):
        if len(line) > MAX_RECORD:
            faults.malformed += 1
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_RECORD)
            continue
        line = line.strip(b"\xef\xbb\xbf \t\r\n")
        if line:
            yield line


def _elements(stream: io.BufferedReader, prefix: str, faults: Faults) -> Iterator[bytes]:
    """A document that fits in memory is read at once, which is three times as fast; a larger one piece by piece."""
    head = stream.read(WHOLE)
    whole = _all_of(head, prefix.rpartition(".")[0]) if len(head) < WHOLE else None
    if whole is None:
        yield from _one_by_one(_Joined(head, stream), prefix, faults)
        return
    for element in whole:
        if len(bytes(element)) > MAX_RECORD:
            faults.malformed += 1
        else:
            yield bytes(element)


def _all_of(document: bytes, name: str) -> list[msgspec.Raw] | None:
    """The list called `name` in it, or that it is; None where it is not whole."""
    try:
        text = msgspec.json.decode(document, type=dict[str, msgspec.Raw])[name] if name else document
        return msgspec.json.decode(text, type=list[msgspec.Raw])
    except (msgspec.DecodeError, KeyError, RecursionError, UnicodeDecodeError):
        return None


class _Joined:
    """What was read already, then the rest."""

    def __init__(self, head: bytes, rest: io.BufferedReader) -> None:
        self._head, self._rest = io.BytesIO(head), rest

    def read(self, size: int = -1) -> bytes:
        return self._head.read(size) or self._rest.read(size)


def _one_by_one(stream: _Joined, prefix: str, faults: Faults) -> Iterator[bytes]:
    try:
        for element in ijson.items(stream, prefix, use_float=True):
            text = msgspec.json.encode(element)
            if len(text) > MAX_RECORD:
                faults.malformed += 1
            else:
                yield text
    except (ijson.JSONError, UnicodeDecodeError, RecursionError, OverflowError):
        faults.cut = True
