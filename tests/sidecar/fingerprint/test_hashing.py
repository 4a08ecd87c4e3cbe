"""Hashing of real files by descriptor."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os

import pytest

from sidecar.fingerprint.hashing import Hasher, HashLimits, HashOutcome, hash_steps

LIMITS = HashLimits(largest=1 << 20, slice=4096, buffer=1024)


def run(descriptor: int, limits: HashLimits = LIMITS, between=lambda: None):
    """Drive the steps to their end; (outcome, how often it paused)."""
    steps, pauses = hash_steps(descriptor, limits, bytearray(limits.buffer)), 0
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value, pauses
        pauses += 1
        between()


@pytest.fixture
def opened(tmp_path):
    with contextlib.ExitStack() as stack:

        def make(content: bytes) -> int:
            path = tmp_path / f"file-{len(content)}"
            path.write_bytes(content)
            descriptor = os.open(path, os.O_RDWR)
            stack.callback(os.close, descriptor)
            return descriptor

        yield make


@pytest.mark.parametrize("size", [0, 1, 1023, 1024, 4096, 10_000])
def test_the_hash_is_that_of_the_content_and_the_offset_is_left_alone(opened, size):
    content = os.urandom(size)
    descriptor = opened(content)
    os.lseek(descriptor, size // 2, os.SEEK_SET)
    hashed, _ = run(descriptor)
    assert (hashed.outcome, hashed.sha256) == (HashOutcome.HASHED, hashlib.sha256(content).hexdigest())
    assert os.lseek(descriptor, 0, os.SEEK_CUR) == size // 2


def test_a_large_file_pauses_after_each_slice(opened):
    _, pauses = run(opened(b"x" * 16_384))
    assert pauses == 4


def test_a_file_over_the_bound_is_not_read(opened):
    hashed, pauses = run(opened(b"x" * 20_000), HashLimits(largest=19_999, slice=4096, buffer=1024))
    assert (hashed.outcome, hashed.sha256, pauses) == (HashOutcome.TOO_LARGE, "", 0)


@pytest.mark.parametrize("make", [lambda p: os.mkfifo(p), lambda p: os.mkdir(p)])
def test_only_regular_files_are_read(tmp_path, make):
    make(tmp_path / "it")
    descriptor = os.open(tmp_path / "it", os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert run(descriptor)[0].outcome is HashOutcome.NOT_REGULAR
    finally:
        os.close(descriptor)


def test_a_closed_descriptor_is_unreadable():
    descriptor = os.open("/dev/null", os.O_RDONLY)
    os.close(descriptor)
    assert run(descriptor)[0].outcome is HashOutcome.UNREADABLE


def test_a_file_that_changed_once_under_the_reader_is_read_again(opened):
    descriptor = opened(b"a" * 8192)
    changes = iter([lambda: os.pwrite(descriptor, b"b", 0)])
    hashed, _ = run(descriptor, between=lambda: next(changes, lambda: None)())
    assert hashed.sha256 == hashlib.sha256(b"b" + b"a" * 8191).hexdigest()


def test_a_file_that_keeps_changing_has_no_hash(opened):
    descriptor = opened(b"a" * 8192)
    hashed, _ = run(descriptor, between=lambda: os.pwrite(descriptor, os.urandom(8), 0))
    assert (hashed.outcome, hashed.sha256, hashed.key) == (HashOutcome.CHANGED, "", None)


def test_a_file_that_shrinks_under_the_reader_has_no_hash_of_what_is_left(opened):
    descriptor = opened(b"a" * 8192)
    hashed, _ = run(descriptor, HashLimits(slice=4096, buffer=1024, attempts=1), lambda: os.truncate(descriptor, 5000))
    assert hashed.outcome is HashOutcome.CHANGED


async def test_a_small_file_does_not_wait_behind_a_huge_one(tmp_path):
    hasher = Hasher(HashLimits(slice=1 << 20))
    small, huge = tmp_path / "small", tmp_path / "huge"
    small.write_bytes(b"small")
    with huge.open("wb") as stream:
        stream.truncate(1 << 30)
    try:
        slow = asyncio.create_task(hasher.hash(os.open(huge, os.O_RDONLY)))
        quick = await hasher.hash(os.open(small, os.O_RDONLY))
        assert quick.sha256 == hashlib.sha256(b"small").hexdigest()
        assert not slow.done()
    finally:
        hasher.close()
    assert (await slow).outcome is HashOutcome.UNREADABLE


async def test_no_descriptor_is_left_open(tmp_path):
    (tmp_path / "f").write_bytes(b"x")
    before = len(os.listdir("/proc/self/fd"))
    hasher = Hasher()
    await asyncio.gather(*(hasher.hash(os.open(tmp_path / "f", os.O_RDONLY)) for _ in range(50)))
    hasher.close()
    assert len(os.listdir("/proc/self/fd")) == before
