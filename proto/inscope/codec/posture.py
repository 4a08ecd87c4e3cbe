"""Findings and alerts to the wire and back: what the operator API carries."""

from __future__ import annotations

from inscope.alert import Alert, Crossing
from inscope.capability import CapabilityKind
from inscope.codec.behaviour import behaviour_from_wire, behaviour_to_wire
from inscope.codec.bounds import items, member, text
from inscope.codec.words import (
    agent_from_wire,
    agent_to_wire,
    ancestor_to_wire,
    ancestry_from_wire,
    entry_from_wire,
    entry_to_wire,
    seconds,
    verdict_from_wire,
    verdict_to_wire,
    version_from_wire,
    version_to_wire,
    workload_from_wire,
    workload_to_wire,
)
from inscope.finding import Finding, HeldCapability, Tripwire
from inscope.v1 import operator_pb2 as pb


def tripwire_to_wire(tripwire: Tripwire) -> pb.Tripwire:
    return pb.Tripwire(id=tripwire.id, armed=tripwire.armed, reason=tripwire.reason)


def finding_to_wire(finding: Finding) -> pb.Finding:
    held = finding.capability
    return pb.Finding(
        id=finding.id,
        kind=finding.kind,
        workload=workload_to_wire(finding.workload),
        reference=version_to_wire(finding.reference),
        held=held.held,
        used=held.used,
        latent=held.latent,
        examples=held.examples,
        tripwire=tripwire_to_wire(finding.tripwire),
        sentence=finding.sentence,
        since=finding.since,
    )


def finding_from_wire(wire: pb.Finding) -> Finding:
    return Finding(
        text(wire.id, "finding.id"),
        member(CapabilityKind, wire.kind, "finding.kind"),
        workload_from_wire(wire.workload),
        version_from_wire(wire.reference),
        HeldCapability(
            wire.held, wire.used, wire.latent, items(wire.examples, lambda value: text(value, "example"), "examples")
        ),
        Tripwire(text(wire.tripwire.id, "tripwire.id"), wire.tripwire.armed, text(wire.tripwire.reason, "reason")),
        text(wire.sentence, "finding.sentence"),
        seconds(wire.since, "finding.since"),
    )


def crossing_to_wire(crossing: Crossing) -> pb.Crossing:
    return pb.Crossing(
        reference=version_to_wire(crossing.reference),
        entry=entry_to_wire(crossing.entry),
        finding=crossing.finding or "",
        reason=crossing.reason,
    )


def crossing_from_wire(wire: pb.Crossing) -> Crossing:
    return Crossing(
        version_from_wire(wire.reference),
        entry_from_wire(wire.entry),
        text(wire.finding, "crossing.finding") or None,
        text(wire.reason, "crossing.reason"),
    )


def alert_to_wire(alert: Alert) -> pb.Alert:
    return pb.Alert(
        id=alert.id,
        time=alert.time,
        last_seen=alert.last_seen,
        workload=workload_to_wire(alert.workload),
        agent=agent_to_wire(alert.agent),
        tripwire=alert.tripwire,
        crossed=[crossing_to_wire(crossing) for crossing in alert.crossed],
        behaviour=behaviour_to_wire(alert.behaviour),
        ancestry=[ancestor_to_wire(ancestor) for ancestor in alert.ancestry],
        verdict=verdict_to_wire(alert.verdict),
        techniques=alert.techniques,
        rank=alert.rank,
        sentence=alert.sentence,
        count=alert.count,
        trace_id=alert.trace_id,
        approved=alert.approved,
    )


def alert_from_wire(wire: pb.Alert) -> Alert:
    return Alert(
        id=text(wire.id, "alert.id"),
        time=seconds(wire.time, "alert.time"),
        last_seen=seconds(wire.last_seen, "alert.last_seen"),
        workload=workload_from_wire(wire.workload),
        agent=agent_from_wire(wire.agent),
        tripwire=text(wire.tripwire, "alert.tripwire"),
        crossed=items(wire.crossed, crossing_from_wire, "alert.crossed"),
        behaviour=behaviour_from_wire(wire.behaviour),
        ancestry=ancestry_from_wire(list(wire.ancestry)),
        verdict=verdict_from_wire(wire.verdict),
        techniques=items(wire.techniques, lambda value: text(value, "technique"), "alert.techniques"),
        rank=wire.rank,
        sentence=text(wire.sentence, "alert.sentence"),
        count=wire.count,
        trace_id=text(wire.trace_id, "alert.trace_id"),
        approved=text(wire.approved, "alert.approved"),
    )
