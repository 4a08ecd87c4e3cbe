"""Becoming another program so exactly that it cannot tell inscope was there first.

What Python and gRPC changed of this process is undone before exec: descriptors they opened are closed, the environment
is the one the kernel handed us (Python adds LC_CTYPE in the C locale, PEP 538), and signals that Python ignores are
default again. Whether SIGPIPE or SIGXFSZ was ignored before Python started cannot be known; default is assumed.
"""

from __future__ import annotations

import fcntl
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Never

_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)


@dataclass(frozen=True, slots=True)
class Inherited:
    """What we were started with: the descriptors that were open, and the environment byte for byte."""

    descriptors: frozenset[int]
    environment: dict[bytes, bytes]


def remember() -> Inherited:
    """Take stock, as early as possible: whatever is opened after this is ours."""
    found = Inherited(_open_descriptors(), parse_environment(Path("/proc/self/environ").read_bytes()))
    _occupy_standard_descriptors()
    return found


def become(program: Path, arguments: Sequence[str], inherited: Inherited) -> Never:
    """Replace this process by `program ARGUMENTS`, with nothing of ours left in it.

    Raises:
        OSError: it could not be started; this process is still itself, but for its signals.
    """
    for descriptor in _open_descriptors() - inherited.descriptors:
        os.set_inheritable(descriptor, False)
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
    os.execve(program, [program.name, *arguments], inherited.environment)  # noqa: S606 - no shell wanted


def parse_environment(block: bytes) -> dict[bytes, bytes]:
    """The environment block of a process. Of a name given twice the first counts, as for getenv(3)."""
    parsed: dict[bytes, bytes] = {}
    for item in block.split(b"\0"):
        name, equals, value = item.partition(b"=")
        if name and equals:
            parsed.setdefault(name, value)
    return parsed


def _open_descriptors() -> frozenset[int]:
    # The listing has a descriptor of its own, which is gone when it is done.
    listed = [int(entry.name) for entry in Path("/proc/self/fd").iterdir()]
    return frozenset(descriptor for descriptor in listed if _is_open(descriptor))


def _is_open(descriptor: int) -> bool:
    try:
        fcntl.fcntl(descriptor, fcntl.F_GETFD)
    except OSError:
        return False
    return True


def _occupy_standard_descriptors() -> None:
    # Where stdin, stdout or stderr is closed, the next file opened would take its place, and be written to by accident.
    while (descriptor := os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)) <= 2:
        pass
    os.close(descriptor)
