"""What an ELF file says of itself, read with pyelftools from its program headers (section headers may be stripped).

Every file is hostile: counts are bounded here, time and memory by the process that calls this (`worker.py`). Nothing is
raised outward: what is not sound is `MALFORMED`.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import IO, Any, Literal

from elftools.elf.elffile import ELFFile

from inscope.binary import ELF_MAGIC, MALFORMED, MAX_NAME, MAX_NEEDED, NOT_ELF, ElfDescription, Linkage
from inscope.text import printable

MAX_SEGMENTS = 256
"""Program headers read; linkers write about a dozen."""

MAX_TAGS = 4096
"""Dynamic tags read."""

MAX_NOTE_BYTES = 64 << 10
"""Bytes of one note segment that are searched for the build-id."""

Order = Literal["little", "big"]

_DT_NULL, _DT_NEEDED, _DT_STRTAB, _DT_SONAME = 0, 1, 5, 14
_NT_GNU_BUILD_ID = 3
_NOTE_HEAD_WORDS = 3


class UnsoundElfError(Exception):
    """The file contradicts itself or the format."""


def describe(stream: IO[bytes]) -> ElfDescription:
    """Describe a seekable binary stream; the position is moved."""
    stream.seek(0)
    if stream.read(len(ELF_MAGIC)) != ELF_MAGIC:
        return NOT_ELF
    try:
        return _describe(stream)
    except Exception:  # pyelftools raises whatever the file provokes: construct, struct, type and value errors
        return MALFORMED


def _describe(stream: IO[bytes]) -> ElfDescription:
    stream.seek(0)
    elf = ELFFile(stream)
    if not 0 < elf.num_segments() <= MAX_SEGMENTS:
        raise UnsoundElfError(f"{elf.num_segments()} program headers")
    by_type = _segments(elf)
    dynamic = by_type.get("PT_DYNAMIC", [])
    tags = list(_tags(elf, dynamic[0])) if dynamic else []
    names = _Strings(stream, _string_table(by_type, tags))
    return ElfDescription(
        linkage=Linkage.DYNAMIC if dynamic else Linkage.STATIC,
        build_id=_build_id(stream, elf.little_endian, by_type.get("PT_NOTE", [])),
        soname=next((names.at(value) for tag, value in tags if tag == _DT_SONAME), ""),
        needed=tuple(names.at(value) for tag, value in islice(_only(tags, _DT_NEEDED), MAX_NEEDED)),
        interpreter=_interpreter(stream, by_type.get("PT_INTERP", [])),
    )


def _segments(elf: ELFFile) -> dict[str, list[Any]]:
    """Program headers by type name. Headers only: segment objects would read the section table."""
    found: dict[str, list[Any]] = {}
    for number in range(elf.num_segments()):
        header = elf._get_segment_header(number)
        found.setdefault(str(header["p_type"]), []).append(header)
    return found


def _tags(elf: ELFFile, header: Any) -> Iterator[tuple[int, int]]:
    """Pairs of tag and value of the dynamic segment, up to DT_NULL."""
    word = 8 if elf.elfclass == 64 else 4
    order = _order(elf.little_endian)
    raw = _bytes(elf.stream, header["p_offset"], min(header["p_filesz"], MAX_TAGS * 2 * word))
    for start in range(0, len(raw) - 2 * word + 1, 2 * word):
        tag = int.from_bytes(raw[start : start + word], order)
        if tag == _DT_NULL:
            return
        yield tag, int.from_bytes(raw[start + word : start + 2 * word], order)


def _only(tags: list[tuple[int, int]], wanted: int) -> Iterator[tuple[int, int]]:
    return (pair for pair in tags if pair[0] == wanted)


def _string_table(by_type: dict[str, list[Any]], tags: list[tuple[int, int]]) -> int | None:
    """The file offset of the dynamic string table, whose tag holds an address."""
    address = next((value for tag, value in tags if tag == _DT_STRTAB), None)
    if address is None:
        return None
    for header in by_type.get("PT_LOAD", []):
        if 0 <= address - header["p_vaddr"] < header["p_filesz"]:
            return int(header["p_offset"] + address - header["p_vaddr"])
    raise UnsoundElfError("the string table is in no segment")


class _Strings:
    """NUL-terminated names at offsets from a table's start."""

    def __init__(self, stream: IO[bytes], start: int | None) -> None:
        self._stream = stream
        self._start = start

    def at(self, offset: int) -> str:
        if self._start is None:
            raise UnsoundElfError("a name without a string table")
        return _text(_bytes(self._stream, self._start + offset, MAX_NAME + 1))


def _interpreter(stream: IO[bytes], headers: list[Any]) -> str:
    if not headers:
        return ""
    return _text(_bytes(stream, headers[0]["p_offset"], min(headers[0]["p_filesz"], MAX_NAME + 1)))


def _text(raw: bytes) -> str:
    name, ended, _ = raw.partition(b"\0")
    if not ended:
        raise UnsoundElfError("a name without an end")
    return printable(name)


def _bytes(stream: IO[bytes], offset: int, size: int) -> bytes:
    """Up to `size` bytes; an offset past the end is unsound."""
    stream.seek(offset)
    raw = stream.read(size)
    if size and not raw:
        raise UnsoundElfError(f"nothing at offset {offset}")
    return raw


def _build_id(stream: IO[bytes], little_endian: bool, headers: list[Any]) -> str:
    order = _order(little_endian)
    for header in headers[:MAX_SEGMENTS]:
        raw = _bytes(stream, header["p_offset"], min(header["p_filesz"], MAX_NOTE_BYTES))
        for kind, name, content in _notes(raw, order):
            if kind == _NT_GNU_BUILD_ID and name == b"GNU\0":
                return content[:64].hex()
    return ""


def _order(little_endian: bool) -> Order:
    return "little" if little_endian else "big"


def _notes(raw: bytes, order: Order) -> Iterator[tuple[int, bytes, bytes]]:
    """(type, name, content) of each note, all padded to four bytes; each step moves on by at least its head."""
    at = 0
    while at + 4 * _NOTE_HEAD_WORDS <= len(raw):
        sizes = [int.from_bytes(raw[at + 4 * word : at + 4 * word + 4], order) for word in range(_NOTE_HEAD_WORDS)]
        name_size, content_size, kind = sizes
        name_at = at + 4 * _NOTE_HEAD_WORDS
        content_at = name_at + -(-name_size // 4) * 4
        yield kind, raw[name_at : name_at + name_size], raw[content_at : content_at + content_size]
        at = content_at + -(-content_size // 4) * 4
