"""Which programs interpret, and the grammar of their command lines: the data of `interpreters.toml` as types."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any


class Style(StrEnum):
    """How options are written, and what the first operand is."""

    OPTIONS = "options"
    WORDS = "words"
    SHELL = "shell"
    LOADER = "loader"
    MULTICALL = "multicall"
    JAVA = "java"


class Role(StrEnum):
    """What an option's value is. An option without a role takes none."""

    CODE = "code"
    MODULE = "module"
    FILE = "file"
    PRELOAD = "preload"
    VALUE = "value"
    SWALLOW = "swallow"
    NOTHING = "nothing"
    STDIN = "stdin"
    OPAQUE = "opaque"
    DIRECTORY = "directory"


class Gathered(StrEnum):
    """What a program that is gathered from many options is, where none of them gave any."""

    OPERAND = "operand"
    MAKEFILE = "makefile"


class Command(StrEnum):
    """What follows a first operand that is a command."""

    SCRIPT = "script"
    CODE = "code"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Interpreter:
    """One entry of `interpreters.toml`; the fields are explained there."""

    names: re.Pattern[str]
    style: Style
    roles: Mapping[str, Role]
    isolated: frozenset[str]
    folder: tuple[str, ...]
    commands: Mapping[str, Command]
    constant: tuple[re.Pattern[bytes], ...]
    beside: bool
    gathered: Gathered | None
    permutes: bool
    abbreviates: bool

    def role(self, option: str) -> Role | None:
        """What the option's value is. An abbreviation stands for whatever it may: where that is ambiguous none runs."""
        found = self.roles.get(option)
        if found or not self.abbreviates or len(option) < 3 or not option.startswith("--"):
            return found
        return next((role for full, role in self.roles.items() if full.startswith(option)), None)


def parse_interpreters(text: str) -> tuple[Interpreter, ...]:
    """Read the form of `interpreters.toml`."""
    return tuple(_interpreter(table) for table in tomllib.loads(text).values())


def _interpreter(table: Mapping[str, Any]) -> Interpreter:
    return Interpreter(
        names=re.compile("|".join(f"(?:{name})" for name in table["names"])),
        style=Style(table.get("style", Style.OPTIONS)),
        roles={option: role for role in Role for option in table.get(role, ())},
        isolated=frozenset(table.get("isolated", ())),
        folder=tuple(table.get("folder", ())),
        commands={name: Command(what) for name, what in table.get("commands", {}).items()},
        constant=tuple(re.compile(pattern.encode()) for pattern in table.get("constant", ())),
        beside=bool(table.get("beside", False)),
        gathered=Gathered(table["gathered"]) if "gathered" in table else None,
        permutes=bool(table.get("permutes", False)),
        abbreviates=bool(table.get("abbreviates", False)),
    )


_INTERPRETERS = parse_interpreters(Path(__file__).with_suffix(".toml").read_text())


def interpreter_at(*paths: str, among: Sequence[Interpreter] = _INTERPRETERS) -> Interpreter | None:
    """The interpreter that the first recognised of `paths` (of a binary: where it really is, how it was called) is."""
    for path in paths:
        name = path.rpartition("/")[2]
        for interpreter in among:
            if interpreter.names.fullmatch(name):
                return interpreter
    return None


def is_interpreter(path: str) -> bool:
    """Whether the program at `path` runs code that others hand it."""
    return interpreter_at(path) is not None
