"""A finding is a capability held and not used. Each arms one tripwire over its set."""

from __future__ import annotations

from dataclasses import dataclass

from inscope.capability import CapabilityKind
from inscope.reference import ReferenceVersion
from inscope.workload import Workload


@dataclass(frozen=True, slots=True)
class Tripwire:
    """The watch condition compiled from a finding or a whole reference. `reason` says why it is not armed."""

    id: str
    armed: bool
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """A capability held and not used, and the tripwire that watches it. `since` is when it was first found."""

    id: str
    kind: CapabilityKind
    workload: Workload
    reference: ReferenceVersion
    capability: HeldCapability
    tripwire: Tripwire
    sentence: str
    since: float


MAX_EXAMPLES = 10


@dataclass(frozen=True, slots=True)
class HeldCapability:
    """How much is held, how much of it was used. `held` and `latent` are -1 where the set is open-ended.

    `examples` are up to `MAX_EXAMPLES` of the latent things; of an open-ended set, what holds it open (the folders, the
    interpreters).
    """

    held: int
    used: int
    latent: int
    examples: tuple[str, ...]
