"""The port through which observing asks what a file's content is. `sidecar.fingerprint` implements it."""

from __future__ import annotations

from typing import Protocol

from inscope.behaviour import Sha256
from sidecar.observe.bodies import FileStat


class Fingerprinter(Protocol):
    """Content identity of files. Both methods answer "" for what cannot be read, and raise nothing for it."""

    async def identify(self, fd: int, file: FileStat, path: str) -> Sha256:
        """The sha256 of the open file `fd`, which it then owns. `file` is its state, `path` only describes it."""
        ...

    async def identify_path(self, path: str, cwd: str) -> Sha256:
        """The sha256 of the regular file at `path`, taken relative to `cwd`.

        Both are names in the file system's encoding with surrogate escapes (`os.fsdecode`), not display text.
        """
        ...
