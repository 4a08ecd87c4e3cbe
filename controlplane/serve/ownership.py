"""One control plane per state folder: a lock that the kernel gives back whatever becomes of its holder."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class OwnedError(Exception):
    """Another process serves this state folder. The message says which."""


@contextmanager
def owned(state: Path) -> Iterator[None]:
    """Own `state` for the duration.

    Raises:
        OwnedError: somebody else does.
        OSError: the folder cannot be written.
    """
    descriptor = os.open(state / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, state)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, state: Path) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        owner = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip()
        who = f"process {owner}" if owner.isdecimal() else "another process"
        raise OwnedError(f"{state} is served by {who} already; stop it, or use another --state") from error
