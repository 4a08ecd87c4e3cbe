"""Whether inscope-init is there, read from what is said of its source; between the observers and the reporter."""

from __future__ import annotations

import asyncio

from inscope.behaviour import Behaviour
from inscope.capability import Capability
from inscope.coverage import Source, SourceCoverage
from inscope.mode import Mode
from inscope.observation import Observation
from inscope.verdict import Verdict
from sidecar.observe.sink import ObservationSink


class Presence:
    """Hands everything on to `sink` unchanged."""

    def __init__(self, sink: ObservationSink) -> None:
        self._sink = sink
        self._here = asyncio.Event()
        self._away = asyncio.Event()
        self._away.set()

    def observed(self, observation: Observation) -> None:
        """See `ObservationSink`."""
        self._sink.observed(observation)

    def repeated(self, observation: Observation, times: int) -> None:
        """See `ObservationSink`."""
        self._sink.repeated(observation, times)

    def countable(self, behaviour: Behaviour, writable: bool) -> bool:
        """See `ObservationSink`."""
        return self._sink.countable(behaviour, writable)

    @property
    def mode(self) -> Mode:
        """See `ObservationSink`."""
        return self._sink.mode

    async def verdict(self, behaviour: Behaviour) -> Verdict:
        """See `ObservationSink`."""
        return await self._sink.verdict(behaviour)

    def in_force(self, generation: int) -> None:
        """See `ObservationSink`."""
        self._sink.in_force(generation)

    def surveyed(self, capability: Capability) -> None:
        """See `ObservationSink`."""
        self._sink.surveyed(capability)

    def covered(self, coverage: SourceCoverage) -> None:
        """See `ObservationSink`; init's own coverage says whether it is connected."""
        if coverage.source is Source.INIT:
            now, before = (self._here, self._away) if coverage.connected else (self._away, self._here)
            now.set()
            before.clear()
        self._sink.covered(coverage)

    def ended(self, status: int) -> None:
        """See `ObservationSink`."""
        self._sink.ended(status)

    async def lost_for(self, seconds: float) -> None:
        """Return when init has been away for `seconds` in a row; never where `seconds` is 0."""
        while True:
            await self._away.wait()
            try:
                async with asyncio.timeout(seconds or None):
                    await self._here.wait()
            except TimeoutError:
                return
