"""What a log covered, counted while it is read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from inscope.coverage import Source
from inscope.exercise import LogCoverage
from inscope.permission import Level
from inscope.text import printable

MAX_CHARACTERS = 200

MAX_NAMES = 1_000
"""Names of events that are kept; those of more are counted under `…`."""


@dataclass(slots=True)
class Tally:
    """Times are of the events, in seconds since the epoch."""

    source: Source
    scope: str
    since: float = 0.0
    until: float = 0.0
    events: int = 0
    seen: set[tuple[str, Level]] = field(default_factory=set)
    unmapped: Counter[str] = field(default_factory=Counter)
    malformed: int = 0

    def event(self, time: float) -> None:
        """An event of any kind, at `time`."""
        self.events += 1
        self.until = max(self.until, time)
        self.since = min(self.since, time) if self.since else time

    def unknown(self, name: str) -> None:
        """An event that says nothing of a permission, or of one that nobody knows."""
        name = printable(name[:MAX_CHARACTERS])
        known = name in self.unmapped or len(self.unmapped) < MAX_NAMES
        self.unmapped[name if known else "…"] += 1

    def coverage(self) -> LogCoverage:
        """So far."""
        return LogCoverage(
            self.source,
            self.scope,
            self.since,
            self.until,
            self.events,
            frozenset(sorted(self.seen)[:MAX_NAMES]),
            dict(self.unmapped),
            self.malformed,
        )
