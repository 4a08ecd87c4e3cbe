"""The scope chain and the permission gap as JSON documents. Fields are stable: docs/cli.md says what each means."""

from __future__ import annotations

from controlplane.cli.documents import Document, finding_document, rfc3339
from inscope.codec import finding_from_wire, workload_from_wire
from inscope.codec.authority import grant_from_wire, log_coverage_from_wire
from inscope.codec.logged import permission_from_wire
from inscope.exercise import LogCoverage
from inscope.permission import Permission
from inscope.v1 import operator_pb2 as pb


def gap_document(detail: pb.OutsideDetail) -> Document:
    """What is granted, and what of it was exercised."""
    return {
        "workload": str(workload_from_wire(detail.workload)),
        "held": [_held(each) for each in detail.held],
        "ungranted": [permission_document(permission_from_wire(each)) for each in detail.ungranted],
        "logs": [_log(detail_log) for detail_log in map(log_coverage_from_wire, detail.logs)],
        "findings": [finding_document(finding_from_wire(finding)) for finding in detail.findings],
    }


def chain_document(detail: pb.OutsideDetail) -> Document:
    """The steps, nearest first."""
    return {
        "workload": str(workload_from_wire(detail.workload)),
        "steps": [_step(step) for step in detail.steps],
        "complete": not detail.cut,
    }


def permission_document(permission: Permission) -> Document:
    """One permission: its parts, and as a sentence puts it."""
    return {
        "authority": permission.authority.value,
        "service": permission.service,
        "action": permission.action,
        "resource": permission.resource,
        "scope": permission.scope,
        "name": permission.name,
        "text": str(permission),
    }


def _held(each: pb.HeldGrant) -> Document:
    grant = grant_from_wire(each.grant)
    return {
        "authority": grant.authority.value,
        "principal": grant.principal,
        "path": list(grant.path),
        "service": grant.service,
        "level": grant.level.value,
        "permissions": [str(permission) for permission in grant.permissions],
        "size": grant.size,
        "used": [str(permission_from_wire(permission)) for permission in each.used],
        "latent": each.latent,
        "conditional": grant.conditional,
        "inherited": grant.inherited,
        "weight": list(grant.weight),
        "since": rfc3339(grant.since),
        "tracked_seconds": each.tracked,
        "unobservable": each.blind,
        "not_yet_latent": each.young,
        "finding": each.finding or None,
    }


def _log(coverage: LogCoverage) -> Document:
    return {
        "source": coverage.source.value,
        "scope": coverage.scope,
        "since": rfc3339(coverage.since),
        "until": rfc3339(coverage.until),
        "events": coverage.events,
        "unmapped": dict(sorted(coverage.unmapped.items())),
        "malformed": coverage.malformed,
    }


def _step(step: pb.ChainStep) -> Document:
    return {
        "kind": step.kind,
        "source": step.source,
        "target": step.target,
        "declared": bool(step.via),
        "via": step.via,
        "since": rfc3339(step.since),
        "observed": step.observed,
        "first_seen": rfc3339(step.first_seen),
        "last_seen": rfc3339(step.last_seen),
        "count": step.count,
    }
