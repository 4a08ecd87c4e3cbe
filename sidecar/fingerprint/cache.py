"""Hashes that need not be made again. Pure: the clock is an argument.

A store through MAP_SHARED changes content and leaves size, mtime and ctime as they were, so only what the workload
cannot write is remembered for good. A writable file is hashed again, except that uses within `share_s` seconds of a
hash share it: a process that maps one library from eight threads costs one hash. What changes inside that window
through a shared mapping is missed; a change by write(2) is not, because it changes the key.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileKey:
    """A state of a file, as far as fstat can tell. Times are nanoseconds since the epoch."""

    device: int
    inode: int
    size: int
    mtime_ns: int
    ctime_ns: int


def key_of(status: os.stat_result) -> FileKey:
    """The key of a file by its status."""
    return FileKey(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


@dataclass(frozen=True, slots=True)
class _Kept:
    sha256: str
    hashed_at: float
    writable: bool


class HashCache:
    """The `entries` hashes used last. Times are seconds of any clock that never goes back."""

    def __init__(self, entries: int = 4096, share_s: float = 1.0) -> None:
        self._entries = entries
        self._share_s = share_s
        self._kept: OrderedDict[FileKey, _Kept] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, key: FileKey, *, writable: bool, now: float) -> str | None:
        """The sha256 of that state, or None where it has to be made."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if (writable or kept.writable) and not 0 <= now - kept.hashed_at < self._share_s:
            return None
        self._kept.move_to_end(key)
        return kept.sha256

    def put(self, key: FileKey, sha256: str, *, writable: bool, hashed_at: float) -> None:
        """Remember a hash. `hashed_at` is when reading began: what changed during it counts as later."""
        self._kept[key] = _Kept(sha256, hashed_at, writable)
        self._kept.move_to_end(key)
        if len(self._kept) > self._entries:
            self._kept.popitem(last=False)
