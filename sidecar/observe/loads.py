"""Files mapped executable, and executable memory without a file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from inscope.behaviour import CodeMemory, Contradiction, Load
from inscope.verdict import Verdict
from sidecar.observe.actors import Actors
from sidecar.observe.bodies import Head
from sidecar.observe.drafts import Draft, open_file
from sidecar.observe.kinds import Flag
from sidecar.observe.processes import Process
from sidecar.observe.records import NO_FD, LoadRecord
from sidecar.observe.scribe import Scribe
from sidecar.observe.surveyor import Surveyor
from sidecar.observe.writers import Writers

_MISMATCH = int(Flag.MISMATCH)

_SHARED_MEMORY = (b"/dev/zero (deleted)", b"/SYSV")
"""What the kernel calls the files behind anonymous shared memory (mmap, shmget)."""


class Loads:
    """Loads, each with who wrote the file while it was watched. `close` takes a descriptor that no draft owns."""

    def __init__(
        self, actors: Actors, scribe: Scribe, writers: Writers, surveyor: Surveyor, close: Callable[[int], None]
    ) -> None:
        self._actors = actors
        self._scribe = scribe
        self._writers = writers
        self._surveyor = surveyor
        self._close = close

    def code_memory(self, head: Head) -> Sequence[Draft]:
        """Executable memory without a file."""
        process = self._actors.of(head)
        return (self._scribe.draft(head, process, CodeMemory(process.label)),)

    def load(self, record: LoadRecord) -> Sequence[Draft]:
        """A file is mapped executable."""
        process = self._actors.of(record.head)
        if record.head.flags & _MISMATCH:
            return (self._killed(record, process),)
        if record.path.startswith(_SHARED_MEMORY):
            self._discard(record.fd)
            return self.code_memory(record.head)
        if (record.file.device, record.file.inode) == process.image:
            self._discard(record.fd)
            return ()
        path = self._scribe.path(record.path)
        behaviour = Load(path, "", process.label, self._writer(record, path))
        return (Draft(self._scribe.observation(record.head, process, behaviour), open_file(record)),)

    def _killed(self, record: LoadRecord, process: Process) -> Draft:
        """Code that nobody judged was found in a process, which init has killed."""
        behaviour = Contradiction("a file that was judged", self._scribe.path(record.path), process.label)
        return Draft(replace(self._scribe.observation(record.head, process, behaviour), verdict=Verdict.KILL))

    def _writer(self, record: LoadRecord, path: str) -> str:
        if path in self._surveyor.libraries:
            return ""
        changed = record.file.ctime_ns > self._scribe.began_ns
        return self._writers.writer_of(record.path, changed_while_watched=changed)

    def _discard(self, fd: int) -> None:
        if fd != NO_FD:
            self._close(fd)
