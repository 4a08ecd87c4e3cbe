"""Bytes of the watched side to text that can be stored, compared and shown on a terminal without harm."""

from __future__ import annotations

import re

from inscope.text import escaped

_HARMLESS = re.compile(rb"[ -;=-\[\]-~]*\Z")
"""Printable ASCII without backslash and `<`, which are escaped: the one escapes, the other opens our placeholders."""


def text_of(data: bytes) -> str:
    r"""Readable text for a path or an argument, unambiguous: different bytes give different text.

    What is not UTF-8, not printable (control characters, terminal escapes, invisible and direction-changing ones), a
    backslash or `<` becomes `\xHH` byte by byte. So no file name can pretend to be a generalised one.
    """
    if _HARMLESS.match(data):
        return data.decode("ascii")
    return "".join(map(_shown, data.decode("utf-8", "surrogateescape")))


def _shown(character: str) -> str:
    if character.isprintable() and character not in "\\<":
        return character
    return escaped(character)
