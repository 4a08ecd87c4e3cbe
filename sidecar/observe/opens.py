"""Files opened: secrets read, and anything watched written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from inscope.behaviour import Access, Contradiction, Open
from inscope.verdict import Verdict
from sidecar.observe.actors import Actors
from sidecar.observe.drafts import Draft
from sidecar.observe.kinds import Flag
from sidecar.observe.open_flags import accesses_of
from sidecar.observe.patterns import WatchList
from sidecar.observe.processes import Process
from sidecar.observe.records import OpenRecord
from sidecar.observe.scribe import Scribe
from sidecar.observe.writers import Writers

_MISMATCH = int(Flag.MISMATCH)


class Opens:
    """Opens, with who wrote what kept in `writers`."""

    def __init__(self, actors: Actors, scribe: Scribe, writers: Writers, watch_list: WatchList) -> None:
        self._actors = actors
        self._scribe = scribe
        self._writers = writers
        self._watch_list = watch_list
        self.all_reads = False
        """Whether each read is told, or only those of secrets."""

    def open(self, record: OpenRecord) -> Sequence[Draft]:
        """A watched path is opened: nothing, or one draft for each name and way in which that counts."""
        process = self._actors.of(record.head)
        if not record.call.nr:
            return (self._unjudged(record, process),)
        wanted = accesses_of(self._scribe.call(record.call.nr, record.head), record.call.open_flags)
        if Access.WRITE in wanted:
            for path in filter(None, (record.path, record.real)):
                self._writers.wrote(path, process.label)
        opens = self._opens(record, process, wanted)
        return tuple(self._scribe.draft(record.head, process, behaviour) for behaviour in opens)

    def _unjudged(self, record: OpenRecord, process: Process) -> Draft:
        """A secret was opened, and no open of it was judged: init has killed whoever was found with it."""
        behaviour = Contradiction("another file", self._scribe.path(record.path), process.label)
        return Draft(replace(self._scribe.observation(record.head, process, behaviour), verdict=Verdict.KILL))

    def _opens(self, record: OpenRecord, process: Process, wanted: Sequence[Access]) -> Iterator[Open]:
        for access in wanted if record.path else ():
            # A file that was not there was not read; scripts and the like are watched without being reported.
            if access is Access.WRITE:
                path = self._written(record)
                yield Open(self._scribe.path(path), access, process.label, self._watch_list.is_secret(path))
            elif record.call.inode:
                yield from self._reads(record, process)

    def _written(self, record: OpenRecord) -> bytes:
        """The name that counts: the one it was asked for by, unless only the other is watched."""
        given = not record.real or self._watch_list.is_watched_write(record.path)
        return record.path if given or not self._watch_list.is_watched_write(record.real) else record.real

    def _reads(self, record: OpenRecord, process: Process) -> Iterator[Open]:
        """A secret by each of its names: whoever may read what is called the one may not thereby read the other."""
        secret = self._watch_list.is_secret(record.path)
        if secret or self.all_reads:
            yield Open(self._scribe.path(record.path), Access.READ, process.label, secret)
        name = record.real or record.path
        hidden = bool(record.head.flags & _MISMATCH) and not self._watch_list.is_public(name)
        if (hidden or self._watch_list.is_secret(name)) and not (secret and _settled(name) == _settled(record.path)):
            yield Open(self._scribe.path(name), Access.READ, process.label, secret=True)


def _settled(path: bytes) -> bytes:
    """A path without the links that every container has: those of a Kubernetes volume, and /var/run."""
    parts = [part for part in path.split(b"/") if not part.startswith(b"..")]
    return b"/".join(parts).replace(b"/var/run/", b"/run/", 1)
