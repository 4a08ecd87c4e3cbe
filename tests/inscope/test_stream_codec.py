"""Columns of a batch: what both halves read and write alike."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inscope.codec import CodecError
from inscope.codec.stream import column, packed, unpacked


@given(st.lists(st.integers(0, 2**32 - 1), max_size=20))
def test_a_column_comes_back_as_it_went(values: list[int]) -> None:
    made = column()
    made.extend(values)
    assert list(unpacked(packed(made), "ids")) == values


def test_values_are_little_endian() -> None:
    assert list(unpacked(b"\x01\x02\x00\x00", "ids")) == [0x201]


@pytest.mark.parametrize(("raw", "why"), [(b"\0" * 7, "not a multiple of 4"), (b"\0" * 12, "3 rows, at most 2")])
def test_what_is_no_column_or_too_long_is_refused(raw: bytes, why: str) -> None:
    with pytest.raises(CodecError, match=f"ids: .*{why}"):
        unpacked(raw, "ids", 2)
