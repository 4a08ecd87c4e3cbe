"""What an executed file is, looked at through its descriptor: its real name, and whether it is a script."""

from __future__ import annotations

import os
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Protocol

from sidecar.observe.bodies import FileStat
from sidecar.observe.records import NO_FD

SHEBANG_MAX = 256
"""Bytes of a script's first line that the kernel reads (BINPRM_BUF_SIZE)."""


@dataclass(frozen=True, slots=True)
class Shebang:
    """The interpreter a script names, and the one argument the kernel hands it before the script."""

    interpreter: bytes
    argument: bytes


@dataclass(frozen=True, slots=True)
class Image:
    """`real` is where the file is by the kernel's account (`os.fsdecode`d), `shebang` is None for a binary."""

    real: str
    shebang: Shebang | None = None


class Look(Protocol):
    """Looks at an open regular file; its real name and its first `SHEBANG_MAX` bytes. Raises OSError."""

    def __call__(self, fd: int) -> tuple[str, bytes]: ...


def look(fd: int) -> tuple[str, bytes]:
    """The real thing, by /proc/self/fd."""
    return os.fsdecode(Path(f"/proc/self/fd/{fd}").readlink()), os.pread(fd, SHEBANG_MAX, 0)


class Images:
    """Remembers what up to `capacity` files were, for the records that come without a descriptor."""

    def __init__(
        self, look: Look = look, capacity: int = 1024, resolve: Callable[[str], str] = os.path.realpath
    ) -> None:
        self._look = look
        self.real = lru_cache(256)(resolve)
        """The real name of a path that nothing was opened by: of the interpreter in a script's first line."""
        self._capacity = capacity
        self._recent: OrderedDict[tuple[int, ...], Image] = OrderedDict()

    def of(self, fd: int, file: FileStat, called: str) -> Image:
        """What the file is; by the name it was called where nothing else is known."""
        if fd == NO_FD:
            return self._recent.get(file.state, Image(called))
        try:
            real, beginning = self._look(fd)
        except OSError:
            return Image(called)
        image = Image(real, parse_shebang(beginning))
        self._recent[file.state] = image
        if len(self._recent) > self._capacity:
            self._recent.popitem(last=False)
        return image


def parse_shebang(beginning: bytes) -> Shebang | None:
    """Read a script's first line as Linux does: one argument at most, blanks inside it kept."""
    if beginning[:2] != b"#!":
        return None
    line = beginning[2:SHEBANG_MAX].split(b"\n", 1)[0].split(b"\0", 1)[0].strip(b" \t")
    if not line:
        return None
    interpreter, *argument = re.split(rb"[ \t]+", line, maxsplit=1)
    return Shebang(interpreter, argument[0] if argument else b"")
