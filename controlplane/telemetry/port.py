"""What the servers tell about the loop, and the telemetry that says nothing."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from controlplane.telemetry.path import Path
from inscope.alert import Alert
from inscope.coverage import LossCause
from inscope.reference import ReferenceVersion
from inscope.workload import Workload


class Telemetry(Protocol):
    """Every method returns at once: it counts in memory, and whatever is sent is sent by somebody else."""

    def received(self, workload: Workload, acts: int, latencies: Iterable[float]) -> None:
        """A batch is durable: how many acts it told of; seconds from observation to acknowledgement of each new one."""

    def lost(self, workload: Workload, cause: LossCause, count: int) -> None:
        """So many more acts are not in the record."""

    def clamped(self, workload: Workload, count: int) -> None:
        """So many times lay outside of what a clock can say and were moved to its edge."""

    def in_force(self, workload: Workload, versions: Iterable[ReferenceVersion]) -> None:
        """The references now stand at these versions."""

    def alerted(self, alert: Alert, path: Path | None) -> None:
        """An alert was raised, by this path; or counted again (`path` is None)."""

    def close(self) -> None:
        """Send what is left; gives up after a few seconds."""


class Silence:
    """Telemetry for when nobody listens."""

    def received(self, workload: Workload, acts: int, latencies: Iterable[float]) -> None:
        """Nothing."""

    def lost(self, workload: Workload, cause: LossCause, count: int) -> None:
        """Nothing."""

    def clamped(self, workload: Workload, count: int) -> None:
        """Nothing."""

    def in_force(self, workload: Workload, versions: Iterable[ReferenceVersion]) -> None:
        """Nothing."""

    def alerted(self, alert: Alert, path: Path | None) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


SILENCE = Silence()
