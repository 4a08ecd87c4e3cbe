"""What goes into the loop and what comes out of it: a sidecar's batch, its outcome, and what is pushed back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from inscope.alert import Alert
from inscope.binary import Binary
from inscope.capability import Capability
from inscope.containment import Containment, containment_of
from inscope.coverage import SourceCoverage
from inscope.mode import Mode
from inscope.observation import Sighting
from inscope.reference import Entry, ReferenceVersion
from inscope.workload import InstanceId, Workload


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
    """What a sidecar judges by: the mode, every entry that is in scope (never a provisional one), and who is contained.

    `containments` are by instance, that of the whole workload under the empty string.
    """

    mode: Mode
    versions: tuple[ReferenceVersion, ...]
    entries: tuple[Entry, ...]
    containments: Mapping[str, Containment] = field(default_factory=dict)

    def containment(self, instance: InstanceId) -> Containment:
        """How far that instance is to be cut off."""
        return containment_of(self.containments, instance)
