"""A command line read by an interpreter's grammar: which options carry a program, and what is left over."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from sidecar.normalise.interpreters import Interpreter, Role, Style

_TAKES_VALUE = frozenset({Role.CODE, Role.MODULE, Role.FILE, Role.PRELOAD, Role.VALUE, Role.OPAQUE, Role.DIRECTORY})
_ENDS_OPTIONS = frozenset({Role.MODULE, Role.FILE})
"""After these every word belongs to the program."""


@dataclass(slots=True)
class CommandLine:
    """What the options said. `values` keeps every option that took one, by role, in order.

    `early`: whether an operand came before the first option that carries a program.
    """

    values: dict[Role, list[bytes]] = field(default_factory=dict)
    named: dict[str, bytes] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    operands: Sequence[bytes] = ()
    nothing: bool = False
    early: bool = False

    def of(self, role: Role) -> list[bytes]:
        """The values given under a role."""
        return self.values.get(role, [])

    def has(self, role: Role) -> bool:
        """Whether an option of that role was given."""
        return role in self.values


def read_options(interpreter: Interpreter, arguments: Sequence[bytes]) -> CommandLine:
    """Read the options of `arguments` (argv without its first): those that lead it, or all where they permute."""
    line = CommandLine()
    operands: list[bytes] = []
    index = 0
    while index < len(arguments):
        word = arguments[index]
        if not _is_option(interpreter, word):
            if not interpreter.permutes:
                break
            operands.append(word)
            index += 1
            continue
        index += 1
        if word == b"--" or (word == b"-" and interpreter.style is Style.SHELL):
            break
        carried = _carries_program(line)
        index += _read_word(interpreter, word, arguments[index:], line)
        line.early |= bool(operands) and not carried and _carries_program(line)
        if _ended(interpreter, line):
            break
    line.operands = [*operands, *arguments[index:]]
    return line


def _carries_program(line: CommandLine) -> bool:
    return line.has(Role.CODE) or line.has(Role.FILE)


def _is_option(interpreter: Interpreter, word: bytes) -> bool:
    if interpreter.style is Style.SHELL:
        return word[:1] == b"-" or (word[:1] == b"+" and len(word) > 1)
    return word[:1] == b"-" and len(word) > 1


def _ended(interpreter: Interpreter, line: CommandLine) -> bool:
    if interpreter.gathered:
        return False
    if any(line.has(role) for role in _ENDS_OPTIONS):
        return True
    # `python -c CODE -m x`: all after the code are arguments; `perl -e A -e B` and `lua -e A -l x` go on.
    return line.has(Role.CODE) and bool(interpreter.isolated)


def _read_word(interpreter: Interpreter, word: bytes, following: Sequence[bytes], line: CommandLine) -> int:
    """Read one option word; returns how many of the following words it took."""
    if word.startswith(b"--") or interpreter.style not in (Style.OPTIONS, Style.SHELL):
        return _read_long(interpreter, word, following, line)
    if interpreter.style is Style.SHELL:
        return _read_shell_cluster(interpreter, word, following, line)
    return _read_cluster(interpreter, word, following, line)


def _read_long(interpreter: Interpreter, word: bytes, following: Sequence[bytes], line: CommandLine) -> int:
    name, separator, value = word.partition(b"=")
    if not separator and interpreter.style is Style.JAVA:
        name, separator, value = word.partition(b":")
    return _take(interpreter, _option(name), value if separator else None, following, line)


def _read_cluster(interpreter: Interpreter, word: bytes, following: Sequence[bytes], line: CommandLine) -> int:
    letters = word[1:]
    for position in range(len(letters)):
        option = "-" + chr(letters[position])
        rest = letters[position + 1 :]
        role = interpreter.role(option)
        if role is Role.SWALLOW:
            return 0
        if role in _TAKES_VALUE:
            return _take(interpreter, option, rest or None, following, line)
        _take(interpreter, option, None, following, line)
    return 0


def _read_shell_cluster(interpreter: Interpreter, word: bytes, following: Sequence[bytes], line: CommandLine) -> int:
    # In a shell an option's value is always the next word (`-euo pipefail`), and `-c` is a flag.
    taken = 0
    for letter in word[1:]:
        option = "-" + chr(letter)
        if interpreter.roles.get(option) is Role.VALUE:
            taken += 1
        elif word[:1] == b"-":
            line.flags.add(option)
            if interpreter.roles.get(option) in (Role.CODE, Role.STDIN):
                line.values.setdefault(interpreter.roles[option], [])
    return min(taken, len(following))


def _take(
    interpreter: Interpreter, option: str, value: bytes | None, following: Sequence[bytes], line: CommandLine
) -> int:
    role = interpreter.role(option)
    line.flags.add(option)
    if role is Role.NOTHING:
        line.nothing = True
    if role is Role.STDIN:
        line.values.setdefault(role, [])
    if role is None or role not in _TAKES_VALUE:
        return 0
    taken = 0
    if value is None:
        taken = min(1, len(following))
        value = following[0] if following else b""
    line.values.setdefault(role, []).append(value)
    line.named[option] = value
    return taken


def _option(name: bytes) -> str:
    return name.decode("latin-1")
