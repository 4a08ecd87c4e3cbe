"""Programs put together from several options: awk's and sed's, and what make is told to make by."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable, Iterator
from dataclasses import replace

from sidecar.normalise.command_line import CommandLine
from sidecar.normalise.interpreters import Gathered, Role
from sidecar.normalise.script_ref import STDIN, FirstOf, InlineCode, ScriptRef, Source, in_file, inline

_MAKEFILES = ("GNUmakefile", "makefile", "Makefile")
"""What make looks for, in its order."""

_ASSIGNMENT = re.compile(rb"[^=]+=", re.DOTALL)
_MAX_PLACES = 64


def gathered_program(what: Gathered, line: CommandLine, plain: Callable[[bytes], bytes]) -> ScriptRef | None:
    """All files and all code together; `plain` is code without what does not count. None where nothing runs.

    What is hashed is every part, files first: that their order on the command line is another is not seen.
    """
    if line.has(Role.OPAQUE):
        return replace(inline(), whole_line=True)
    folder = posixpath.join("", *map(os.fsdecode, line.of(Role.DIRECTORY)[:_MAX_PLACES]))
    files = [os.fsencode(posixpath.join(folder, os.fsdecode(name))) for name in line.of(Role.FILE)]
    if any(name in (b"-", b"/dev/stdin") for name in line.of(Role.FILE)):
        return STDIN
    code = tuple(InlineCode(plain(text)) for text in (*line.of(Role.CODE), *_code_operands(what, line)))
    program = _makefile(folder, files, code) if what is Gathered.MAKEFILE else _program(files, code)
    return replace(program, whole_line=True) if program else None


def _code_operands(what: Gathered, line: CommandLine) -> Iterator[bytes]:
    if what is Gathered.MAKEFILE:
        yield from (word for word in line.operands if _ASSIGNMENT.match(word))
    elif line.operands and (line.early or not (line.has(Role.CODE) or line.has(Role.FILE))):
        # Where the environment forbids options after operands, an early operand is the program, whatever follows.
        yield line.operands[0]


def _program(files: list[bytes], code: tuple[Source, ...]) -> ScriptRef | None:
    if files:
        return _of_files(files, code)
    return replace(inline(), sources=code) if code else None


def _makefile(folder: str, files: list[bytes], code: tuple[Source, ...]) -> ScriptRef:
    if files:
        return _of_files(files, code)
    found = FirstOf(tuple(posixpath.join(folder, name) for name in _MAKEFILES))
    return replace(in_file(os.fsencode(found.paths[-1])), sources=(found, *code))


def _of_files(files: list[bytes], code: tuple[Source, ...]) -> ScriptRef:
    named = in_file(files[0])
    others = [source for name in files[1:] for source in in_file(name).sources]
    return replace(named, sources=(*named.sources, *others, *code))
