"""The span of time that the control plane can vouch for: an observer's clock may jump, run ahead, or lie."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Window:
    """From `earliest` to `now`, seconds since the epoch by the control plane's clock."""

    earliest: float
    now: float

    def clamp(self, time: float) -> float:
        """`time` where it lies within, else the nearer end; what is not a number counts as now."""
        if time < self.earliest:
            return self.earliest
        return time if time <= self.now else self.now
