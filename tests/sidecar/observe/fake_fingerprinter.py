"""A fingerprinter that needs no files: content by name, and every descriptor that it got is closed."""

from __future__ import annotations

import os
from hashlib import sha256

from sidecar.observe.bodies import FileStat


def hash_of(name: str) -> str:
    """The hash that the fake gives a file of that name."""
    return sha256(name.encode("utf-8", "surrogateescape")).hexdigest()


class FakeFingerprinter:
    """Each file's content is its name; `missing` names cannot be read."""

    def __init__(self, *missing: str) -> None:
        self.missing = set(missing)
        self.asked: list[str] = []

    async def identify(self, fd: int, file: FileStat, path: str) -> str:
        os.close(fd)
        return self._hash(path)

    async def identify_path(self, path: str, cwd: str) -> str:
        return self._hash(os.path.join(cwd, path))

    def _hash(self, path: str) -> str:
        self.asked.append(path)
        return "" if path in self.missing else hash_of(path)
