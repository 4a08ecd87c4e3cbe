"""What is read out of ELF files, sound and hostile."""

from __future__ import annotations

import io
import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inscope.binary import MALFORMED, NOT_ELF, ElfDescription, Linkage
from sidecar.fingerprint.elf import describe
from tests.sidecar.fingerprint.elf_files import elf


def of(content: bytes) -> ElfDescription:
    return describe(io.BytesIO(content))


def test_a_shared_object_says_what_it_needs():
    assert of(elf(needed=("liba.so", "libb.so.2"))) == ElfDescription(
        Linkage.DYNAMIC, "ab" * 20, "libx.so.1", ("liba.so", "libb.so.2"), "/lib/ld.so"
    )


def test_without_a_dynamic_segment_it_is_static():
    assert of(elf(segments=[(1, 0, 0x1000, 64)])).linkage is Linkage.STATIC


@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", b"\x7fEL", b"\x00" * 100])
def test_what_does_not_begin_like_an_elf_is_none(content):
    assert of(content) is NOT_ELF


def test_this_interpreter_agrees_with_readelf():
    try:
        told = subprocess.run(
            ["readelf", "-d", "-n", sys.executable], capture_output=True, text=True, check=True
        ).stdout
    except FileNotFoundError:
        pytest.skip("readelf is not installed")
    with open(sys.executable, "rb") as stream:
        described = describe(stream)
    assert described.linkage is Linkage.DYNAMIC
    assert all(f"[{name}]" in told for name in described.needed)
    assert len(described.needed) == told.count("(NEEDED)")
    assert described.build_id in told


LIES = {
    "cut in the file header": elf()[:40],
    "cut in the program headers": elf()[:100],
    "cut before the strings": elf()[:-20],
    "no program headers": elf(phnum=0),
    "65,535 program headers": elf(phnum=0xFFFF),
    "program headers past the end": elf(phoff=1 << 40),
    "section headers past the end, counted in section 0": elf(phnum=0xFFFF, shoff=1 << 60),
    "a string table in no segment": elf(strtab=0xDEAD_BEEF_0000),
    "names without a string table": elf(tags=b"\x01" + b"\0" * 15),
    "a dynamic segment past the end": elf(segments=[(2, 1 << 40, 0, 1 << 40)]),
    "an interpreter without an end": elf(segments=[(3, 0, 0, 3)]),
}


@pytest.mark.parametrize("content", LIES.values(), ids=LIES.keys())
def test_a_lie_is_malformed(content):
    assert of(content) is MALFORMED


TEDIOUS = {
    "a hundred thousand needed": elf(needed=tuple(f"l{number}" for number in range(100_000))),
    "a note that contains itself": elf(segments=[(4, 0, 0, 1 << 40)] * 200),
    "segments over each other": elf(segments=[(1, 0, 0x1000, 1 << 40)] * 200 + [(2, 64, 0, 1 << 30)]),
    "tags without an end": elf(tags=b"\x01\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0" * 100_000),
}


@pytest.mark.parametrize("content", TEDIOUS.values(), ids=TEDIOUS.keys())
def test_a_tedious_file_costs_bounded_time_and_answer(content):
    began = time.process_time()
    described = of(content)
    assert time.process_time() - began < 1.0
    assert len(described.needed) <= 512


def test_names_that_are_not_text_are_escaped():
    content = elf(soname="libx.so.1").replace(b"libx.so.1", b"lib\x1b[2J\xff")
    assert of(content).soname == "lib\\x1b[2J\\xff"


@pytest.mark.fuzz
@settings(max_examples=400, deadline=2000)
@given(st.data())
def test_no_mutation_of_an_elf_file_gets_out_as_anything_but_a_description(data):
    content = bytearray(elf(needed=("liba.so", "libb.so.2")))
    for _ in range(data.draw(st.integers(1, 8))):
        at = data.draw(st.integers(0, len(content) - 1))
        piece = data.draw(st.binary(min_size=1, max_size=8))
        content[at : at + len(piece)] = piece
    content[:4] = b"\x7fELF"
    described = of(bytes(content[: data.draw(st.integers(4, len(content)))]))
    assert described.linkage in Linkage
