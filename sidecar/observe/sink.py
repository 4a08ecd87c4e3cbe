"""The port through which observing hands on what it found. The sidecar's process implements it."""

from __future__ import annotations

from typing import Protocol

from inscope.behaviour import Behaviour
from inscope.capability import Capability
from inscope.coverage import SourceCoverage
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.verdict import Verdict


class ObservationSink(Protocol):
    """Receives facts in the order in which they happened; must not block."""

    def observed(self, observation: Observation) -> None:
        """An act of the instance."""
        ...

    def repeated(self, observation: Observation, times: int) -> None:
        """What was observed before was done so many times more, by `observation.time`."""
        ...

    def countable(self, behaviour: Behaviour, writable: bool) -> bool:
        """Whether repetitions of it may come as counts. `writable`: the workload can write the file."""
        ...

    @property
    def mode(self) -> Mode:
        """What is to be done about acts that are not in scope."""
        ...

    async def verdict(self, behaviour: Behaviour) -> Verdict:
        """Whether an act may happen whose process is held for it."""
        ...

    def in_force(self, generation: int) -> None:
        """Init does what it was told in its `generation`-th mode."""
        ...

    def surveyed(self, capability: Capability) -> None:
        """One complete set of what the instance holds; replaces an earlier one of its kind."""
        ...

    def covered(self, coverage: SourceCoverage) -> None:
        """How a source fares now; replaces what was said of that source before."""
        ...

    def ended(self, status: int) -> None:
        """The agent ended with this wait(2) status; everything before it has been handed on."""
        ...
