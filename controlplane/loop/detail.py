"""What an operator reads about a workload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from controlplane.loop.unenrolled import UnenrolledRun
from controlplane.posture.gate import Gate
from controlplane.store.port import InstanceRow, ModeChange, Order
from inscope.binary import Binary, Linkage
from inscope.containment import Containment
from inscope.mode import Mode
from inscope.reference import Dimension, Entry, Evidence, ReferenceKind, ReferenceVersion
from inscope.workload import Workload


@dataclass(frozen=True, slots=True)
class WorkloadSummary:
    """One line about a workload. `ready`: every gate is met. Times are seconds since the epoch.

    `containment` is of the whole workload; `contained_instances` are live ones that are cut off, with it or by
    themselves. `lost_runs` were announced and never enrolled; `last_exit_status` is the newest run's, -1 where it is
    unknown. `apart` are references in a mode of their own; `log_days` are days of authorities' logs that told of it.
    """

    workload: Workload
    mode: Mode
    first_seen: float
    last_seen: float
    live_instances: int
    instances: int
    findings: int
    alerts: int
    ready: bool
    lost_runs: int = 0
    last_exit_status: int = -1
    containment: Containment = Containment.FREE
    contained_instances: int = 0
    apart: Mapping[ReferenceKind, Mode] = field(default_factory=dict)
    log_days: int = 0


@dataclass(frozen=True, slots=True)
class InstanceDetail:
    """An instance and whether its stream is open now. Its coverage includes what the control plane itself dropped.

    `ordered` is how far it should be cut off; its row has how far it is.
    """

    row: InstanceRow
    live: bool
    ordered: Containment = Containment.FREE


@dataclass(frozen=True, slots=True)
class ReferenceDetail:
    """One reference: its size by dimension and, where asked for, its entries with their evidence (else none)."""

    version: ReferenceVersion
    dimensions: Mapping[Dimension, int]
    entries: tuple[tuple[Entry, Evidence], ...] = ()


@dataclass(frozen=True, slots=True)
class WorkloadDetail:
    """Everything `inscope show` tells. `linkages` counts the inventory's binaries that were described.

    `binaries` are those descriptions, where entries were asked for.
    """

    summary: WorkloadSummary
    instances: tuple[InstanceDetail, ...]
    gates: tuple[Gate, ...]
    enforce_gates: tuple[Gate, ...]
    references: tuple[ReferenceDetail, ...]
    mode_changes: tuple[ModeChange, ...]
    orders: tuple[Order, ...]
    unenrolled: tuple[UnenrolledRun, ...] = ()
    linkages: Mapping[Linkage, int] = field(default_factory=dict)
    binaries: tuple[Binary, ...] = ()
