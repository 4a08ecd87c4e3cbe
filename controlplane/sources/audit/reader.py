"""Audit events out of files, plain or gzip, in constant memory, in the envelopes that managed clusters put around them.

| envelope | who | where the event is |
|---|---|---|
| none, `EventList`, array | `--audit-log-path`, webhooks | the record |
| `logEvents[]`, `events[]` | EKS, through CloudWatch Logs | `message`, as text |
| `records[]`, or each a line | AKS, through diagnostic settings | `properties.log`, as text or object |
| `protoPayload` | GKE, through Cloud Audit Logs | the payload, in other words |
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from controlplane.sources.audit.envelope import events_in, refused_list
from controlplane.sources.audit.telling import Telling
from controlplane.sources.audit.translate import Translation
from controlplane.sources.gzip_text import text_of
from controlplane.sources.splitting import BEGIN, Broken, Mark, Records
from inscope.exercise import Exercise, LogCoverage

_DEFAULT = Translation()


class AuditReader:
    """Reads one log, of one file or of several. `cluster` is the name that its workloads bear; empty where there is one
    only.
    """

    def __init__(self, cluster: str = "", translation: Translation = _DEFAULT) -> None:
        self._telling = Telling(cluster, translation)
        self.mark = BEGIN

    def read(self, source: BinaryIO, start: Mark = BEGIN) -> Iterator[Exercise]:
        """Everything that a file, open at its beginning, tells from `start` on.

        `self.mark` is how far this file was read. Whoever is interrupted goes on from there: a record whose exercises
        were not all taken is read again. What `coverage` says of the part before has to be kept beside the mark.
        """
        take, cut = self._telling.take, list[str]()
        records = Records(text_of(source, start.offset, cut.append), start, refused_list)
        self.mark = start
        for record in records:
            if isinstance(record, Broken):
                take(record)
            else:
                for found in events_in(record):
                    yield from take(found)
            self.mark = records.mark
        for reason in cut:
            take(Broken(reason))

    @property
    def faults(self) -> dict[str, int]:
        """What was not understood, by the reason."""
        return dict(self._telling.faults)

    @property
    def duplicates(self) -> int:
        """Events that had been told already."""
        return self._telling.duplicates

    def coverage(self) -> LogCoverage:
        """What was covered so far; `malformed` counts the faults, a cut among them."""
        return self._telling.coverage()
