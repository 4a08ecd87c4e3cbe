"""Describing in a process of its own: real processes, and some that misbehave."""

from __future__ import annotations

import contextlib
import io
import os
import socket
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inscope.binary import MALFORMED, NOT_ELF, ElfDescription, Linkage
from sidecar.fingerprint import worker
from sidecar.fingerprint.answer import MAX_ANSWER, decode, encode
from sidecar.fingerprint.describer import Describer
from tests.sidecar.fingerprint.elf_files import elf
from tests.strategies import texts

elves = st.builds(ElfDescription, st.sampled_from(Linkage), texts, texts, st.lists(texts, max_size=5).map(tuple), texts)


@contextlib.contextmanager
def opened(tmp_path, content: bytes):
    (tmp_path / "it").write_bytes(content)
    descriptor = os.open(tmp_path / "it", os.O_RDONLY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


async def test_a_real_worker_describes_one_file_after_the_other(tmp_path):
    describer = Describer()
    try:
        with opened(tmp_path, elf()) as descriptor:
            assert (await describer.describe(descriptor)).soname == "libx.so.1"
        with opened(tmp_path, elf()[:100]) as descriptor:
            assert (await describer.describe(descriptor)).linkage is Linkage.MALFORMED
        with opened(tmp_path, elf(soname="liby.so")) as descriptor:
            assert (await describer.describe(descriptor)).soname == "liby.so"
    finally:
        describer.close()


def misbehaving(program: str):
    """A worker that runs `program` with its socket as `s`."""
    prelude = f"import socket, sys, time, os; s = socket.socket(fileno=int(sys.argv[1])); {program}"

    def start(theirs: socket.socket) -> int:
        return os.posix_spawn(sys.executable, [sys.executable, "-c", prelude, str(theirs.fileno())], os.environ)

    return start


@pytest.mark.parametrize(
    "program",
    [
        "os.kill(os.getpid(), 11)",
        "s.recv(8); time.sleep(60)",
        "s.recv(8); s.send(b'not json'); time.sleep(60)",
        "s.recv(8); s.send(b'[]'); time.sleep(60)",
        "s.recv(8); s.send(b'{\"number\": 99}'); time.sleep(60)",
    ],
)
async def test_a_worker_that_dies_hangs_or_lies_makes_the_file_malformed_and_the_next_gets_another(tmp_path, program):
    describer = Describer(misbehaving(program), patience_s=0.5)
    with opened(tmp_path, elf()) as descriptor:
        assert await describer.describe(descriptor) is MALFORMED
        assert describer._worker is None
        assert await describer.describe(descriptor) is MALFORMED
    describer.close()


async def test_what_is_not_elf_starts_no_worker(tmp_path):
    def start(theirs):
        raise AssertionError("started")

    with opened(tmp_path, b"#!/bin/sh\n") as descriptor:
        assert await Describer(start).describe(descriptor) is NOT_ELF


async def test_no_worker_stays_behind(tmp_path):
    describer = Describer()
    with opened(tmp_path, elf()) as descriptor:
        await describer.describe(descriptor)
    pid = describer._worker._pid
    describer.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_file_that_takes_too_long_is_malformed(monkeypatch):
    def endless(stream):
        while True:
            try:
                sum(range(1000))
            except Exception:
                continue

    monkeypatch.setattr(worker, "describe", endless)
    monkeypatch.setattr(worker, "FILE_CPU_S", 0.05)
    assert worker.bounded_describe(io.BytesIO()) is MALFORMED


def test_a_file_that_takes_too_much_memory_is_malformed(monkeypatch):
    def greedy(stream):
        raise MemoryError

    monkeypatch.setattr(worker, "describe", greedy)
    assert worker.bounded_describe(io.BytesIO()) is MALFORMED


@given(elves, st.integers(0, 2**63))
def test_an_answer_comes_back_as_it_went(description, number):
    assert decode(encode(number, description), number) == description


def test_an_answer_that_would_not_fit_is_cut():
    description = ElfDescription(Linkage.DYNAMIC, needed=tuple("x" * 4000 for _ in range(500)))
    answer = encode(1, description)
    assert len(answer) <= MAX_ANSWER
    assert decode(answer, 1).linkage is Linkage.DYNAMIC


@pytest.mark.fuzz
@given(st.binary(max_size=200) | elves.map(lambda d: encode(1, d)).flatmap(lambda b: st.permutations(b).map(bytes)))
def test_an_answer_that_is_none_is_a_value_error_and_nothing_else(answer):
    with contextlib.suppress(ValueError):
        decode(answer, 1)
