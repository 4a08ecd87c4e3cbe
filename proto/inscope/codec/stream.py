"""What both ends of a sidecar's stream must agree on: the protocol's number, and columns of little-endian uint32."""

from __future__ import annotations

import sys
from array import array

from inscope.codec.bounds import MAX_ITEMS, reject

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
