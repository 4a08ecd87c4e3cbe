"""What a new declaration takes over from the one before it, and whom it names. Pure."""

from __future__ import annotations

from dataclasses import replace

from inscope.grant import Declaration, Grant, LinkKind, qualified
from inscope.permission import Level
from inscope.workload import InvalidWorkloadError, Workload

_Key = tuple[str, tuple[str, ...], str, Level]


def same_scope(one: Declaration, other: Declaration) -> bool:
    """Whether one replaces the other."""
    return (one.authority, one.scope) == (other.authority, other.scope)


def dated(declaration: Declaration, before: Declaration | None) -> Declaration:
    """Principals qualified, and what says not when it came to be dated by when it was first declared: that is known of
    all but what stood in the first declaration of a scope.
    """
    known = {_key(grant): grant.since for grant in before.grants} if before else {}
    grants = [replace(grant, principal=_qualified(declaration, grant.principal)) for grant in declaration.grants]
    unknown = declaration.taken_at if before else 0.0
    dates = [grant.since or known.get(_key(grant), unknown) for grant in grants]
    links = [
        replace(link, source=_qualified(declaration, link.source), target=_qualified(declaration, link.target))
        for link in declaration.links
    ]
    dated_grants = (replace(grant, since=since) for grant, since in zip(grants, dates, strict=True))
    return replace(declaration, grants=tuple(dated_grants), links=tuple(links))


def named_in(declaration: Declaration) -> frozenset[Workload]:
    """The workloads that it says run as somebody."""
    found = set()
    for link in declaration.links:
        if link.kind is LinkKind.RUNS_AS:
            try:
                found.add(Workload.parse(link.source))
            except InvalidWorkloadError:
                continue
    return frozenset(found)


def _qualified(declaration: Declaration, name: str) -> str:
    """A workload's name says its cluster itself; an ARN its account."""
    if name.startswith("arn:") or (declaration.scope and name.startswith(f"{declaration.scope}/")):
        return name
    return qualified(declaration.authority, declaration.scope, name)


def _key(grant: Grant) -> _Key:
    return grant.principal, grant.path, grant.service, grant.level
