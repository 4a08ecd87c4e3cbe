"""The loop's answers to operators, to the wire."""

from __future__ import annotations

from controlplane.detect.dry_run import DenialGroup
from controlplane.detect.two_way import Blank, TwoWay, TwoWayFinding
from controlplane.loop.detail import InstanceDetail, ReferenceDetail, WorkloadDetail, WorkloadSummary
from controlplane.loop.unenrolled import UnenrolledRun
from controlplane.posture.gate import Gate
from controlplane.store.port import ModeChange, Order
from inscope.codec import (
    alert_to_wire,
    behaviour_to_wire,
    binary_to_wire,
    containment_to_wire,
    coverage_to_wire,
    entry_to_wire,
    finding_to_wire,
    mode_to_wire,
    version_to_wire,
    workload_to_wire,
)
from inscope.reference import Entry, Evidence
from inscope.v1 import operator_pb2 as pb


def summary_to_wire(summary: WorkloadSummary) -> pb.WorkloadSummary:
    """One line about a workload."""
    return pb.WorkloadSummary(
        workload=workload_to_wire(summary.workload),
        mode=mode_to_wire(summary.mode),
        first_seen=summary.first_seen,
        last_seen=summary.last_seen,
        live_instances=summary.live_instances,
        instances=summary.instances,
        findings=summary.findings,
        alerts=summary.alerts,
        ready=summary.ready,
        lost_runs=summary.lost_runs,
        last_exit_status=summary.last_exit_status,
        containment=containment_to_wire(summary.containment),
        contained_instances=summary.contained_instances,
        apart={kind.value: mode_to_wire(mode) for kind, mode in summary.apart.items()},
        log_days=summary.log_days,
    )


def detail_to_wire(detail: WorkloadDetail) -> pb.WorkloadDetail:
    """Everything about a workload."""
    return pb.WorkloadDetail(
        summary=summary_to_wire(detail.summary),
        instances=[instance_to_wire(instance) for instance in detail.instances],
        gates=[gate_to_wire(gate) for gate in detail.gates],
        references=[reference_to_wire(reference) for reference in detail.references],
        mode_changes=[mode_change_to_wire(change) for change in detail.mode_changes],
        unenrolled=[unenrolled_to_wire(run) for run in detail.unenrolled],
        linkages={linkage.value: count for linkage, count in detail.linkages.items()},
        binaries=[binary_to_wire(binary) for binary in detail.binaries],
        orders=[order_to_wire(order) for order in detail.orders],
        enforce_gates=[gate_to_wire(gate) for gate in detail.enforce_gates],
    )


def unenrolled_to_wire(run: UnenrolledRun) -> pb.UnenrolledRun:
    """A run that was announced and has not enrolled."""
    return pb.UnenrolledRun(
        id=run.instance, issued=run.issued, expires=run.expires, lost=run.lost, sentence=run.sentence
    )


def instance_to_wire(instance: InstanceDetail) -> pb.InstanceDetail:
    """One instance."""
    row = instance.row
    return pb.InstanceDetail(
        id=row.id,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        live=instance.live,
        mode=mode_to_wire(row.mode),
        acknowledged=[version_to_wire(version) for version in row.acknowledged],
        coverage=[coverage_to_wire(coverage) for coverage in row.coverage],
        exit_status=row.exit_status,
        containment=containment_to_wire(row.containment),
        in_force_since=row.in_force_since,
        refused=row.refused,
        lapsed=row.lapsed,
        ordered=containment_to_wire(instance.ordered),
    )


def gate_to_wire(gate: Gate) -> pb.Gate:
    """One gate with its number."""
    return pb.Gate(name=gate.name, met=gate.met, value=gate.value, threshold=gate.threshold, sentence=gate.sentence)


def reference_to_wire(reference: ReferenceDetail) -> pb.ReferenceDetail:
    """One reference, with its entries where they were asked for."""
    return pb.ReferenceDetail(
        version=version_to_wire(reference.version),
        dimensions={dimension.value: size for dimension, size in reference.dimensions.items()},
        entries=[entry_detail_to_wire(entry, evidence) for entry, evidence in reference.entries],
    )


def entry_detail_to_wire(entry: Entry, evidence: Evidence) -> pb.EntryDetail:
    """An entry and why it is in scope."""
    return pb.EntryDetail(
        entry=entry_to_wire(entry),
        first_seen=evidence.first_seen,
        last_seen=evidence.last_seen,
        count=evidence.count,
        sessions=evidence.sessions,
        instances=evidence.instances,
        source=evidence.source,
        standing=evidence.standing,
    )


def mode_change_to_wire(change: ModeChange) -> pb.ModeChange:
    """One line of the audit trail."""
    reference = change.reference or ""
    mode = mode_to_wire(change.mode)
    return pb.ModeChange(time=change.time, mode=mode, by=change.by, forced=change.forced, reference=reference)


def order_to_wire(order: Order) -> pb.Order:
    """One line of the audit trail of what was ordered."""
    return pb.Order(time=order.time, act=order.act, instance=order.instance, by=order.by, reason=order.reason)


def group_to_wire(group: DenialGroup) -> pb.DenialGroup:
    """One group of a dry run."""
    return pb.DenialGroup(
        id=group.id,
        workload=workload_to_wire(group.workload),
        kind=group.kind,
        actor=group.actor,
        target=group.target,
        count=group.count,
        denied=group.denied,
        first_seen=group.first_seen,
        last_seen=group.last_seen,
        examples=[behaviour_to_wire(act) for act in group.examples],
        behaviours=len(group.denials),
        missing=[entry_to_wire(entry) for entry in group.missing],
        never=group.never,
    )


def two_way_to_wire(answer: TwoWay) -> pb.TwoWayResponse:
    """Both directions and the blanks."""
    return pb.TwoWayResponse(
        findings=[two_way_finding_to_wire(finding) for finding in answer.findings],
        alerts=[alert_to_wire(alert) for alert in answer.alerts],
        blanks=[blank_to_wire(blank) for blank in answer.blanks],
    )


def two_way_finding_to_wire(finding: TwoWayFinding) -> pb.TwoWayFinding:
    """A finding and its proof."""
    return pb.TwoWayFinding(
        finding=finding_to_wire(finding.finding), proof=finding.proof.value, proof_reason=finding.reason
    )


def blank_to_wire(blank: Blank) -> pb.Blank:
    """One hole."""
    return pb.Blank(what=blank.what, why=blank.why)
