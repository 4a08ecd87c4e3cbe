"""What became of a replay, for programs and for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from controlplane.cli.documents import Document, rfc3339
from controlplane.cli.replaying import Replayed

SHOWN = 5
"""Reasons, names and alerts that are listed; `-o json` and `inscope alerts` have all."""


def replay_document(done: Replayed) -> Document:
    """One JSON object."""
    coverage = done.coverage
    return {
        "source": coverage.source.value,
        "scope": coverage.scope,
        "since": rfc3339(coverage.since),
        "until": rfc3339(coverage.until),
        "events": coverage.events,
        "taken": done.taken,
        "duplicates": done.duplicates,
        "others": dict(sorted(done.others.items())),
        "unmapped": dict(sorted(coverage.unmapped.items())),
        "malformed": coverage.malformed,
        "workloads": sorted(map(str, done.workloads)),
        "alerts": sorted(done.alerts),
    }


def replay_lines(done: Replayed, number: Callable[[int], str]) -> Iterator[str]:
    """A few lines."""
    coverage = done.coverage
    yield f"{number(coverage.events)} events from {rfc3339(coverage.since)} to {rfc3339(coverage.until)}."
    yield f"{number(done.taken)} acts were taken, {number(done.duplicates)} were known already."
    if done.workloads:
        names = sorted(map(str, done.workloads))
        more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
        yield f"They were of {', '.join(names[:SHOWN])}{more}."
    for why, count in sorted(done.others.items(), key=lambda item: -item[1])[:SHOWN]:
        yield f"  {number(count)} left out: {why}"
    for name, count in sorted(coverage.unmapped.items(), key=lambda item: -item[1])[:SHOWN]:
        yield f"  {number(count)} say nothing of a permission: {name}"
    if coverage.malformed:
        yield f"  {number(coverage.malformed)} records are damaged or cut short"
    for alert in list(done.alerts.values())[:SHOWN]:
        yield f"{alert.id}  {alert.sentence}"
