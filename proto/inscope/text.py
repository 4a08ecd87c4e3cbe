"""Bytes that the watched world controls, as text that is safe to keep, send and print."""

from __future__ import annotations


def printable(raw: bytes | str) -> str:
    r"""`raw` with everything that is not printable UTF-8 escaped as `\xHH` per byte; a backslash is kept as it is.

    Paths may hold any byte but NUL: invalid UTF-8, terminal escapes, line separators. None reaches a terminal or a log.
    """
    text = raw.decode("utf-8", "surrogateescape") if isinstance(raw, bytes) else raw
    if text.isprintable():
        return text
    return "".join(char if char.isprintable() else escaped(char) for char in text)


def escaped(char: str) -> str:
    r"""One character as `\xHH` for each byte of it; one that stands for an undecodable byte becomes that byte."""
    errors = "surrogateescape" if "\udc80" <= char <= "\udcff" else "surrogatepass"
    return "".join(f"\\x{byte:02x}" for byte in char.encode("utf-8", errors))
