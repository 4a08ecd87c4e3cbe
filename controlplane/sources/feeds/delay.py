"""How late a feed tells: from an act, by its event's time, to when it was told here."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from statistics import median

RECENT = 1_000
"""Events that the median is of."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Seconds; `median` of the last thousand events, `longest` of all `events`. What comes from ahead of our clock is
    not late.
    """

    events: int
    median: float
    longest: float

    def __str__(self) -> str:
        if not self.events:
            return "nothing was told yet"
        return f"{self.median:.0f} s after the act (median), {self.longest:.0f} s at the most"


@dataclass(slots=True)
class Delays:
    """Counts them, in constant memory."""

    _events: int = 0
    _longest: float = 0.0
    _recent: deque[float] = field(default_factory=lambda: deque(maxlen=RECENT))

    def told(self, act: float, now: float) -> None:
        """An act of time `act` was told at `now`."""
        late = max(now - act, 0.0)
        self._events += 1
        self._longest = max(self._longest, late)
        self._recent.append(late)

    @property
    def delay(self) -> Delay:
        """So far."""
        return Delay(self._events, median(self._recent) if self._recent else 0.0, self._longest)
