"""What a script can read from how a command ended, and the error that carries it."""

from __future__ import annotations

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit statuses of every command but `run`, which ends as its command does (or 125: nothing was run)."""

    OK = 0
    NO = 1
    USAGE = 2
    NOT_FOUND = 3
    UNREACHABLE = 4
    FORBIDDEN = 5
    NOT_STARTED = 125


class CommandError(Exception):
    """The command cannot go on: the message is for the person who typed it, the code for the script."""

    def __init__(self, code: ExitCode, message: str) -> None:
        super().__init__(message)
        self.code = code
