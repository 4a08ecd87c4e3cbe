"""What drafts want hashed, asked of the fingerprinter; remembers what init need not pass again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from inscope.behaviour import Sha256
from inscope.observation import Observation
from sidecar.normalise.script_ref import FirstOf, InlineCode
from sidecar.observe.bodies import FileStat
from sidecar.observe.drafts import Draft, OpenFile, Want
from sidecar.observe.fingerprinter import Fingerprinter
from sidecar.observe.records import NO_FD

_State = tuple[int, int, int, int, int]


class Identities:
    """Completes drafts. `unknown` is called once for each hash that could not be had although it should exist.

    Init passes a file's descriptor again only after a second, so the hash of a state is remembered for the records
    between. A file by name (a script) is hashed only where our file system is the agent's: see `_same_view`.
    """

    def __init__(self, fingerprinter: Fingerprinter, unknown: Callable[[], None], capacity: int = 2048) -> None:
        self._fingerprinter = fingerprinter
        self._unknown = unknown
        self._capacity = capacity
        self._recent: OrderedDict[_State, asyncio.Task[Sha256]] = OrderedDict()

    async def complete(self, draft: Draft) -> Observation | None:
        """The finished observation; None where it only repeats an earlier one."""
        by_name = any(isinstance(want, FirstOf) for want in draft.wants)
        trusted = by_name and all(_same_view(want) for want in draft.wants if isinstance(want, OpenFile))
        program = await self._one(draft.program, draft.cwd, trusted) if draft.program else ""
        script = await self._together(draft.script, draft.cwd, trusted)
        return draft.complete(program, script)

    def starts(self, draft: Draft) -> None:
        """Begin to hash the descriptors of a draft, in the order in which records came."""
        for want in draft.wants:
            if isinstance(want, OpenFile) and want.fd != NO_FD:
                self._remember(want.file, asyncio.ensure_future(self._identify(want)))

    async def _identify(self, want: OpenFile) -> Sha256:
        return await self._fingerprinter.identify(want.fd, want.file, want.path)

    def _remember(self, file: FileStat, task: asyncio.Task[Sha256]) -> None:
        self._recent[file.state] = task
        self._recent.move_to_end(file.state)
        if len(self._recent) > self._capacity:
            self._recent.popitem(last=False)

    async def _one(self, want: Want, cwd: str, trusted: bool) -> Sha256:
        match want:
            case InlineCode(code):
                return sha256(code).hexdigest()
            case OpenFile():
                found = await self._open_file(want)
            case FirstOf(paths):
                found = await self._first_of(paths, cwd) if trusted else ""
        if not found:
            self._unknown()
        return found

    async def _open_file(self, want: OpenFile) -> Sha256:
        task = self._recent.get(want.file.state)
        if task is None:
            return ""
        return task.result() if task.done() else await asyncio.shield(task)

    async def _first_of(self, paths: tuple[str, ...], cwd: str) -> Sha256:
        for path in paths:
            found = await self._fingerprinter.identify_path(path, cwd)
            if found:
                return found
        return ""

    async def _together(self, wants: tuple[Want, ...], cwd: str, trusted: bool) -> Sha256:
        """One source is its own hash; several are the hash of their hashes; one unknown makes all unknown."""
        hashes = [await self._one(want, cwd, trusted) for want in wants]
        if len(hashes) < 2 or not all(hashes):
            return hashes[0] if len(hashes) == 1 else ""
        return sha256("".join(hashes).encode()).hexdigest()


def _same_view(want: OpenFile) -> bool:
    """Whether the name of a file that init passed leads us to that very file: then other names mean the same too."""
    try:
        status = Path(want.path).stat()
    except (OSError, ValueError):  # ValueError: a NUL inside the name
        return False
    return (status.st_dev, status.st_ino) == (want.file.device, want.file.inode)
