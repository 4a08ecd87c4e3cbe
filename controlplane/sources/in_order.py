"""What a log tells, by the time of the acts, as far as a bounded look ahead reaches. Pure.

Files are delivered late and by region, so that what is done with a credential may come before the event that gave it
out: whoever follows credentials to their holders needs the giving out first.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import heappop, heappush, heappushpop

from inscope.exercise import Exercise

LOOK_AHEAD = 20_000
"""Exercises that are held back: some twenty megabytes. What comes later than after so many stays where it is."""


def in_order(exercises: Iterable[Exercise], held: int = LOOK_AHEAD) -> Iterator[Exercise]:
    """Each of them once. Of those of one time the giving out of a credential is first, then what came first."""
    waiting: list[tuple[float, bool, int, Exercise]] = []
    for number, each in enumerate(exercises):
        entry = each.time, not each.issued, number, each
        if len(waiting) < held:
            heappush(waiting, entry)
        else:
            yield heappushpop(waiting, entry)[3]
    while waiting:
        yield heappop(waiting)[3]
