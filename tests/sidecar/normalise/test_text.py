"""Text from bytes: readable, unambiguous, harmless on a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sidecar.normalise.text import text_of


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"/usr/bin/git", "/usr/bin/git"),
        (b"", ""),
        ("/home/jürgen/日本".encode(), "/home/jürgen/日本"),
        (b"/tmp/\xff\xfe", r"/tmp/\xff\xfe"),
        (b"/tmp/\x1b[2J", r"/tmp/\x1b[2J"),
        (b"a\nb", r"a\x0ab"),
        ("evil\u202egnp.sh".encode(), r"evil\xe2\x80\xaegnp.sh"),
        (b"back\\slash", r"back\x5cslash"),
        (b"/tmp/<tmp>", r"/tmp/\x3ctmp>"),
    ],
)
def test_known_text(data: bytes, text: str) -> None:
    assert text_of(data) == text


@given(st.binary())
def test_is_printable_and_never_opens_a_placeholder(data: bytes) -> None:
    text = text_of(data)
    assert text.isprintable()
    assert "<" not in text


@given(st.binary(), st.binary())
def test_different_bytes_give_different_text(one: bytes, other: bytes) -> None:
    assert (text_of(one) == text_of(other)) == (one == other)


@given(st.binary())
def test_nothing_is_lost(data: bytes) -> None:
    unescaped = text_of(data).encode("utf-8").decode("latin-1").encode("latin-1")
    assert unescaped.decode("utf-8").encode("utf-8") == unescaped
    raw = b""
    rest = text_of(data)
    while rest:
        if rest.startswith("\\x"):
            raw, rest = raw + bytes.fromhex(rest[2:4]), rest[4:]
        else:
            raw, rest = raw + rest[0].encode(), rest[1:]
    assert raw == data
