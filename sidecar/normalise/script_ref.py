"""A script by reference: its name, and what its identity is made of."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from inscope.behaviour import ScriptOrigin


@dataclass(frozen=True, slots=True)
class InlineCode:
    """Program text from the command line."""

    code: bytes


@dataclass(frozen=True, slots=True)
class FirstOf:
    """The first of these files that exists; relative ones are relative to the caller's folder. `os.fsdecode`d names."""

    paths: tuple[str, ...]


Source = InlineCode | FirstOf


@dataclass(frozen=True, slots=True)
class ScriptRef:
    """A script by reference. `name` is a path, a module name, `-c` or `-`, as given.

    Its identity is that of all `sources` together; without any it has none (standard input, cut arguments).
    `whole_line`: any argument may be part of the program, so that cut arguments leave it without.
    """

    origin: ScriptOrigin
    name: bytes
    sources: tuple[Source, ...]
    whole_line: bool = False

    def after(self, before: tuple[Source, ...]) -> ScriptRef:
        """The same script with code that runs before it. Without identity it stays without."""
        return replace(self, sources=(*before, *self.sources)) if self.sources else self


STDIN = ScriptRef(ScriptOrigin.STDIN, b"-", ())


def inline(*code: bytes) -> ScriptRef:
    """Code given as text."""
    return ScriptRef(ScriptOrigin.INLINE, b"-c", tuple(InlineCode(text) for text in code))


def in_file(name: bytes, folder: tuple[str, ...] = ()) -> ScriptRef:
    """A file, or the first that exists of its name with each of the `folder` endings."""
    path = os.fsdecode(name)
    stem = path.rstrip("/") or path
    return ScriptRef(ScriptOrigin.FILE, name, (FirstOf((path, *(stem + ending for ending in folder))),))


def in_module(name: bytes, *sources: Source) -> ScriptRef:
    """Something found by name."""
    return ScriptRef(ScriptOrigin.MODULE, name, sources)
