"""Why an entry is in scope, kept as facts that may arrive late, twice, or from two sides, and still come out the same.

First and last times, sessions and instances merge commutatively and idempotently; counts add up, which is why a batch
is taken once only (by its epoch and sequence).
"""

from __future__ import annotations

from inscope.reference import Evidence, Standing
from inscope.workload import InstanceId

MAX_INSTANCES = 8
"""Instances named per entry. Up to here `sessions` is exact; past it, a lower bound."""

MAX_COUNT = 2**63 - 1

_TRUST = {Standing.LEARNED: 0, Standing.PROVISIONAL: 1, Standing.APPROVED: 2}


def sighted(
    instance: InstanceId, first: float, last: float, count: int, source: str, standing: Standing = Standing.LEARNED
) -> Evidence:
    """What one instance's sighting says by itself. The two times may come in either order: clocks jump."""
    return Evidence(min(first, last), max(first, last), min(count, MAX_COUNT), 1, (instance,), source, standing)


def merge(known: Evidence, more: Evidence, *, later_session: bool = False) -> Evidence:
    """Both together. `later_session` says that `more` is of an instance that began after all that `known` saw.

    It decides only where `known` has named all the instances it can. What a person approved stays approved, and doubt
    outweighs learning.
    """
    named = tuple(sorted({*known.instances, *more.instances}))
    return Evidence(
        first_seen=min(known.first_seen, more.first_seen),
        last_seen=max(known.last_seen, more.last_seen),
        count=min(known.count + more.count, MAX_COUNT),
        sessions=_sessions(known, more, len(named), later_session),
        instances=named[:MAX_INSTANCES],
        source=min(known.source, more.source),
        standing=max(known.standing, more.standing, key=_TRUST.__getitem__),
    )


def again(known: Evidence, first: float, last: float, count: int) -> Evidence:
    """`merge` with a sighting of an instance that `known` names already: the common case, without its cost."""
    low, high = (first, last) if first <= last else (last, first)
    return Evidence(
        low if low < known.first_seen else known.first_seen,
        high if high > known.last_seen else known.last_seen,
        min(known.count + count, MAX_COUNT),
        known.sessions,
        known.instances,
        known.source,
        known.standing,
    )


def _sessions(known: Evidence, more: Evidence, named: int, later_session: bool) -> int:
    if len(known.instances) == known.sessions and len(more.instances) == more.sessions:
        return named
    return max(known.sessions, more.sessions, named) + (1 if later_session else 0)
