"""What a peer may send. Everything that crosses the wire is checked here before it becomes a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Never, TypeVar

MAX_TEXT = 8_192
"""Characters of one string: a 4,096-byte path with half of its bytes escaped still fits."""

MAX_ITEMS = 100_000
"""Elements of one repeated field."""

T = TypeVar("T")
W = TypeVar("W")
E = TypeVar("E", bound=StrEnum)


class CodecError(ValueError):
    """The peer sent something that is not a word of ours: its fault, and the text says where."""


def reject(field: str, why: str) -> Never:
    """Refuse the message for one field."""
    raise CodecError(f"{field}: {why}")


def text(value: str, field: str) -> str:
    """A bounded string without control characters (which would reach terminals and logs)."""
    if len(value) > MAX_TEXT:
        reject(field, f"{len(value)} characters, at most {MAX_TEXT}")
    if not value.isprintable():
        reject(field, "control characters")
    return value


def member(kind: type[E], value: str, field: str) -> E:
    """A member of a string enumeration."""
    try:
        return kind(value)
    except ValueError:
        reject(field, f"unknown value {value[:40]!r}")


def items(values: Sequence[W], convert: Callable[[W], T], field: str, most: int = MAX_ITEMS) -> tuple[T, ...]:
    """A bounded sequence, each element converted."""
    if len(values) > most:
        reject(field, f"{len(values)} elements, at most {most}")
    return tuple(convert(value) for value in values)


def sha256(value: bytes, field: str) -> str:
    """32 bytes as hex, or nothing where the content could not be read."""
    if len(value) not in (0, 32):
        reject(field, f"{len(value)} bytes, a sha256 has 32")
    return value.hex()


def port(value: int, field: str) -> int:
    """A port number, 0 where there is none."""
    if value > 65_535:
        reject(field, f"{value} is not a port")
    return value
