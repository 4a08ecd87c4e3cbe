"""What both ends of a sidecar's stream must agree on: the protocol's number, columns of little-endian uint32, and
what is said of a reference's life and effect."""

from __future__ import annotations

import sys
from array import array

from inscope.codec.bounds import MAX_ITEMS, reject
from inscope.codec.words import (
    containment_from_wire,
    containment_to_wire,
    mode_from_wire,
    mode_to_wire,
    seconds,
)
from inscope.effect import Effect
from inscope.lapse import Lapse
from inscope.v1 import sidecar_pb2 as pb

PROTOCOL = 1
"""The version of the stream; `Hello.protocol` must equal it."""

if array("I").itemsize != 4:
    raise ImportError("this platform's unsigned int is not 32 bits wide")


def column() -> array[int]:
    """An empty column."""
    return array("I")


def packed(values: array[int]) -> bytes:
    """A column as it travels. On a big-endian machine `values` is used up."""
    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()


def unpacked(raw: bytes, field: str, most: int = MAX_ITEMS) -> array[int]:
    """The column that `packed` made, of at most `most` values."""
    if len(raw) % 4:
        reject(field, f"{len(raw)} bytes, not a multiple of 4")
    if len(raw) > 4 * most:
        reject(field, f"{len(raw) // 4} rows, at most {most}")
    values = column()
    values.frombytes(raw)
    if sys.byteorder == "big":
        values.byteswap()
    return values


_LAPSES = {Lapse.KEEP: pb.LAPSE_KEEP, Lapse.OBSERVE: pb.LAPSE_OBSERVE}
_LAPSES_BACK = {wire: lapse for lapse, wire in _LAPSES.items()}


def lapse_to_wire(lapse: Lapse) -> pb.Lapse.ValueType:
    return _LAPSES[lapse]


def lapse_from_wire(wire: pb.Lapse.ValueType) -> Lapse:
    """What is not said, or is not known here, is the stricter: to keep."""
    return _LAPSES_BACK.get(wire, Lapse.KEEP)


def effect_to_wire(effect: Effect) -> pb.Effect:
    return pb.Effect(
        mode=mode_to_wire(effect.mode),
        containment=containment_to_wire(effect.containment),
        lapsed=effect.lapsed,
    )


def effect_from_wire(wire: pb.Effect) -> Effect:
    return Effect(
        mode_from_wire(wire.mode),
        containment_from_wire(wire.containment),
        seconds(wire.lapsed, "effect.lapsed"),
    )
