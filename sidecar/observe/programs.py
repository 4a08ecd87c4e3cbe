"""Which program an exec starts: the binary, what it interprets, and what must be hashed to know both."""

from __future__ import annotations

import os
import posixpath
from collections.abc import Sequence
from dataclasses import dataclass

from inscope.behaviour import Program, Script, ScriptOrigin
from sidecar.normalise.paths import Generaliser, cut
from sidecar.normalise.script_ref import FirstOf, ScriptRef, Source
from sidecar.normalise.scripts import script_of
from sidecar.normalise.text import text_of
from sidecar.observe.drafts import OpenFile, Want
from sidecar.observe.images import Images, Shebang
from sidecar.observe.kinds import Flag
from sidecar.observe.records import ExecRecord, ImageRecord


@dataclass(frozen=True, slots=True)
class StartedProgram:
    """A program without its hashes, and what gives them. `interpreted`: the kernel runs it by its first line."""

    program: Program
    want: Want
    script: tuple[Want, ...] = ()
    interpreted: bool = False


class Programs:
    """Reads programs out of records. The descriptor of a record goes into what must be hashed."""

    def __init__(self, generaliser: Generaliser, images: Images) -> None:
        self._generaliser = generaliser
        self._images = images

    def of(self, record: ExecRecord) -> StartedProgram:
        """What an exec is about to start, by the real name of the file: surveys list no links."""
        image = self._images.of(record.fd, record.file, os.fsdecode(record.path))
        file = OpenFile(record.fd, record.file, image.real)
        truncated = bool(record.head.flags & Flag.TRUNCATED)
        if image.shebang:
            return self._by_first_line(record, image.shebang, file, truncated)
        script = script_of(image.real, record.argv, called=os.fsdecode(record.path), truncated=truncated)
        program = Program(self._path(os.fsencode(image.real)), "", self._script(script, record.cwd))
        return StartedProgram(program, file, script.sources if script else ())

    def found(self, record: ImageRecord, argv: Sequence[bytes], cwd: bytes) -> StartedProgram:
        """What was found running, with the arguments of the exec that should have started something else."""
        file = OpenFile(record.fd, record.file, os.fsdecode(record.path))
        script = script_of(file.path, argv) if argv else None
        program = Program(self._path(record.path), "", self._script(script, cwd))
        return StartedProgram(program, file, script.sources if script else ())

    def _by_first_line(self, record: ExecRecord, shebang: Shebang, file: OpenFile, truncated: bool) -> StartedProgram:
        interpreter = os.fsdecode(shebang.interpreter)
        handed = (shebang.argument,) if shebang.argument else ()
        argv = (shebang.interpreter, *handed, record.path, *record.argv[1:])
        inner = script_of(interpreter, argv, truncated=truncated)
        script = Script(ScriptOrigin.FILE, self._path(os.fsencode(file.path)), "")
        program = Program(self._path(os.fsencode(self._images.real(interpreter))), "", script)
        return StartedProgram(program, FirstOf((interpreter,)), _with_first_line(file, inner, record.path), True)

    def _script(self, script: ScriptRef | None, cwd: bytes) -> Script | None:
        match script:
            case None:
                return None
            case ScriptRef(ScriptOrigin.FILE, name):
                return Script(ScriptOrigin.FILE, self._path(posixpath.normpath(posixpath.join(cwd, name))), "")
            case ScriptRef(origin, name):
                return Script(origin, cut(text_of(name)), "")

    def _path(self, raw: bytes) -> str:
        return self._generaliser.path(text_of(raw))


def _with_first_line(file: OpenFile, inner: ScriptRef | None, path: bytes) -> tuple[Want, ...]:
    """The script, and what its first line adds to it (`#!/usr/bin/node -r ./hook`).

    Where that takes its program from elsewhere (`#!/bin/sh -s`) nothing is known: a source that is never found.
    """
    if inner is None:
        return (file,)
    return (file, *(_besides(inner, path) if inner.sources else (_NOWHERE,)))


_NOWHERE = FirstOf(())


def _besides(inner: ScriptRef, path: bytes) -> tuple[Source, ...]:
    name = os.fsdecode(path)
    return tuple(
        source for source in inner.sources if not (isinstance(source, FirstOf) and source.paths[:1] == (name,))
    )
