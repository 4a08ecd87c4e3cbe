"""What goes into the loop and what comes out of it: a sidecar's batch, its outcome, and what is pushed back."""

from __future__ import annotations

from dataclasses import dataclass

from inscope.alert import Alert
from inscope.binary import Binary
from inscope.capability import Capability
from inscope.coverage import SourceCoverage
from inscope.mode import Mode
from inscope.observation import Sighting
from inscope.reference import Entry, ReferenceVersion
from inscope.workload import Workload


@dataclass(frozen=True, slots=True)
class ReceivedBatch:
    """Validated at the edge. `(epoch, sequence)` names it for ever: a batch that is resent changes nothing.

    `coverage` is the whole state of each source that changed.
    """

    epoch: str
    sequence: int
    sightings: tuple[Sighting, ...] = ()
    coverage: tuple[SourceCoverage, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    binaries: tuple[Binary, ...] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a batch did. `sequence` is durable; `alerts` were raised or counted again; `changed` are to be pushed."""

    sequence: int
    alerts: tuple[Alert, ...] = ()
    changed: frozenset[Workload] = frozenset()


@dataclass(frozen=True, slots=True)
class InForce:
    """What a sidecar judges by: the mode, and every entry that is in scope (never a provisional one)."""

    mode: Mode
    versions: tuple[ReferenceVersion, ...]
    entries: tuple[Entry, ...]
