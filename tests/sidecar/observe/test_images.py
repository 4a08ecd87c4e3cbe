"""What an executed file is, by its descriptor."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.observe.bodies import FileStat
from sidecar.observe.images import Image, Images, Shebang, parse_shebang
from sidecar.observe.records import NO_FD

STAT = FileStat(1, 2, 3, 4, 5, 6, 7, 8, 9, 0)


@pytest.mark.parametrize(
    ("beginning", "shebang"),
    [
        (b"\x7fELF", None),
        (b"", None),
        (b"#!/bin/sh\necho", Shebang(b"/bin/sh", b"")),
        (b"#!/bin/sh", Shebang(b"/bin/sh", b"")),
        (b"#! /bin/sh -e \n", Shebang(b"/bin/sh", b"-e")),
        (b"#!\t/usr/bin/env\tpython3\n", Shebang(b"/usr/bin/env", b"python3")),
        (b"#!/usr/bin/env -S python3 -u\n", Shebang(b"/usr/bin/env", b"-S python3 -u")),
        (b"#!\n", None),
        (b"#!   \n", None),
        (b"#!/bin/sh\0junk\n", Shebang(b"/bin/sh", b"")),
        (b"#!/bin/sh \xff\xfe\n", Shebang(b"/bin/sh", b"\xff\xfe")),
    ],
)
def test_first_lines(beginning: bytes, shebang: Shebang | None) -> None:
    assert parse_shebang(beginning) == shebang


@given(st.binary(max_size=300))
def test_no_first_line_breaks_it(beginning: bytes) -> None:
    found = parse_shebang(b"#!" + beginning)
    assert found is None or found.interpreter


def test_looks_at_the_open_file_and_remembers_it(tmp_path: Path) -> None:
    script = tmp_path / "script"
    script.write_text("#!/bin/sh -e\n")
    images = Images()
    fd = os.open(script, os.O_RDONLY)
    try:
        expected = Image(str(script), Shebang(b"/bin/sh", b"-e"))
        assert images.of(fd, STAT, "/called") == expected
        assert images.of(NO_FD, STAT, "/called") == expected
    finally:
        os.close(fd)


def test_without_a_descriptor_it_is_what_it_was_called() -> None:
    assert Images().of(NO_FD, STAT, "/called") == Image("/called")


def test_what_cannot_be_read_is_what_it_was_called() -> None:
    reader, writer = os.pipe()
    try:
        assert Images().of(reader, STAT, "/called") == Image("/called")
    finally:
        os.close(reader)
        os.close(writer)


def test_the_oldest_is_forgotten() -> None:
    images = Images(look=lambda fd: (f"/file{fd}", b""), capacity=1)
    other = FileStat(9, 9, 9, 9, 9, 9, 9, 9, 9, 0)
    images.of(5, STAT, "/called")
    images.of(6, other, "/called")
    assert images.of(NO_FD, STAT, "/called") == Image("/called")
    assert images.of(NO_FD, other, "/called") == Image("/file6")
