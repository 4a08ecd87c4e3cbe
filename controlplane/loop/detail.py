"""What an operator reads about a workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from controlplane.posture.gate import Gate
from controlplane.store.port import InstanceRow, ModeChange
from inscope.mode import Mode
from inscope.reference import Dimension, Entry, Evidence, ReferenceVersion
from inscope.workload import Workload


@dataclass(frozen=True, slots=True)
class WorkloadSummary:
    """One line about a workload. `ready`: every gate is met. Times are seconds since the epoch."""

    workload: Workload
    mode: Mode
    first_seen: float
    last_seen: float
    live_instances: int
    instances: int
    findings: int
    alerts: int
    ready: bool


@dataclass(frozen=True, slots=True)
class InstanceDetail:
    """An instance and whether its stream is open now. Its coverage includes what the control plane itself dropped."""

    row: InstanceRow
    live: bool


@dataclass(frozen=True, slots=True)
class ReferenceDetail:
    """One reference: its size by dimension and, where asked for, its entries with their evidence (else none)."""

    version: ReferenceVersion
    dimensions: Mapping[Dimension, int]
    entries: tuple[tuple[Entry, Evidence], ...] = ()


@dataclass(frozen=True, slots=True)
class WorkloadDetail:
    """Everything `inscope show` tells."""

    summary: WorkloadSummary
    instances: tuple[InstanceDetail, ...]
    gates: tuple[Gate, ...]
    references: tuple[ReferenceDetail, ...]
    mode_changes: tuple[ModeChange, ...]
