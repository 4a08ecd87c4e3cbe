"""A behaviour as a sidecar reports it: what happened first, and how often until when."""

from __future__ import annotations

from dataclasses import dataclass

from inscope.observation import Observation


@dataclass(frozen=True, slots=True)
class Sighting:
    """`observation` is the first time; `count` ≥ 1 times in all, the last at `last_time` (seconds since the epoch)."""

    observation: Observation
    count: int
    last_time: float
