"""The batch that is being filled. Pure: repeated behaviours become counts, time is an argument."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from inscope.binary import Binary
from inscope.capability import Capability, CapabilityKind
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.observation import Observation, Sighting
from sidecar.report.batch import Batch, RowKey, row_key, weight_of


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """When a batch closes: rows, rough bytes, or seconds since it began (`interval_s`), or since something urgent came.

    `binaries` are kept waiting at most; the rest is counted, since a description is asked for once.
    """

    rows: int = 512
    weight: int = 256 << 10
    interval_s: float = 0.2
    urgent_s: float = 0.01
    binaries: int = 2048
    binaries_at_once: int = 256


DEFAULT_LIMITS = BatchLimits()


class OpenBatch:
    """Gathers rows and what else is to be told; `close` hands it over and begins anew."""

    def __init__(self, limits: BatchLimits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._rows: dict[RowKey, _Row] = {}
        self._weight = 0
        self._judged_at = 0.0
        self._coverage: dict[Source, SourceCoverage] = {}
        self._changed: set[Source] = set()
        self._capabilities: dict[CapabilityKind, Capability] = {}
        self._binaries: list[Binary] = []
        self._losses: dict[LossCause, int] = {}
        self.began: float | None = None
        self.due: float | None = None

    @property
    def empty(self) -> bool:
        """Whether there is nothing to say."""
        return self.due is None

    @property
    def full(self) -> bool:
        """Whether it has to close before it takes more."""
        return len(self._rows) >= self._limits.rows or self._weight >= self._limits.weight

    def add(
        self, observation: Observation, now: float, *, urgent: bool, judged_at: float = 0.0, times: int = 1
    ) -> None:
        """Count an observation, made `times` times; an urgent one closes the batch soon.

        `judged_at` is wall time, `now` monotonic.
        """
        key = row_key(observation)
        row = self._rows.get(key)
        if row:
            row.count += times
            row.last_time = max(row.last_time, observation.time)
        else:
            self._judged_at = self._judged_at or judged_at
            self._rows[key] = _Row(observation, times)
            self._weight += weight_of(observation)
        self._wake(now + (self._limits.urgent_s if urgent else self._limits.interval_s), now)

    def cover(self, coverage: SourceCoverage, now: float) -> None:
        """Note how a source fares; only what changed travels."""
        if self._coverage.get(coverage.source) != coverage:
            self._coverage[coverage.source] = coverage
            self._changed.add(coverage.source)
            self._wake(now + self._limits.interval_s, now)

    def hold(self, capability: Capability, now: float) -> None:
        """Note a surveyed set; the newest of each kind travels."""
        self._capabilities[capability.kind] = capability
        self._wake(now + self._limits.interval_s, now)

    def describe(self, binary: Binary, now: float) -> None:
        """Note a description; beyond the bound it is lost, and counted."""
        if len(self._binaries) >= self._limits.binaries:
            self.lose(LossCause.SIDECAR_QUEUE, 1, now)
            return
        self._binaries.append(binary)
        self._wake(now + self._limits.interval_s, now)

    def lose(self, cause: LossCause, count: int, now: float) -> None:
        """Count what this side of the sidecar lost; told as part of the coverage of `Source.INIT`."""
        if count:
            self._losses[cause] = self._losses.get(cause, 0) + count
            self._changed.add(Source.INIT)
            self._wake(now + self._limits.interval_s, now)

    def close(self, sequence: int) -> Batch:
        """The batch, numbered; this one begins anew."""
        batch = Batch(
            sequence,
            tuple(Sighting(row.first, row.count, row.last_time) for row in self._rows.values()),
            tuple(self._changed_coverage()),
            tuple(self._capabilities.values()),
            tuple(self._binaries[: self._limits.binaries_at_once]),
            self._judged_at,
        )
        self._begin_anew()
        return batch

    def take_back(self, batch: Batch, cause: LossCause, now: float) -> None:
        """`batch` was dropped: its observations are lost and counted, everything else is told again later."""
        for capability in batch.capabilities:
            self._capabilities.setdefault(capability.kind, capability)
        self._changed |= {coverage.source for coverage in batch.coverage}
        self._binaries[:0] = batch.binaries
        excess = len(self._binaries) - self._limits.binaries
        if excess > 0:
            del self._binaries[-excess:]
        self.lose(cause, batch.events + max(excess, 0), now)
        if not batch.sightings and (self._capabilities or self._changed or self._binaries):
            self._wake(now + self._limits.interval_s, now)

    def _changed_coverage(self) -> Iterable[SourceCoverage]:
        for source in sorted(self._changed & self._coverage.keys()):
            coverage = self._coverage[source]
            if source is Source.INIT:
                own = {cause: coverage.losses.get(cause, 0) + count for cause, count in self._losses.items()}
                coverage = replace(coverage, losses=coverage.losses | own)
            yield coverage

    def _begin_anew(self) -> None:
        more = self._binaries[self._limits.binaries_at_once :]
        self._rows, self._weight, self._judged_at = {}, 0, 0.0
        self._changed -= self._coverage.keys()
        self._capabilities, self._binaries = {}, more
        self.due = self.due if more else None
        self.began = self.began if more else None

    def _wake(self, due: float, now: float) -> None:
        self.began = now if self.began is None else self.began
        self.due = due if self.due is None else min(self.due, due)


class _Row:
    """A sighting that still grows."""

    __slots__ = ("count", "first", "last_time")

    def __init__(self, first: Observation, times: int) -> None:
        self.first = first
        self.count = times
        self.last_time = first.time
