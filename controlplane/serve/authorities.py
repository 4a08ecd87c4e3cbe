"""What operators and feeds bring of authorities outside: declarations, whole, and events of logs, batch by batch."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc

from controlplane.loop.logged import Taken
from controlplane.posture.chain import Step
from controlplane.posture.latent import watch_of_grant
from controlplane.posture.outside import Outside
from controlplane.serve.hub import Hub
from controlplane.serve.status import RefusedError
from inscope.codec import alert_to_wire, finding_to_wire, seconds, workload_to_wire
from inscope.codec.authority import (
    exercise_from_wire,
    grant_from_wire,
    grant_to_wire,
    link_from_wire,
    log_coverage_from_wire,
    log_coverage_to_wire,
)
from inscope.codec.bounds import items, member, reject, text
from inscope.codec.logged import permission_to_wire
from inscope.coverage import Source
from inscope.exercise import LogCoverage
from inscope.finding import Finding
from inscope.grant import Declaration, Grant, Link
from inscope.permission import Authority
from inscope.reference import TOLD_BY_LOGS
from inscope.v1 import operator_pb2 as pb
from inscope.workload import Workload

MAX_GRANTS = 500_000
"""Grants of one declaration, and links."""

MAX_FAULTS = 10_000
MAX_EXERCISES = 50_000
"""Events of one message."""

_LOGS = frozenset({Source.KUBERNETES_AUDIT, Source.CLOUDTRAIL, Source.POSTGRESQL_LOG})


async def declare(hub: Hub, requests: AsyncIterator[pb.DeclareRequest]) -> pb.DeclareResponse:
    """Take one declaration.

    Raises:
        CodecError: it is not one.
        RefusedError: it is larger than anything we take.
    """
    declaration, now = await _declaration(requests), hub.clock()
    workloads = await hub.thread.call(lambda loop: loop.declare(declaration, now))
    hub.tell(workloads)
    return pb.DeclareResponse(
        grants=len(declaration.grants),
        links=len(declaration.links),
        workloads=[workload_to_wire(workload) for workload in sorted(workloads)],
    )


async def _declaration(requests: AsyncIterator[pb.DeclareRequest]) -> Declaration:
    head: pb.DeclarationHead | None = None
    grants: list[Grant] = []
    links: list[Link] = []
    async for request in requests:
        if request.HasField("head"):
            head = request.head
        grants += items(request.grants, grant_from_wire, "grants")
        links += items(request.links, link_from_wire, "links")
        if max(len(grants), len(links)) > MAX_GRANTS:
            raise RefusedError(
                grpc.StatusCode.RESOURCE_EXHAUSTED, f"more than {MAX_GRANTS:,} grants or links in one declaration"
            )
    if head is None:
        reject("declaration", "it has no head")
    authority = member(Authority, head.authority, "declaration.authority")
    strange = next((grant for grant in grants if grant.authority is not authority), None)
    if strange is not None:
        reject("declaration.grants", f"{strange.authority} is not {authority}'s to declare")
    return Declaration(
        authority,
        text(head.scope, "declaration.scope"),
        seconds(head.taken_at, "declaration.taken_at"),
        tuple(grants),
        tuple(links),
        items(head.faults, lambda fault: text(fault, "declaration.faults"), "declaration.faults", MAX_FAULTS),
    )


async def tell(hub: Hub, request: pb.TellRequest) -> pb.TellResponse:
    """Take some events of a log.

    Raises:
        CodecError: they are none.
    """
    source, scope = member(Source, request.source, "source"), text(request.scope, "scope")
    if source not in _LOGS:
        reject("source", f"{source} is no log of an authority")
    exercises = items(request.exercises, exercise_from_wire, "exercises", MAX_EXERCISES)
    coverage = _coverage(request, source, scope)
    now = hub.clock()
    taken = await hub.thread.call(lambda loop: loop.exercised(source, scope, exercises, now)) if exercises else Taken()
    if coverage is not None:
        await hub.thread.call(lambda loop: loop.covered(coverage, now))
    hub.tell(taken.changed, taken.alerts)
    return pb.TellResponse(
        taken=taken.taken,
        duplicates=taken.duplicates,
        others=taken.others,
        alerts=[alert_to_wire(alert) for alert in taken.alerts],
        workloads=[workload_to_wire(workload) for workload in sorted(taken.changed)],
    )


def _coverage(request: pb.TellRequest, source: Source, scope: str) -> LogCoverage | None:
    if not request.HasField("coverage"):
        return None
    coverage = log_coverage_from_wire(request.coverage)
    if (coverage.source, coverage.scope) != (source, scope):
        reject("coverage", "it is of another log")
    return coverage


async def show_outside(hub: Hub, workload: Workload) -> pb.OutsideDetail:
    """The scope chain and the permission gap of one workload."""
    now = hub.clock()
    outside = await hub.thread.call(lambda loop: loop.outside(workload))
    findings = await hub.thread.call(lambda loop: loop.findings(workload, now))
    logs = await hub.thread.call(lambda loop: loop.logs())
    mine = [finding for finding in findings if finding.reference.kind in TOLD_BY_LOGS]
    return outside_to_wire(workload, outside, mine, logs)


def outside_to_wire(
    workload: Workload, outside: Outside, findings: list[Finding], logs: list[LogCoverage]
) -> pb.OutsideDetail:
    """To the wire."""
    named = {finding.tripwire.id: finding.id for finding in findings}
    return pb.OutsideDetail(
        workload=workload_to_wire(workload),
        steps=[_step(each) for each in outside.chain.steps],
        cut=outside.chain.cut,
        held=[
            pb.HeldGrant(
                grant=grant_to_wire(each.grant),
                used=[permission_to_wire(permission) for permission in each.used],
                latent=each.latent,
                tracked=each.tracked,
                blind=each.blind,
                young=each.young,
                finding=named.get(watch_of_grant(each), ""),
            )
            for each in outside.gap.held
        ],
        ungranted=[permission_to_wire(permission) for permission in outside.gap.ungranted],
        logs=[log_coverage_to_wire(coverage) for coverage in logs],
        findings=[finding_to_wire(finding) for finding in findings],
    )


def _step(step: Step) -> pb.ChainStep:
    evidence = step.evidence
    return pb.ChainStep(
        kind=step.kind,
        source=step.source,
        target=step.target,
        via=step.via,
        since=step.since,
        observed=step.observed,
        first_seen=evidence.first_seen if evidence else 0.0,
        last_seen=evidence.last_seen if evidence else 0.0,
        count=evidence.count if evidence else 0,
        level=step.level,
    )
