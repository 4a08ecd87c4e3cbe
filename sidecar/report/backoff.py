"""How long to wait before the next try. Full jitter: a control plane that restarts is not met by all at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Backoff:
    """Seconds. `first` is the ceiling after one failure, doubled with each further one up to `most`."""

    first: float = 0.2
    most: float = 30.0

    def delay(self, failures: int, chance: float) -> float:
        """The wait after `failures` failures in a row (1 or more); `chance` is uniform in [0, 1)."""
        doublings = min(failures - 1, 64)
        return chance * min(self.most, self.first * 2.0**doublings)
