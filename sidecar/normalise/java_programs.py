"""What `java` runs: a class looked for on a path of folders and archives, any of which may hold it."""

from __future__ import annotations

import os

from sidecar.normalise.command_line import CommandLine
from sidecar.normalise.interpreters import Role
from sidecar.normalise.script_ref import FirstOf, ScriptRef, Source, in_file, in_module

_MAX_PLACES = 64
_ARCHIVES = (".jar", ".zip")


def java_program(line: CommandLine) -> ScriptRef | None:
    """The program of a `java` command line without `-jar`; None where it only prints."""
    if line.has(Role.MODULE):
        return in_module(line.of(Role.MODULE)[0], *_archives(_places(line, "-p", "--module-path")))
    if not line.operands:
        return None
    main = line.operands[0]
    if main.startswith(b"@"):
        # More of the command line is in a file that anyone may have written: it names no one program.
        return in_module(main)
    if main.endswith(b".java"):
        return in_file(main)
    return in_module(main, *_class_path(_places(line, "-cp", "-classpath", "--class-path"), main))


def _places(line: CommandLine, *options: str) -> list[str]:
    given = next((line.named[option] for option in options if option in line.named), b"")
    return [os.fsdecode(place) or "." for place in given.split(b":")[:_MAX_PLACES]]


def _archives(places: list[str]) -> tuple[FirstOf, ...]:
    return tuple(FirstOf((place,)) for place in places if place.endswith(_ARCHIVES))


def _class_path(places: list[str], main: bytes) -> tuple[Source, ...]:
    archives = _archives(places)
    file = os.fsdecode(main).replace(".", "/") + ".class"
    classes = tuple(f"{place}/{file}" for place in places if not place.endswith(_ARCHIVES))
    if not classes:
        return archives
    # The class may be in an archive: then its folders hold none, and an archive (hashed anyway) stands in.
    return (FirstOf((*classes, *(archives[0].paths if archives else ()))), *archives)
