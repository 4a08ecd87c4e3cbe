"""CloudTrail's events out of files: `{"Records": […]}`, `lookup-events` (`CloudTrailEvent` as text), or a line each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from controlplane.sources.aws_actions import Actions, known_actions
from controlplane.sources.cloudtrail import translate
from controlplane.sources.cloudtrail.translate import Event
from controlplane.sources.clusters import Clusters
from controlplane.sources.documents import Faults, records
from controlplane.sources.tally import Tally
from inscope.behaviour import PermissionUse
from inscope.coverage import Source
from inscope.exercise import Exercise, LogCoverage


class _Envelope(msgspec.Struct, frozen=True):
    CloudTrailEvent: str = ""


class CloudTrailReader:
    """Reads trails of any account: an event says its own. `clusters` are those whose service accounts take on roles.

    Raises:
        MissingDatabaseError: AWS's actions are not at hand.
    """

    def __init__(self, actions: Actions | None = None, clusters: Clusters | None = None) -> None:
        self._actions = actions or known_actions()
        self._clusters = clusters or Clusters()
        self._tally = Tally(Source.CLOUDTRAIL, "")
        self._event = msgspec.json.Decoder(Event)
        self._envelope = msgspec.json.Decoder(_Envelope)

    def read(self, source: BinaryIO) -> Iterator[Exercise]:
        """Everything that a file tells."""
        faults = Faults()
        for record in records(source, faults):
            yield from self.record(record)
        self._tally.malformed += faults.malformed + faults.cut

    def record(self, record: bytes) -> Iterator[Exercise]:
        """What one record tells."""
        try:
            if b'"CloudTrailEvent"' in record:  # or the event has that text in it, which anybody can have it say
                record = self._envelope.decode(record).CloudTrailEvent.encode() or record
            event = self._event.decode(record)
            told = list(translate.exercises(event, self._actions, self._clusters))
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self._tally.malformed += 1
            return
        if not translate.sound(event):
            self._tally.malformed += 1
            return
        if not event.event_id or event.event_time is None or not event.event_version.startswith("1."):
            self._tally.unknown(
                f"event version {event.event_version[:20]}" if event.event_id else "no CloudTrail event"
            )
            return
        self._tally.event(event.event_time.timestamp())
        if not told:
            self._tally.unknown(f"{event.event_source}:{event.event_name}"[:200])
        for each in told:
            if isinstance(each.behaviour, PermissionUse):
                self._note(each.behaviour, event)
            yield each

    def coverage(self) -> LogCoverage:
        """What was read so far."""
        return self._tally.coverage()

    def _note(self, use: PermissionUse, event: Event) -> None:
        service, action = use.permission.service, use.permission.action
        level = translate.level_of(service, action, self._actions)
        self._tally.seen.add((f"{service} data" if translate.is_data(event) else service, level))
