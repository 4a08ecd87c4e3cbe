"""What init needs of the kernel to prevent anything: without one of these, enforce would be a promise nobody keeps."""

from __future__ import annotations

from inscope.mechanism import lacking
from sidecar.observe.header import HEADER

_BITS = HEADER.enums["mechanism"]


def why_not_enforce(mechanisms: int) -> str:
    """What is lacking, by the bits of a HELLO; empty where enforce holds."""
    return "; ".join(need.lack for need in lacking(named(mechanisms)))


def named(mechanisms: int) -> frozenset[str]:
    """The names, as `inscope-init --check` prints them, of the mechanisms whose bits are set."""
    return frozenset(_name(bit) for bit, value in _BITS.items() if mechanisms & value)


def _name(bit: str) -> str:
    return bit.removeprefix("M_").lower().replace("_", "-")
