"""No byte that an agent chooses reaches a terminal as it is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inscope.text import printable


@given(st.binary() | st.text())
def test_whatever_it_is_it_becomes_printable_utf8(raw: bytes | str) -> None:
    text = printable(raw)
    assert text.isprintable()
    text.encode()  # raises where a surrogate is left


@given(st.text().filter(str.isprintable))
def test_printable_text_is_left_alone(text: str) -> None:
    assert printable(text) == text == printable(text.encode())


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"/a\xff", "/a\\xff"),
        ("\x1b[2J", "\\x1b[2J"),
        ("\ud800", "\\xed\\xa0\\x80"),
        (b"\xe2\x80\xa8", "\\xe2\\x80\\xa8"),
    ],
)
def test_the_rest_is_escaped_by_byte(raw: bytes | str, text: str) -> None:
    assert printable(raw) == text
