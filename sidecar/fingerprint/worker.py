"""The process in which hostile files are parsed: bounded memory, bounded time for each file, soon gone.

`python -m sidecar.fingerprint.worker FD`: FD is a SOCK_SEQPACKET socket. A request is a number of 8 bytes with one
descriptor; the answer is a packet of `answer.py`. It ends when the other end closes, or when nothing came for `IDLE_S`.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import sys
from collections.abc import Iterator
from typing import IO

from inscope.binary import MALFORMED, ElfDescription
from sidecar.fingerprint.answer import encode
from sidecar.fingerprint.elf import describe

IDLE_S = 15.0
"""Longer than the sidecar keeps an idle worker: a backstop for a sidecar that was killed without its socket closing."""

FILE_CPU_S = 1.0
"""Processor seconds for one file: the largest library of a CUDA image takes 0.04."""

MEMORY_BYTES = 256 << 20
CPU_S = 600
NICENESS = 10


class FileTooSlowError(BaseException):
    """Raised by the timer. Not an Exception, so that the parser's own handlers let it through."""


def main(arguments: list[str]) -> None:
    """Serve one socket until it is idle or closed."""
    confine()
    with socket.socket(fileno=int(arguments[0])) as channel:
        channel.settimeout(IDLE_S)
        with contextlib.suppress(TimeoutError, ConnectionError):
            while _serve_one(channel):
                pass


def confine() -> None:
    """Give up what parsing does not need. `RLIMIT_FSIZE` 0: it writes nothing."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(NICENESS)


def _serve_one(channel: socket.socket) -> bool:
    request, descriptors, _, _ = socket.recv_fds(channel, 8, 1)
    if not request or not descriptors:
        return False
    with os.fdopen(descriptors[0], "rb") as stream:
        description = bounded_describe(stream)
    channel.send(encode(int.from_bytes(request, "little"), description))
    return True


def bounded_describe(stream: IO[bytes]) -> ElfDescription:
    """Describe within `FILE_CPU_S` of processor time; a file that takes more of it, or of memory, is malformed."""
    try:
        with _timer():
            return describe(stream)
    except (FileTooSlowError, MemoryError):
        return MALFORMED


@contextlib.contextmanager
def _timer() -> Iterator[None]:
    signal.signal(signal.SIGPROF, _too_slow)
    signal.setitimer(signal.ITIMER_PROF, FILE_CPU_S)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


def _too_slow(number: int, frame: object) -> None:
    raise FileTooSlowError


if __name__ == "__main__":
    main(sys.argv[1:])
