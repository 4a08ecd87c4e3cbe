"""Names of a database's objects: quoted as SQL quotes them, and taken apart again. Pure."""

from __future__ import annotations

import re

_PART = re.compile(r'"(?P<quoted>(?:[^"]|"")+)"|(?P<plain>[^".\s]+)')


class NotANameError(ValueError):
    """Text that names no object."""


def parts(resource: str) -> tuple[str, ...]:
    """The identifiers of `schema.table.column`, unquoted.

    Raises:
        NotANameError: it is none.
    """
    found, at = list[str](), 0
    while match := _PART.match(resource, at):
        found.append(match["quoted"].replace('""', '"') if match["quoted"] else match["plain"])
        at = match.end()
        if at == len(resource):
            return tuple(found)
        if resource[at] != ".":
            break
        at += 1
    raise NotANameError(f"not the name of an object: {resource[:200]!r}")


def quoted(name: str) -> str:
    """One identifier, whatever is in it.

    Raises:
        NotANameError: no identifier is empty, or holds a zero.
    """
    if not name or "\0" in name:
        raise NotANameError(f"not an identifier: {name[:200]!r}")
    return '"' + name.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A string constant, whatever `standard_conforming_strings` says."""
    if "\0" in text:
        raise NotANameError("a string constant with a zero")
    return " E'" + text.replace("\\", "\\\\").replace("'", "''") + "'"
