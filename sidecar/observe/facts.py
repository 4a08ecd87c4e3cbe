"""What follows from init's records, in the order in which it is told."""

from __future__ import annotations

from dataclasses import dataclass

from inscope.capability import Capability
from inscope.observation import Observation
from sidecar.observe.bodies import Counters
from sidecar.observe.claims import Claim
from sidecar.observe.drafts import Draft


@dataclass(frozen=True, slots=True)
class Ended:
    """The agent's own end, with its wait(2) status."""

    status: int


@dataclass(frozen=True, slots=True)
class Again:
    """What was observed before was done so many times more."""

    observation: Observation
    times: int


@dataclass(frozen=True, slots=True)
class InForce:
    """Init does what the MODE of this generation says."""

    generation: int


@dataclass(frozen=True, slots=True)
class Lost:
    """Acts that were counted, and cannot be told."""

    times: int


QueuedFact = Draft | Again | Lost | InForce | Capability | Counters | Ended
Fact = QueuedFact | Claim
"""What follows from a record. A claim is not told to anybody: it is held against the kernel while the socket lives."""
