"""What authorities declare and log, to the wire and back."""

from __future__ import annotations

from inscope.behaviour import PermissionUse, RoleAssumption
from inscope.codec.bounds import items, member, port, reject, text
from inscope.codec.logged import logged_from_wire, logged_to_wire, permission_from_wire, permission_to_wire
from inscope.codec.words import seconds
from inscope.coverage import Source
from inscope.exercise import Exercise, Identity, LogCoverage
from inscope.grant import Grant, Link, LinkKind
from inscope.permission import Authority, Level
from inscope.v1 import authority_pb2 as pb

MAX_PATTERNS = 10_000
"""Patterns of one grant: what AWS has in all is 20,000 actions, and a policy holds 6,144 characters."""

MAX_STEPS = 32
"""Steps of a grant's path, and reasons that weigh."""

MAX_NAMES = 1_000
"""Services seen, or names of unmapped events."""

COUNTER_MAX = 2**63 - 1


def grant_to_wire(grant: Grant) -> pb.Grant:
    return pb.Grant(
        authority=grant.authority,
        principal=grant.principal,
        path=grant.path,
        service=grant.service,
        level=grant.level,
        permissions=[permission_to_wire(permission) for permission in grant.permissions],
        size=grant.size,
        conditional=grant.conditional,
        since=grant.since,
        inherited=grant.inherited,
        weight=grant.weight,
    )


def grant_from_wire(wire: pb.Grant) -> Grant:
    if not wire.permissions:
        reject("grant.permissions", "none")
    if wire.size < -1:
        reject("grant.size", f"{wire.size} is no number of permissions")
    return Grant(
        authority=member(Authority, wire.authority, "grant.authority"),
        principal=text(wire.principal, "grant.principal"),
        path=items(wire.path, lambda step: text(step, "grant.path"), "grant.path", MAX_STEPS),
        service=text(wire.service, "grant.service"),
        level=member(Level, wire.level, "grant.level"),
        permissions=items(wire.permissions, permission_from_wire, "grant.permissions", MAX_PATTERNS),
        size=wire.size,
        conditional=wire.conditional,
        since=seconds(wire.since, "grant.since"),
        inherited=text(wire.inherited, "grant.inherited"),
        weight=items(wire.weight, lambda reason: text(reason, "grant.weight"), "grant.weight", MAX_STEPS),
    )


def link_to_wire(link: Link) -> pb.Link:
    return pb.Link(kind=link.kind, source=link.source, target=link.target, via=link.via, since=link.since)


def link_from_wire(wire: pb.Link) -> Link:
    return Link(
        member(LinkKind, wire.kind, "link.kind"),
        text(wire.source, "link.source"),
        text(wire.target, "link.target"),
        text(wire.via, "link.via"),
        seconds(wire.since, "link.since"),
    )


def exercise_to_wire(exercise: Exercise) -> pb.Exercise:
    who = exercise.identity
    return pb.Exercise(
        id=exercise.id,
        time=exercise.time,
        identity=pb.Identity(
            authority=who.authority,
            principal=who.principal,
            pod=who.pod,
            pod_uid=who.pod_uid,
            credential=who.credential,
            address=who.address,
            port=who.port,
            client=who.client,
        ),
        behaviour=logged_to_wire(exercise.behaviour),
        issued=exercise.issued,
        records=exercise.records,
        weaker=exercise.weaker,
    )


def exercise_from_wire(wire: pb.Exercise) -> Exercise:
    behaviour = logged_from_wire(wire.behaviour)
    if not isinstance(behaviour, PermissionUse | RoleAssumption):
        reject("exercise.behaviour", "neither a permission use nor a role assumption")
    return Exercise(
        text(wire.id, "exercise.id"),
        seconds(wire.time, "exercise.time"),
        _identity(wire.identity),
        behaviour,
        text(wire.issued, "exercise.issued"),
        wire.records,
        text(wire.weaker, "exercise.weaker"),
    )


def _identity(wire: pb.Identity) -> Identity:
    return Identity(
        member(Authority, wire.authority, "identity.authority"),
        text(wire.principal, "identity.principal"),
        text(wire.pod, "identity.pod"),
        text(wire.pod_uid, "identity.pod_uid"),
        text(wire.credential, "identity.credential"),
        text(wire.address, "identity.address"),
        port(wire.port, "identity.port"),
        text(wire.client, "identity.client"),
    )


def log_coverage_to_wire(coverage: LogCoverage) -> pb.LogCoverage:
    return pb.LogCoverage(
        source=coverage.source,
        scope=coverage.scope,
        since=coverage.since,
        until=coverage.until,
        events=coverage.events,
        seen=[pb.Seen(service=service, level=level) for service, level in sorted(coverage.seen)],
        unmapped=coverage.unmapped,
        malformed=coverage.malformed,
    )


def log_coverage_from_wire(wire: pb.LogCoverage) -> LogCoverage:
    if len(wire.unmapped) > MAX_NAMES:
        reject("coverage.unmapped", f"{len(wire.unmapped)} names, at most {MAX_NAMES}")
    return LogCoverage(
        member(Source, wire.source, "coverage.source"),
        text(wire.scope, "coverage.scope"),
        seconds(wire.since, "coverage.since"),
        seconds(wire.until, "coverage.until"),
        min(wire.events, COUNTER_MAX),
        frozenset(items(wire.seen, _seen, "coverage.seen", MAX_NAMES)),
        {text(name, "coverage.unmapped"): min(count, COUNTER_MAX) for name, count in wire.unmapped.items()},
        min(wire.malformed, COUNTER_MAX),
    )


def _seen(wire: pb.Seen) -> tuple[str, Level]:
    return text(wire.service, "seen.service"), member(Level, wire.level, "seen.level")
