"""A token bucket: so many at once, so many per second after that. Pure but for the time it is given."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class Rate:
    """`burst` at once, then `per_second`. A clock that jumps backward gives nothing and takes nothing."""

    per_second: float
    burst: float
    _left: float = -1.0
    _at: float = 0.0

    def allow(self, now: float) -> bool:
        """Whether one more may pass at `now` (seconds, monotonic)."""
        if self._left < 0:
            self._left, self._at = self.burst, now
        self._left = min(self.burst, self._left + max(now - self._at, 0.0) * self.per_second)
        self._at = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
