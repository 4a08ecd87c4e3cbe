"""Reads `sidecar/init/protocol.h` and `syscalls.def`: the C headers are the one source of the protocol.

The header keeps to a small dialect (explicit enum values, fixed-width fields, packed structs) so that three regular
expressions read all of it; anything outside that dialect is an error at import, not a wrong number later.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

INIT_FOLDER = Path(__file__).parent.parent / "init"

_COMMENT = re.compile(r"/\*.*?\*/", re.DOTALL)
_DEFINE = re.compile(r"^#define\s+INSCOPE_(\w+)\s+(0x[0-9a-fA-F]+|\d+)\s*$", re.MULTILINE)
_ENUM = re.compile(r"enum\s+inscope_(\w+)\s*\{([^}]*)\}")
_ENUMERATOR = re.compile(r"INSCOPE_(\w+)\s*=\s*(\d+)")
_STRUCT = re.compile(r"struct\s+inscope_(\w+)\s*\{([^}]*)\}")
_FIELD = re.compile(r"(\w+)\s+(\w+)(?:\[(\d+)\])?")
_TRAP = re.compile(r"^TRAP\((\w+),\s*(\w+),\s*[^,]+,\s*[^,]+,\s*(\w+)\)", re.MULTILINE)

_FORMATS = {
    "uint8_t": "B",
    "char": "s",
    "uint16_t": "H",
    "uint32_t": "I",
    "uint64_t": "Q",
    "int32_t": "i",
    "int64_t": "q",
}


class HeaderError(Exception):
    """protocol.h or syscalls.def left its dialect, or the Python side no longer matches it: the build is at fault."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One packed, native-endian C struct. `fields` keeps the order; arrays other than bytes have a slot per item."""

    name: str
    fields: tuple[str, ...]
    codec: struct.Struct


@dataclass(frozen=True, slots=True)
class Header:
    """What protocol.h says, without the `INSCOPE_` prefix."""

    constants: Mapping[str, int]
    enums: Mapping[str, Mapping[str, int]]
    structs: Mapping[str, Layout]


@dataclass(frozen=True, slots=True)
class Trap:
    """One line of syscalls.def that Python cares about: the call, when it is notified, what it is decoded as."""

    call: str
    filter: str
    decoder: str


def parse_header(text: str) -> Header:
    """Read a header in the dialect that protocol.h describes.

    Raises:
        HeaderError: a field type is not of the dialect.
    """
    text = _COMMENT.sub("", text)
    return Header(
        constants={name: int(value, 0) for name, value in _DEFINE.findall(text)},
        enums={
            name: {item: int(value) for item, value in _ENUMERATOR.findall(body)} for name, body in _ENUM.findall(text)
        },
        structs={name: _layout(name, body) for name, body in _STRUCT.findall(text)},
    )


def parse_traps(text: str) -> tuple[Trap, ...]:
    """Read the lines of syscalls.def, in their order."""
    return tuple(Trap(*found) for found in _TRAP.findall(text))


def _layout(name: str, body: str) -> Layout:
    fields: list[str] = []
    form = "="
    for line in filter(None, (part.strip() for part in body.split(";"))):
        match = _FIELD.fullmatch(line)
        if match is None or match[1] not in _FORMATS:
            raise HeaderError(f"struct inscope_{name}: cannot read the field {line!r}")
        form += _field_format(match[1], match[3])
        fields += _field_names(match[1], match[2], match[3])
    return Layout(name, tuple(fields), struct.Struct(form))


def _is_bytes(kind: str, count: str | None) -> bool:
    return count is not None and _FORMATS[kind] in "Bs"


def _field_format(kind: str, count: str | None) -> str:
    return f"{count}s" if _is_bytes(kind, count) else f"{count or ''}{_FORMATS[kind]}"


def _field_names(kind: str, name: str, count: str | None) -> list[str]:
    if count is None or _is_bytes(kind, count):
        return [name]
    return [f"{name}{index}" for index in range(int(count))]


HEADER = parse_header((INIT_FOLDER / "protocol.h").read_text())
TRAPS = parse_traps((INIT_FOLDER / "syscalls.def").read_text())
