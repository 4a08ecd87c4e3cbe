"""Audit events out of files and feeds, in the envelopes that managed clusters put around them. Pure but for reading.

| envelope | who | where the event is |
|---|---|---|
| none, `EventList`, array | `--audit-log-path`, webhooks | the record |
| `logEvents[]`, `events[]` | EKS, through CloudWatch Logs | `message`, as text |
| `records[]` | AKS, through diagnostic settings | `properties.log`, as text or object |
| `protoPayload` | GKE, through Cloud Audit Logs | the payload, in other words |
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import BinaryIO

import msgspec

from controlplane.sources.audit import gke, translate
from controlplane.sources.audit.event import VERSIONS, Event, written
from controlplane.sources.documents import Faults, records
from controlplane.sources.tally import Tally
from inscope.behaviour import PermissionUse
from inscope.coverage import Source
from inscope.exercise import Exercise, LogCoverage


class _Properties(msgspec.Struct, frozen=True):
    log: msgspec.Raw = msgspec.Raw(b"null")


class _Envelope(msgspec.Struct, frozen=True, rename=written):
    """What is around an event, or is one: an event has an id."""

    audit_id: str = ""
    message: str = ""
    properties: _Properties = _Properties()
    proto_payload: gke.Payload | None = None
    insert_id: str = ""
    timestamp: msgspec.Raw = msgspec.Raw(b"null")


class AuditReader:
    """Reads one log. `cluster` is the name that its workloads bear; empty where there is one only."""

    def __init__(self, cluster: str = "") -> None:
        self._tally = Tally(Source.KUBERNETES_AUDIT, cluster)
        self._event = msgspec.json.Decoder(Event)
        self._envelope = msgspec.json.Decoder(_Envelope)

    def read(self, source: BinaryIO) -> Iterator[Exercise]:
        """Everything that a file tells."""
        faults = Faults()
        for record in records(source, faults):
            yield from self.record(record)
        self._tally.malformed += faults.malformed + faults.cut

    def record(self, record: bytes) -> Iterator[Exercise]:
        """What one record tells, in whichever envelope."""
        try:
            event = self._unwrapped(record)
        except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
            self._tally.malformed += 1
            return
        if event is not None:
            yield from self.event(event)

    def event(self, event: Event) -> Iterator[Exercise]:
        """What one event tells."""
        moment = event.request_received_timestamp or event.stage_timestamp
        if not event.audit_id or moment is None or event.api_version not in VERSIONS:
            self._tally.unknown(event.api_version or "an event without id or time")
            return
        time = _seconds(moment)
        self._tally.event(time)
        told = list(translate.exercises(event, time))
        if not told:
            self._tally.unknown(
                f"stage {event.stage[:40]}" if event.stage != "ResponseComplete" else "not authenticated"
            )
        for each in told:
            if isinstance(each.behaviour, PermissionUse):
                permission = each.behaviour.permission
                self._tally.seen.add((permission.service, translate.level(permission)))
            yield each

    def coverage(self) -> LogCoverage:
        """What was read so far."""
        return self._tally.coverage()

    def _unwrapped(self, record: bytes) -> Event | None:
        if b'"auditID"' in record[:512] or b'"requestReceivedTimestamp"' in record:
            event = self._event.decode(record)
            if event.audit_id:
                return event
        envelope = self._envelope.decode(record)
        if envelope.message.startswith("{"):
            return self._event.decode(envelope.message)
        if envelope.proto_payload is not None:
            return gke.event(envelope.proto_payload, envelope.insert_id, msgspec.json.decode(envelope.timestamp))
        log = bytes(envelope.properties.log)
        if log.startswith(b'"'):
            return self._event.decode(msgspec.json.decode(log, type=str))
        if log.startswith(b"{"):
            return self._event.decode(log)
        self._tally.unknown("a record that holds no audit event")
        return None


def _seconds(moment: datetime) -> float:
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
