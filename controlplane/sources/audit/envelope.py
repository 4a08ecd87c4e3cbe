"""Which envelope a record is, and the events that are in it: plain, or as EKS, AKS and GKE hand them out. Pure.

Envelopes hold one another (an Azure record a JSON text, a CloudWatch subscription one per event), to a small depth.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import DecodeError, Raw

from controlplane.sources.audit.decision import Unmapped
from controlplane.sources.audit.event import VERSION, Event, GkePayload, Record, decode_list, decode_record
from controlplane.sources.audit.gke import SERVICE, event_of_gke
from controlplane.sources.audit.translate import BadEventError

MAX_DEPTH = 4
"""Envelopes within one another: a list of CloudWatch subscriptions of events is three."""

Found = Event | Unmapped | BadEventError
"""An event, or what is there instead of one."""

_NOT_JSON = "not JSON, or not of an event's shape"


def events_in(raw: bytes | Raw | str, depth: int = 0) -> Iterator[Found]:
    """The events of one JSON value, in order. What one of them lacks does not end the others."""
    if depth > MAX_DEPTH:
        yield BadEventError(f"more than {MAX_DEPTH} envelopes within one another")
        return
    try:
        record = decode_record(raw)
    except RecursionError:
        yield BadEventError("nested too deeply")
        return
    except (DecodeError, UnicodeDecodeError):
        yield from _listed(raw, depth)
        return
    yield from _within(record, depth)


def _listed(raw: bytes | Raw | str, depth: int) -> Iterator[Found]:
    try:
        members = decode_list(raw)
    except (DecodeError, UnicodeDecodeError, RecursionError):
        yield BadEventError(_NOT_JSON)
        return
    for member in members:
        yield from events_in(member, depth + 1)


def _within(record: Record, depth: int) -> Iterator[Found]:
    if record.auditID:
        yield record
    elif record.protoPayload is not None:
        yield _gke(record, record.protoPayload)
    elif record.properties is not None:
        yield from _aks(record, depth)
    elif record.message is not None:
        yield from _cloudwatch(record, record.message, depth)
    else:
        yield from _members(record, depth)


def _members(record: Record, depth: int) -> Iterator[Found]:
    refused = refused_list(record.kind, record.apiVersion) if record.items is not None else ""
    for members in (record.items, record.logEvents, record.events, record.records):
        if members is not None:
            for member in members:
                if refused:
                    yield BadEventError(refused)
                else:
                    yield from events_in(member, depth + 1)
            return
    yield BadEventError(_NOT_JSON)


def refused_list(kind: str, version: str) -> str:
    """Why the members of a list of this kind and version are not read; empty where they are."""
    if kind not in ("", "EventList") or version not in ("", VERSION):
        return f"a list that is not of {VERSION}"
    return ""


def _gke(record: Record, payload: GkePayload) -> Found:
    if payload.serviceName not in ("", SERVICE) or not payload.methodName.startswith("io."):
        return Unmapped("Cloud Audit Logs of another service")
    try:
        return event_of_gke(record, payload)
    except BadEventError as fault:
        return fault


def _aks(record: Record, depth: int) -> Iterator[Found]:
    log = record.properties.log if record.properties else None
    if record.category not in ("", "kube-audit", "kube-audit-admin"):
        yield Unmapped("Azure diagnostics of another category")
    elif isinstance(log, Event):
        yield log
    elif isinstance(log, str):
        yield from events_in(log, depth + 1)
    else:
        yield BadEventError("an Azure record without properties.log")


def _cloudwatch(record: Record, message: str, depth: int) -> Iterator[Found]:
    stream = record.logStreamName
    if message.startswith("CWL CONTROL MESSAGE"):  # how a subscription tries whether anybody is there
        yield Unmapped("CloudWatch control message")
    elif stream and not stream.startswith("kube-apiserver-audit-"):
        yield Unmapped("CloudWatch stream of another component")
    else:
        yield from events_in(message, depth + 1)
