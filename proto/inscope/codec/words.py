"""The words that travel in both APIs, to the wire and back. `X_from_wire` raises `CodecError` on anything unsound."""

from __future__ import annotations

import math

from inscope.capability import Capability, CapabilityKind
from inscope.codec.bounds import CodecError, items, member, reject, text
from inscope.containment import Containment
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.mode import Mode
from inscope.observation import MAX_ANCESTRY, Ancestor
from inscope.reference import Dimension, Entry, ReferenceKind, ReferenceVersion
from inscope.v1 import words_pb2 as pb
from inscope.verdict import Verdict
from inscope.workload import Agent, InvalidWorkloadError, Workload

_MODES = {Mode.OBSERVE: pb.MODE_OBSERVE, Mode.DETECT: pb.MODE_DETECT, Mode.ENFORCE: pb.MODE_ENFORCE}
_MODES_BACK = {wire: mode for mode, wire in _MODES.items()}
_VERDICTS = {
    Verdict.ALLOW: pb.VERDICT_ALLOW,
    Verdict.DENY: pb.VERDICT_DENY,
    Verdict.KILL: pb.VERDICT_KILL,
    Verdict.QUARANTINE: pb.VERDICT_QUARANTINE,
}
_VERDICTS_BACK = {wire: verdict for verdict, wire in _VERDICTS.items()}
_CONTAINMENTS = {
    Containment.FREE: pb.CONTAINMENT_FREE,
    Containment.QUARANTINED: pb.CONTAINMENT_QUARANTINED,
    Containment.FROZEN: pb.CONTAINMENT_FROZEN,
}
_CONTAINMENTS_BACK = {wire: containment for containment, wire in _CONTAINMENTS.items()}
_KINDS = {
    ReferenceKind.PERMISSION_GAP: pb.REFERENCE_KIND_PERMISSION_GAP,
    ReferenceKind.ENVELOPE: pb.REFERENCE_KIND_ENVELOPE,
    ReferenceKind.INVENTORY: pb.REFERENCE_KIND_INVENTORY,
    ReferenceKind.SCOPE_CHAIN: pb.REFERENCE_KIND_SCOPE_CHAIN,
}
_KINDS_BACK = {wire: kind for kind, wire in _KINDS.items()}


def seconds(value: float, field: str) -> float:
    """A time in seconds since the epoch; before 1970 or after the year 9999 is nonsense."""
    if not math.isfinite(value) or not 0 <= value < 253_402_300_800:
        reject(field, f"{value} is not a time")
    return value


def mode_to_wire(mode: Mode) -> pb.Mode.ValueType:
    return _MODES[mode]


def mode_from_wire(wire: pb.Mode.ValueType) -> Mode:
    try:
        return _MODES_BACK[wire]
    except KeyError:
        reject("mode", f"unknown value {wire}")


def containment_to_wire(containment: Containment) -> pb.Containment.ValueType:
    return _CONTAINMENTS[containment]


def containment_from_wire(wire: pb.Containment.ValueType) -> Containment:
    """What is not said is free: nobody ordered anything else."""
    if wire == pb.CONTAINMENT_UNSPECIFIED:
        return Containment.FREE
    try:
        return _CONTAINMENTS_BACK[wire]
    except KeyError:
        reject("containment", f"unknown value {wire}")


def verdict_to_wire(verdict: Verdict) -> pb.Verdict.ValueType:
    return _VERDICTS[verdict]


def verdict_from_wire(wire: pb.Verdict.ValueType) -> Verdict:
    try:
        return _VERDICTS_BACK[wire]
    except KeyError:
        reject("verdict", f"unknown value {wire}")


def workload_to_wire(workload: Workload) -> pb.Workload:
    return pb.Workload(cluster=workload.cluster, namespace=workload.namespace, kind=workload.kind, name=workload.name)


def workload_from_wire(wire: pb.Workload) -> Workload:
    try:
        return Workload(wire.namespace, wire.kind, wire.name, wire.cluster)
    except InvalidWorkloadError as error:
        raise CodecError(f"workload: {error}") from error


def agent_to_wire(agent: Agent) -> pb.Agent:
    return pb.Agent(
        workload=workload_to_wire(agent.workload),
        service_account=agent.service_account,
        role=agent.role,
        name=agent.name,
    )


def agent_from_wire(wire: pb.Agent) -> Agent:
    return Agent(
        workload_from_wire(wire.workload),
        text(wire.service_account, "agent.service_account"),
        text(wire.role, "agent.role"),
        text(wire.name, "agent.name"),
    )


def version_to_wire(version: ReferenceVersion) -> pb.ReferenceVersion:
    return pb.ReferenceVersion(kind=_KINDS[version.kind], version=version.version)


def version_from_wire(wire: pb.ReferenceVersion) -> ReferenceVersion:
    return ReferenceVersion(reference_kind_from_wire(wire.kind), wire.version)


def reference_kind_to_wire(kind: ReferenceKind) -> pb.ReferenceKind.ValueType:
    return _KINDS[kind]


def reference_kind_from_wire(wire: pb.ReferenceKind.ValueType) -> ReferenceKind:
    try:
        return _KINDS_BACK[wire]
    except KeyError:
        reject("reference.kind", f"unknown value {wire}")


def entry_to_wire(entry: Entry) -> pb.Entry:
    return pb.Entry(dimension=entry.dimension, value=entry.value, label=entry.label)


def entry_from_wire(wire: pb.Entry) -> Entry:
    return Entry(
        member(Dimension, wire.dimension, "entry.dimension"),
        text(wire.value, "entry.value"),
        text(wire.label, "entry.label"),
    )


def ancestor_to_wire(ancestor: Ancestor) -> pb.Ancestor:
    return pb.Ancestor(pid=ancestor.pid, start=ancestor.start, label=ancestor.label)


def ancestor_from_wire(wire: pb.Ancestor) -> Ancestor:
    return Ancestor(wire.pid, wire.start, text(wire.label, "ancestor.label"))


def ancestry_from_wire(wires: list[pb.Ancestor]) -> tuple[Ancestor, ...]:
    return items(wires, ancestor_from_wire, "ancestry", MAX_ANCESTRY)


def capability_to_wire(capability: Capability) -> pb.Capability:
    return pb.Capability(
        kind=capability.kind,
        members=sorted(capability.members),
        surveyed_at=capability.surveyed_at,
        complete=capability.complete,
    )


def capability_from_wire(wire: pb.Capability) -> Capability:
    members = items(wire.members, lambda value: text(value, "capability.member"), "capability.members")
    return Capability(
        member(CapabilityKind, wire.kind, "capability.kind"),
        frozenset(members),
        seconds(wire.surveyed_at, "capability.surveyed_at"),
        wire.complete,
    )


def coverage_to_wire(coverage: SourceCoverage) -> pb.SourceCoverage:
    return pb.SourceCoverage(
        source=coverage.source,
        since=coverage.since,
        until=coverage.until,
        losses={cause.value: count for cause, count in coverage.losses.items()},
        note=coverage.note,
    )


def coverage_from_wire(wire: pb.SourceCoverage) -> SourceCoverage:
    return SourceCoverage(
        member(Source, wire.source, "coverage.source"),
        seconds(wire.since, "coverage.since"),
        seconds(wire.until, "coverage.until"),
        {member(LossCause, cause, "coverage.losses"): count for cause, count in wire.losses.items()},
        text(wire.note, "coverage.note"),
    )
