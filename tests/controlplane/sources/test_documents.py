"""Files of records: gzip or plain, whole or cut short, never wholly in memory."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sources.documents import Faults, records
from controlplane.sources.gzip_text import CHUNK, text_of

RECORDS = [json.dumps({"number": number}).encode() for number in range(1_000)]
LINES = b"\n".join(RECORDS)


def read(content: bytes) -> tuple[list[bytes], Faults]:
    faults = Faults()
    return list(records(io.BytesIO(content), faults)), faults


class OneByOne(io.RawIOBase):
    """A pipe that hands out a byte at a time."""

    def __init__(self, content: bytes) -> None:
        self._left = io.BytesIO(content)

    def read(self, size: int = -1) -> bytes:
        return self._left.read(min(size, 1))


@pytest.mark.parametrize("key", ["Records", "records", "items", "logEvents", "events"])
@pytest.mark.parametrize("indent", [None, 1])
def test_the_members_of_a_list_are_records_however_long_its_line_is(key: str, indent: int | None) -> None:
    members = [json.loads(each) for each in RECORDS]
    found, faults = read(json.dumps({"before": {}, key: members, "after": []}, indent=indent).encode())
    assert [json.loads(each) for each in found] == members
    assert faults == Faults()


@pytest.mark.parametrize("content", [LINES, b"[" + b",".join(RECORDS) + b"]"])
def test_gzip_is_unpacked_also_of_several_members_and_from_a_slow_pipe(content: bytes) -> None:
    packed = gzip.compress(content[:700]) + gzip.compress(content[700:]) + b"\0" * 512
    assert read(packed) == (RECORDS, Faults())
    faults = Faults()
    assert list(records(OneByOne(packed[:-500]), faults)) == RECORDS  # type: ignore[arg-type]  # it reads


def test_what_came_before_the_cut_of_a_gzip_file_is_kept_and_the_cut_is_counted() -> None:
    found, faults = read(gzip.compress(LINES)[:-900])
    assert 0 < len(found) < len(RECORDS)
    assert found[:-1] == RECORDS[: len(found) - 1]
    assert faults.cut


def test_a_damaged_gzip_file_is_read_up_to_the_damage() -> None:
    packed = bytearray(gzip.compress(LINES))
    packed[-6] ^= 0xFF  # its checksum
    found, faults = read(bytes(packed))
    assert (found, faults.cut) == (RECORDS, True)


def test_reading_goes_on_within_a_gzip_file() -> None:
    packed = gzip.compress(LINES)
    assert b"".join(text_of(io.BytesIO(packed), 5_000, pytest.fail)) == LINES[5_000:]
    assert b"".join(text_of(io.BytesIO(packed), len(LINES) + 9, pytest.fail)) == b""


def test_a_gzip_bomb_is_unpacked_piece_by_piece() -> None:
    packed = gzip.compress(b'{"a":"' + b" " * (64 << 20) + b'"}', 9)
    tracemalloc.start()
    try:
        assert max(map(len, text_of(io.BytesIO(packed), 0, pytest.fail))) <= CHUNK
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 << 20


@given(st.binary(max_size=200), st.booleans())
def test_any_bytes_are_read_to_their_end(content: bytes, packed: bool) -> None:
    read(gzip.compress(content) if packed else content)
    read(b"\x1f\x8b" + content)
