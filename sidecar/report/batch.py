"""What travels at once: a batch in domain types, self-contained, so that it can wait on disk and be sent again."""

from __future__ import annotations

from dataclasses import dataclass, replace

from inscope.behaviour import Behaviour, actor_of, subject_of
from inscope.binary import Binary
from inscope.capability import Capability
from inscope.coverage import SourceCoverage
from inscope.observation import Observation, Sighting
from inscope.verdict import Verdict

RowKey = tuple[Behaviour, Verdict]
"""What makes two observations the same row of a batch, and the same definition on a stream."""


def row_key(observation: Observation) -> RowKey:
    """See `RowKey`."""
    return observation.behaviour, observation.verdict


@dataclass(frozen=True, slots=True)
class Batch:
    """One step of the outbox's sequence. `judged_at`: when its first observation was judged, epoch seconds."""

    sequence: int
    sightings: tuple[Sighting, ...] = ()
    coverage: tuple[SourceCoverage, ...] = ()
    capabilities: tuple[Capability, ...] = ()
    binaries: tuple[Binary, ...] = ()
    judged_at: float = 0.0

    @property
    def events(self) -> int:
        """How many observations it stands for."""
        return sum(sighting.count for sighting in self.sightings)

    @property
    def weight(self) -> int:
        """Roughly its bytes on the wire."""
        rows = sum(weight_of(sighting.observation) for sighting in self.sightings)
        members = sum(len(member) + 4 for capability in self.capabilities for member in capability.members)
        return rows + members + len(self.binaries) * _BINARY_WEIGHT

    def emptied(self) -> Batch:
        """The same place in the sequence, holding nothing."""
        return replace(self, sightings=(), coverage=(), capabilities=(), binaries=())


_BINARY_WEIGHT = 512
_ROW_WEIGHT = 128
_ANCESTOR_WEIGHT = 16


def weight_of(observation: Observation) -> int:
    """Roughly the bytes of one row with its definition: the lengths of its strings, and what frames them."""
    behaviour = observation.behaviour
    ancestry = sum(_ANCESTOR_WEIGHT + len(ancestor.label) for ancestor in observation.ancestry)
    return _ROW_WEIGHT + len(subject_of(behaviour)) + len(actor_of(behaviour)) + ancestry
