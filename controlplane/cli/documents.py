"""What `-o json` prints: the stable, documented shape of each word (docs/cli.md). Pure.

Times are RFC 3339 in UTC with microseconds, or null where a thing has not happened. Fields are added, never renamed.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from controlplane.cli.confirmation import Confirmation
from inscope.alert import Alert, Crossing
from inscope.behaviour import Behaviour, Exec, actor_of, kind_of, subject_of
from inscope.binary import Binary
from inscope.codec import (
    alert_from_wire,
    behaviour_from_wire,
    binary_from_wire,
    containment_from_wire,
    coverage_from_wire,
    entry_from_wire,
    finding_from_wire,
    mode_from_wire,
    version_from_wire,
    workload_from_wire,
)
from inscope.coverage import SourceCoverage
from inscope.finding import Finding
from inscope.reference import Entry, ReferenceVersion
from inscope.v1 import operator_pb2 as pb
from inscope.v1 import words_pb2
from inscope.workload import Agent

Document = dict[str, Any]
"""A JSON object on its way out; nothing reads one back."""


def rfc3339(seconds: float) -> str | None:
    """Seconds since the epoch as text; null for 0, which stands for "not yet" everywhere."""
    if not seconds:
        return None
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def finding_document(finding: Finding) -> Document:
    """One finding."""
    return {
        "id": finding.id,
        "kind": finding.kind.value,
        "workload": str(finding.workload),
        "reference": version_document(finding.reference),
        "capability": asdict(finding.capability),
        "tripwire": asdict(finding.tripwire),
        "sentence": finding.sentence,
        "since": rfc3339(finding.since),
    }


def alert_document(alert: Alert) -> Document:
    """One alert with everything it crossed."""
    return {
        "id": alert.id,
        "time": rfc3339(alert.time),
        "last_seen": rfc3339(alert.last_seen),
        "workload": str(alert.workload),
        "agent": agent_document(alert.agent),
        "tripwire": alert.tripwire,
        "crossed": [crossing_document(crossing) for crossing in alert.crossed],
        "behaviour": behaviour_document(alert.behaviour),
        "ancestry": [asdict(ancestor) for ancestor in alert.ancestry],
        "verdict": alert.verdict.value,
        "techniques": list(alert.techniques),
        "rank": alert.rank,
        "sentence": alert.sentence,
        "count": alert.count,
        "trace_id": alert.trace_id,
        "approved": alert.approved,
    }


def agent_document(agent: Agent) -> Document:
    """Who an alert is about."""
    return {**asdict(agent), "workload": str(agent.workload)}


def crossing_document(crossing: Crossing) -> Document:
    """One reference that was left; `finding` is null where none foresaw it, and `reason` says why."""
    return {
        "reference": version_document(crossing.reference),
        "entry": entry_document(crossing.entry),
        "finding": crossing.finding,
        "reason": crossing.reason,
    }


def behaviour_document(behaviour: Behaviour) -> Document:
    """`kind`, `subject` and `actor` for every kind, then its own; `program` is an object, for exec only."""
    own = asdict(behaviour)
    for name in ("parent",) if isinstance(behaviour, Exec) else ("program", "principal"):
        own.pop(name, None)
    return {"kind": kind_of(behaviour), "subject": subject_of(behaviour), "actor": actor_of(behaviour), **own}


def version_document(version: ReferenceVersion) -> Document:
    """Which state of which reference."""
    return {"kind": version.kind.value, "version": version.version}


def entry_document(entry: Entry) -> Document:
    """One thing in scope, or missing from it."""
    return {"dimension": entry.dimension.value, "value": entry.value, "label": entry.label}


def workload_document(summary: pb.WorkloadSummary) -> Document:
    """One line of `workloads`."""
    return {
        "workload": str(workload_from_wire(summary.workload)),
        "mode": mode_from_wire(summary.mode).value,
        "first_seen": rfc3339(summary.first_seen),
        "last_seen": rfc3339(summary.last_seen),
        "live_instances": summary.live_instances,
        "instances": summary.instances,
        "findings": summary.findings,
        "alerts": summary.alerts,
        "ready": summary.ready,
        "lost_runs": summary.lost_runs,
        "last_exit_status": _exit_status(summary.last_exit_status),
        "containment": containment_from_wire(summary.containment).value,
        "contained_instances": summary.contained_instances,
        "apart": {kind: mode_from_wire(mode).value for kind, mode in sorted(summary.apart.items())},
        "log_days": summary.log_days,
    }


def detail_document(detail: pb.WorkloadDetail) -> Document:
    """Everything that `show` knows of a workload. The counts of a summary give way to the things counted."""
    return {
        **workload_document(detail.summary),
        "instances": [_instance_document(instance) for instance in detail.instances],
        "gates": [gate_document(gate) for gate in detail.gates],
        "enforce_gates": [gate_document(gate) for gate in detail.enforce_gates],
        "references": [_reference_document(reference) for reference in detail.references],
        "mode_changes": [_mode_change_document(change) for change in detail.mode_changes],
        "orders": [_order_document(order) for order in detail.orders],
        "unenrolled": [_unenrolled_document(run) for run in detail.unenrolled],
        "linkages": dict(sorted(detail.linkages.items())),
        "binaries": [_binary_document(binary_from_wire(binary)) for binary in detail.binaries],
    }


def gate_document(gate: pb.Gate) -> Document:
    """One condition for moving on."""
    return {
        "name": gate.name,
        "met": gate.met,
        "value": gate.value,
        "threshold": gate.threshold,
        "sentence": gate.sentence,
    }


def mode_document(workload: str, mode: str, gates: list[pb.Gate], refused: str, said: Confirmation) -> Document:
    """What became of a change of mode."""
    return {
        "workload": workload,
        "mode": mode,
        "changed": not refused,
        "gates": [gate_document(gate) for gate in gates],
        "reason": refused,
        **_confirmation_document(said),
    }


def containment_document(answer: pb.ContainResponse, said: Confirmation) -> Document:
    """What became of an order to cut off or to release."""
    return {
        "workload": str(workload_from_wire(answer.workload)),
        "instance": answer.instance or None,
        "containment": containment_from_wire(answer.containment).value,
        **_confirmation_document(said),
    }


def dry_run_document(workload: str, answer: pb.DryRunResponse) -> Document:
    """What enforce would have denied."""
    return {
        "workload": workload,
        "mode": mode_from_wire(answer.mode).value,
        "since": rfc3339(answer.since),
        "clean": not answer.groups,
        "groups": [group_document(group) for group in answer.groups],
    }


def group_document(group: pb.DenialGroup) -> Document:
    """One group of a dry run; `never` is null where it can be approved."""
    return {
        "id": group.id,
        "workload": str(workload_from_wire(group.workload)),
        "kind": group.kind,
        "actor": group.actor,
        "target": group.target,
        "count": group.count,
        "denied": group.denied,
        "first_seen": rfc3339(group.first_seen),
        "last_seen": rfc3339(group.last_seen),
        "behaviours": group.behaviours,
        "examples": [behaviour_document(behaviour_from_wire(act)) for act in group.examples],
        "missing": [entry_document(entry_from_wire(entry)) for entry in group.missing],
        "never": group.never or None,
    }


def two_way_document(answer: pb.TwoWayResponse) -> Document:
    """`proof` is null without `--prove`."""
    return {
        "findings": [
            {
                **finding_document(finding_from_wire(each.finding)),
                "proof": {"result": each.proof, "reason": each.proof_reason} if each.proof else None,
            }
            for each in answer.findings
        ],
        "alerts": [alert_document(alert_from_wire(alert)) for alert in answer.alerts],
        "blanks": [{"what": blank.what, "why": blank.why} for blank in answer.blanks],
    }


def _instance_document(instance: pb.InstanceDetail) -> Document:
    return {
        "id": instance.id,
        "first_seen": rfc3339(instance.first_seen),
        "last_seen": rfc3339(instance.last_seen),
        "live": instance.live,
        "mode": mode_from_wire(instance.mode).value if instance.in_force_since else None,
        "containment": containment_from_wire(instance.containment).value,
        "ordered": containment_from_wire(instance.ordered).value,
        "in_force_since": rfc3339(instance.in_force_since),
        "refused": instance.refused,
        "lapsed": rfc3339(instance.lapsed),
        "acknowledged": [_version(version) for version in instance.acknowledged],
        "coverage": [_coverage_document(coverage_from_wire(source)) for source in instance.coverage],
        "exit_status": _exit_status(instance.exit_status),
    }


def _confirmation_document(said: Confirmation) -> Document:
    waiting = [{"id": each.id, "refused": each.refused} for each in said.waiting]
    return {"confirmed": [each.id for each in said.doing], "waiting": waiting}


def _order_document(order: pb.Order) -> Document:
    return {
        "time": rfc3339(order.time),
        "act": order.act,
        "instance": order.instance or None,
        "by": order.by,
        "reason": order.reason,
    }


def _exit_status(status: int) -> int | None:
    return None if status < 0 else status


def _unenrolled_document(run: pb.UnenrolledRun) -> Document:
    return {
        "id": run.id,
        "issued": rfc3339(run.issued),
        "expires": rfc3339(run.expires),
        "lost": run.lost,
        "sentence": run.sentence,
    }


def _binary_document(binary: Binary) -> Document:
    return {"sha256": binary.sha256, "path": binary.path, "size": binary.size, **asdict(binary.elf)}


def _coverage_document(coverage: SourceCoverage) -> Document:
    return {
        "source": coverage.source.value,
        "since": rfc3339(coverage.since),
        "until": rfc3339(coverage.until),
        "losses": {cause.value: count for cause, count in sorted(coverage.lost.items())},
        "unverified": coverage.unverified,
        "note": coverage.note,
    }


def _reference_document(reference: pb.ReferenceDetail) -> Document:
    return {
        **_version(reference.version),
        "dimensions": dict(sorted(reference.dimensions.items())),
        "entries": [_evidence_document(entry) for entry in reference.entries],
    }


def _evidence_document(detail: pb.EntryDetail) -> Document:
    return {
        **entry_document(entry_from_wire(detail.entry)),
        "first_seen": rfc3339(detail.first_seen),
        "last_seen": rfc3339(detail.last_seen),
        "count": detail.count,
        "sessions": detail.sessions,
        "instances": list(detail.instances),
        "source": detail.source,
        "standing": detail.standing,
    }


def _mode_change_document(change: pb.ModeChange) -> Document:
    return {
        "time": rfc3339(change.time),
        "mode": mode_from_wire(change.mode).value,
        "by": change.by,
        "forced": change.forced,
        "reference": change.reference or None,
    }


def _version(wire: words_pb2.ReferenceVersion) -> Document:
    return version_document(version_from_wire(wire))
