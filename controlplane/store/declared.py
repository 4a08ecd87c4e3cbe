"""What authorities declare and their logs cover, as text in a column: see `rows`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from controlplane.store.rows import (
    Json,
    MalformedRowError,
    array,
    from_text,
    permission_fields,
    read_permission,
    to_text,
)
from inscope.grant import Grant, Link, LinkKind
from inscope.permission import Authority, Level


def grant_text(grant: Grant) -> str:
    """A grant as text."""
    return to_text(
        [
            grant.authority, grant.principal, [*grant.path], grant.service, grant.level,
            [[*permission_fields(each)] for each in grant.permissions], grant.size, grant.conditional, grant.since,
            grant.inherited, [*grant.weight],
        ]
    )  # fmt: skip


def read_grant(text: str) -> Grant:
    """What `grant_text` wrote."""
    return from_text(text, _grant)


def links_text(links: Iterable[Link]) -> str:
    """Links as text."""
    return to_text([[link.kind, link.source, link.target, link.via, link.since] for link in links])


def read_links(text: str) -> tuple[Link, ...]:
    """What `links_text` wrote."""
    return from_text(text, lambda value: tuple(map(_link, array(value))))


def seen_text(seen: Iterable[tuple[str, Level]]) -> str:
    """What was seen of anybody, as text."""
    return to_text([[service, level] for service, level in sorted(seen)])


def read_seen(text: str) -> frozenset[tuple[str, Level]]:
    """What `seen_text` wrote."""
    return from_text(text, lambda value: frozenset(map(_seen, array(value))))


def counts_text(counts: Mapping[str, int]) -> str:
    """Counts by name, as text."""
    return to_text([[name, count] for name, count in sorted(counts.items())])


def read_counts(text: str) -> dict[str, int]:
    """What `counts_text` wrote."""
    return from_text(text, lambda value: dict(map(_count, array(value))))


def _grant(value: Json) -> Grant:
    match value:
        case [
            str(authority), str(principal), list(path), str(service), str(level), list(permissions), int(size),
            bool(conditional), int() | float() as since, str(inherited), list(weight),
        ]:  # fmt: skip
            return Grant(
                Authority(authority),
                principal,
                tuple(map(str, path)),
                service,
                Level(level),
                tuple(read_permission(array(each)) for each in permissions),
                size,
                conditional,
                float(since),
                inherited,
                tuple(map(str, weight)),
            )
        case _:
            raise MalformedRowError("not a grant")


def _link(value: Json) -> Link:
    match value:
        case [str(kind), str(source), str(target), str(via), int() | float() as since]:
            return Link(LinkKind(kind), source, target, via, float(since))
        case _:
            raise MalformedRowError("not a link")


def _seen(value: Json) -> tuple[str, Level]:
    match value:
        case [str(service), str(level)]:
            return service, Level(level)
        case _:
            raise MalformedRowError("not what was seen")


def _count(value: Json) -> tuple[str, int]:
    match value:
        case [str(name), int(count)]:
            return name, count
        case _:
            raise MalformedRowError("not a count")
