"""Files opened: secrets read, and anything watched written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from inscope.behaviour import Access, Open
from sidecar.observe.actors import Actors
from sidecar.observe.drafts import Draft
from sidecar.observe.open_flags import accesses_of
from sidecar.observe.patterns import WatchList
from sidecar.observe.processes import Process
from sidecar.observe.records import OpenRecord
from sidecar.observe.scribe import Scribe
from sidecar.observe.writers import Writers


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
        """A watched path is opened: nothing, or one draft for each way in which that counts."""
        process = self._actors.of(record.head)
        wanted = accesses_of(self._scribe.call(record.call.nr, record.head), record.call.open_flags)
        if Access.WRITE in wanted and record.path:
            self._writers.wrote(record.path, process.label)
        opens = self._opens(record, process, wanted)
        return tuple(self._scribe.draft(record.head, process, behaviour) for behaviour in opens)

    def _opens(self, record: OpenRecord, process: Process, wanted: Sequence[Access]) -> Iterator[Open]:
        secret = self._watch_list.is_secret(record.path)
        for access in wanted if record.path else ():
            # A file that was not there was not read; scripts and the like are watched without being reported.
            read = access is Access.READ and record.call.inode and (secret or self.all_reads)
            if read or access is Access.WRITE:
                yield Open(self._scribe.path(record.path), access, process.label, secret)
