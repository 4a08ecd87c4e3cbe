"""What an interpreter was told to run: `python evil.py` is another program than `python agent.py`.

Pure: `script_of` reads the command line only and says what the program's identity is made of; hashing is for others.
What the environment adds (PYTHONPATH, NODE_OPTIONS, BASH_ENV) is not on the command line and not seen here.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Sequence
from dataclasses import replace

from sidecar.normalise.command_line import CommandLine, read_options
from sidecar.normalise.gathered_program import gathered_program
from sidecar.normalise.interpreters import Command, Interpreter, Role, Style, interpreter_at
from sidecar.normalise.java_programs import java_program
from sidecar.normalise.python_modules import module_files
from sidecar.normalise.script_ref import STDIN, FirstOf, InlineCode, ScriptRef, Source, in_file, in_module, inline

_MAX_NESTING = 4


def script_of(image: str, argv: Sequence[bytes], *, called: str = "", truncated: bool = False) -> ScriptRef | None:
    """What the program at `image` interprets when started with `argv`; None where it interprets nothing.

    Args:
        image: where the binary really is.
        argv: the whole argument vector, with its first element.
        called: the path it was started by, where that is another (a link, a virtual environment).
        truncated: the arguments were cut at a bound, so that inline code has no identity.
    """
    script = _script_of(image, argv, called or image, _MAX_NESTING)
    if script and truncated and (script.whole_line or any(isinstance(one, InlineCode) for one in script.sources)):
        return replace(script, sources=())
    return script


def _script_of(image: str, argv: Sequence[bytes], called: str, depth: int) -> ScriptRef | None:
    interpreter = interpreter_at(image, called)
    if interpreter is None or depth == 0:
        return None
    if interpreter.style is Style.MULTICALL:
        return _applet(interpreter, argv, depth)
    line = read_options(interpreter, argv[1:])
    if line.nothing:
        return None
    if interpreter.style is Style.LOADER:
        return _loaded(line, depth)
    script = _interpreted(interpreter, line, image, called)
    return script.after(_preloads(line)) if script else None


def _preloads(line: CommandLine) -> tuple[Source, ...]:
    return tuple(
        FirstOf((os.fsdecode(value),)) if b"/" in value else InlineCode(value) for value in line.of(Role.PRELOAD)
    )


def _interpreted(interpreter: Interpreter, line: CommandLine, image: str, called: str) -> ScriptRef | None:
    if interpreter.style is Style.SHELL:
        return _shell(line)
    if interpreter.gathered:
        return gathered_program(interpreter.gathered, line, lambda code: _constant(interpreter, code))
    if line.operands and os.fsdecode(line.operands[0]) in interpreter.commands:
        return _commanded(interpreter, line)
    if line.has(Role.CODE):
        return _inline(interpreter, line)
    if line.has(Role.FILE):
        return in_file(line.of(Role.FILE)[0], interpreter.folder)
    if interpreter.style is Style.JAVA:
        return java_program(line)
    if line.has(Role.MODULE):
        return _module(interpreter, line, image, called)
    return _operand(interpreter, line)


def _shell(line: CommandLine) -> ScriptRef | None:
    if line.has(Role.CODE):
        return inline(line.operands[0]) if line.operands else None
    if line.has(Role.STDIN) or not line.operands:
        return STDIN
    return in_file(line.operands[0])


def _inline(interpreter: Interpreter, line: CommandLine) -> ScriptRef:
    code = [_constant(interpreter, text) for text in line.of(Role.CODE)]
    if interpreter.beside and line.operands:
        return _operand(interpreter, line).after(tuple(InlineCode(text) for text in code))
    return inline(*code)


def _constant(interpreter: Interpreter, code: bytes) -> bytes:
    if any(pattern.fullmatch(code) for pattern in interpreter.constant):
        return re.sub(rb"[0-9]+", b"0", code)
    return code


def _commanded(interpreter: Interpreter, line: CommandLine) -> ScriptRef | None:
    command = interpreter.commands[os.fsdecode(line.operands[0])]
    rest = read_options(interpreter, line.operands[1:])
    match command:
        case Command.NOTHING:
            return None
        case Command.CODE:
            return inline(rest.operands[0]) if rest.operands else None
        case Command.SCRIPT:
            return _operand(interpreter, rest).after(_preloads(rest))


def _operand(interpreter: Interpreter, line: CommandLine) -> ScriptRef:
    if not line.operands or line.operands[0] == b"-":
        return STDIN
    return in_file(line.operands[0], interpreter.folder)


def _module(interpreter: Interpreter, line: CommandLine, image: str, called: str) -> ScriptRef:
    name = line.of(Role.MODULE)[0]
    from_cwd = not line.flags & interpreter.isolated
    files = module_files(os.fsdecode(name), image, called, from_cwd=from_cwd)
    return in_module(name, FirstOf(files)) if files else in_module(name)


def _loaded(line: CommandLine, depth: int) -> ScriptRef | None:
    if not line.operands:
        return None
    program = line.operands[0]
    script = in_file(program)
    inner = _script_of(os.fsdecode(program), line.operands, os.fsdecode(program), depth - 1)
    if inner:
        script = replace(script, sources=inner.after(script.sources).sources, whole_line=inner.whole_line)
    return script.after(_preloads(line))


def _applet(interpreter: Interpreter, argv: Sequence[bytes], depth: int) -> ScriptRef | None:
    words = [posixpath.basename(argv[0]).removeprefix(b"-") if argv else b"", *argv[1:]]
    if interpreter.names.fullmatch(os.fsdecode(words[0])):
        words = words[1:]
    if not words or interpreter.roles.get(os.fsdecode(words[0])) is Role.NOTHING:
        return None
    name = os.fsdecode(words[0])
    applet = InlineCode(words[0])
    inner = _script_of(name, words, name, depth - 1)
    return inner.after((applet,)) if inner else in_module(words[0], applet)
