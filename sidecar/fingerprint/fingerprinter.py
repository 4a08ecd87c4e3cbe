"""Who a file is: its sha256, made once where that is sound, and described once for people.

Hashing happens in a thread (`hashing.py`), describing in a process of its own (`describer.py`); here they are joined
with the cache, and uses of one file at the same time share one hash.
"""

from __future__ import annotations

import asyncio
import os
import stat
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from inscope.binary import Binary
from inscope.text import printable
from sidecar.fingerprint.cache import FileKey, HashCache, key_of
from sidecar.fingerprint.describer import Describer
from sidecar.fingerprint.hashing import Hasher

MAX_DESCRIBED = 16_384
"""Hashes remembered as described. One that fell out is described again; the control plane keeps one row a hash."""

MAX_WAITING = 128
"""Files that wait to be described, each with an open descriptor. A file over it is described at its next use."""


class Witnessed(Protocol):
    """What the observer says of a file: whether the agent's credentials may write it (0: not)."""

    @property
    def writable(self) -> int: ...


@dataclass(frozen=True, slots=True)
class _Undescribed:
    descriptor: int
    sha256: str
    path: str


class Fingerprinter:
    """Identifies files for the observers. `on_detail` gets each new hash's description; `clock` never goes back."""

    def __init__(
        self,
        hasher: Hasher,
        describer: Describer,
        cache: HashCache,
        on_detail: Callable[[Binary], None],
        clock: Callable[[], float],
    ) -> None:
        self._hasher = hasher
        self._describer = describer
        self._cache = cache
        self._on_detail = on_detail
        self._clock = clock
        self._hashing: dict[FileKey, asyncio.Task[str]] = {}
        self._described: OrderedDict[bytes, None] = OrderedDict()
        self._waiting: asyncio.Queue[_Undescribed] = asyncio.Queue(MAX_WAITING)

    async def identify(self, fd: int, file: Witnessed, path: str) -> str:
        """The sha256 of an open file, or "" where it cannot be known. Takes over `fd` and closes it.

        `path` is what a reader is shown for it; it is never opened.
        """
        try:
            sha256 = await self._sha256(fd, writable=bool(file.writable))
        except OSError:
            return ""
        else:
            if sha256:
                self._want_description(fd, sha256, path)
            return sha256
        finally:
            os.close(fd)

    async def identify_path(self, path: str, cwd: str) -> str:
        """The sha256 of a regular file by name, or "". For scripts, whose interpreter opens them by name too.

        A folder whose path is too long for the kernel to tell is no folder: what is relative to it is not identified.
        """
        file = Path(cwd, path)
        if not file.is_absolute():
            return ""
        try:
            fd = open_regular(file)
        except (OSError, ValueError):  # ValueError: a NUL inside the name
            return ""
        try:
            return await self._sha256(fd, writable=True)
        except OSError:
            return ""
        finally:
            os.close(fd)

    async def describe_new(self) -> None:
        """Describe what waits, for ever; cancel to end."""
        while True:
            await self._describe(await self._waiting.get())

    def close(self) -> None:
        """End the thread and the process."""
        self._describer.close()
        self._hasher.close()
        while not self._waiting.empty():
            os.close(self._waiting.get_nowait().descriptor)

    async def _sha256(self, fd: int, *, writable: bool) -> str:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            return ""
        key = key_of(status)
        known = self._cache.get(key, writable=writable, now=self._clock())
        return known or await self._hash_once(fd, key, writable=writable)

    async def _hash_once(self, fd: int, key: FileKey, *, writable: bool) -> str:
        """Hash, or share the hash that is being made of the same state; shielded, because others may share it."""
        task = self._hashing.get(key)
        if task is None:
            self._hashing[key] = task = asyncio.create_task(self._hash(os.dup(fd), writable=writable))
            task.add_done_callback(lambda _: self._hashing.pop(key, None))
        return await asyncio.shield(task)

    async def _hash(self, fd: int, *, writable: bool) -> str:
        began = self._clock()
        hashed = await self._hasher.hash(fd)
        if hashed.key:
            self._cache.put(hashed.key, hashed.sha256, writable=writable, hashed_at=began)
        return hashed.sha256

    def _want_description(self, fd: int, sha256: str, path: str) -> None:
        digest = bytes.fromhex(sha256)
        if digest in self._described or self._waiting.full():
            return
        self._described[digest] = None
        if len(self._described) > MAX_DESCRIBED:
            self._described.popitem(last=False)
        self._waiting.put_nowait(_Undescribed(os.dup(fd), sha256, path))

    async def _describe(self, file: _Undescribed) -> None:
        try:
            elf = await self._describer.describe(file.descriptor)
            size = os.fstat(file.descriptor).st_size
        finally:
            os.close(file.descriptor)
        self._on_detail(Binary(file.sha256, printable(file.path), size, elf))


def open_regular(path: Path) -> int:
    """A descriptor to read a regular file, found without side effects: opening a device or a FIFO has some.

    Raises:
        OSError: it is missing, unreadable, or not a regular file.
    """
    handle = os.open(path, os.O_PATH | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            raise OSError(f"not a regular file: {path}")
        return os.open(f"/proc/self/fd/{handle}", os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    finally:
        os.close(handle)
