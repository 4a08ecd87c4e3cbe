"""A sidecar's batches from the wire: definitions interned per stream, counts as packed columns, every bound checked.

A violation raises `CodecError`, which ends that one stream. What is merely impossible (a clock in the far future) is
moved to the edge of the possible and counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from controlplane.loop.batch import ReceivedBatch
from inscope.codec import (
    CodecError,
    ancestry_from_wire,
    binary_from_wire,
    capability_from_wire,
    coverage_from_wire,
    seconds,
    verdict_from_wire,
    watched_from_wire,
)
from inscope.codec.bounds import items, reject
from inscope.codec.stream import unpacked
from inscope.observation import Observation, Sighting
from inscope.v1 import sidecar_pb2 as pb
from inscope.workload import InstanceId

COUNTER_MAX = 2**63 - 1
"""What a 64-bit signed column of a database holds."""

HEX = frozenset("0123456789abcdef")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """What one stream may send. `rows` bounds each of definitions, columns, coverage and binaries of one batch.

    `ids` and `definition_bytes` bound what the stream's interning table holds; a sidecar that needs more reconnects.
    Times older than `oldest` or further ahead than `ahead` seconds are moved there.
    """

    rows: int = 10_000
    ids: int = 1_000_000
    definition_bytes: int = 64 << 20
    members: int = 100_000
    oldest: float = 366 * 86_400.0
    ahead: float = 300.0


DEFAULT_LIMITS = BatchLimits()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A batch as the loop takes it, and what telemetry wants to know of it.

    `observed` are the first times of the behaviours defined in it; `acts` is how many acts it tells of; `clamped` how
    many of its times were moved.
    """

    batch: ReceivedBatch
    judged_at: float
    observed: tuple[float, ...]
    acts: int
    clamped: int


class BatchReader:
    """One stream's interning table."""

    def __init__(
        self,
        instance: InstanceId,
        epoch: str,
        new_trace_id: Callable[[], str],
        limits: BatchLimits = DEFAULT_LIMITS,
    ) -> None:
        """`epoch` is the sidecar's, from its Hello.

        A behaviour that comes without a trace gets a new one: an alert's path is a trace, exported or not.
        """
        self._instance = instance
        self._epoch = epoch
        self._new_trace_id = new_trace_id
        self._limits = limits
        self._known: dict[int, Observation] = {}
        self._bytes = 0
        self._sequence: int | None = None

    def read(self, wire: pb.Batch, now: float) -> Delivery:
        """The batch as words.

        Raises:
            CodecError: it breaks a bound or the protocol. The reader must not be used again.
        """
        self._follow(wire.sequence)
        times = _Times(now - self._limits.oldest, now + self._limits.ahead)
        fresh = self._define(wire.definitions, times)
        sightings = tuple(self._sightings(wire, fresh, times))
        batch = ReceivedBatch(
            self._epoch,
            wire.sequence,
            sightings,
            items(wire.coverage, coverage_from_wire, "batch.coverage", self._limits.rows),
            items(wire.capabilities, capability_from_wire, "batch.capabilities", self._limits.rows),
            items(wire.binaries, binary_from_wire, "batch.binaries", self._limits.rows),
        )
        self._bound(batch)
        judged_at = times.sane(seconds(wire.judged_at, "batch.judged_at")) if wire.judged_at else 0.0
        acts = sum(sighting.count for sighting in sightings)
        return Delivery(batch, judged_at, tuple(each.time for each in fresh.values()), acts, times.moved)

    def _follow(self, sequence: int) -> None:
        if not 1 <= sequence <= COUNTER_MAX:
            reject("batch.sequence", f"{sequence}, it counts from 1")
        if self._sequence is not None and sequence != self._sequence + 1:
            reject("batch.sequence", f"{sequence} came after {self._sequence}")
        self._sequence = sequence

    def _define(self, wires: Sequence[pb.Definition], times: _Times) -> dict[int, Observation]:
        """Take in what is new; by id."""
        if len(wires) > self._limits.rows:
            reject("batch.definitions", f"{len(wires)} elements, at most {self._limits.rows}")
        fresh: dict[int, Observation] = {}
        for wire in wires:
            if wire.id in fresh or wire.id in self._known:
                reject("definition.id", f"{wire.id} is defined twice on this stream")
            fresh[wire.id] = self._observation(wire, times)
            self._bytes += wire.ByteSize()
        self._known.update(fresh)
        if len(self._known) > self._limits.ids or self._bytes > self._limits.definition_bytes:
            reject(
                "batch.definitions", f"{len(self._known)} ids of {self._bytes} bytes on one stream; reconnect to go on"
            )
        return fresh

    def _observation(self, wire: pb.Definition, times: _Times) -> Observation:
        return Observation(
            self._instance,
            times.sane(seconds(wire.time, "definition.time")),
            watched_from_wire(wire.behaviour),
            ancestry_from_wire(list(wire.ancestry)),
            verdict_from_wire(wire.verdict),
            trace_id(wire.trace_id) or self._new_trace_id(),
        )

    def _sightings(self, wire: pb.Batch, fresh: Mapping[int, Observation], times: _Times) -> Iterator[Sighting]:
        ids, counts, offsets = (
            unpacked(raw, f"batch.{name}", self._limits.rows)
            for raw, name in ((wire.ids, "ids"), (wire.counts, "counts"), (wire.last_ms, "last_ms"))
        )
        if not len(ids) == len(counts) == len(offsets):
            reject("batch.columns", f"lengths {len(ids)}, {len(counts)} and {len(offsets)} differ")
        if uncounted := fresh.keys() - set(ids):
            reject("batch.definitions", f"{len(uncounted)} are not counted in their own batch")
        base = seconds(wire.base_time, "batch.base_time")
        for number, count, offset in zip(ids, counts, offsets, strict=True):
            yield self._sighting(number, count, times.sane(base + offset / 1_000), fresh)

    def _sighting(self, number: int, count: int, last: float, fresh: Mapping[int, Observation]) -> Sighting:
        if not count:
            reject("batch.counts", f"behaviour {number} was seen no times")
        observation = self._known.get(number)
        if observation is None:
            reject("batch.ids", f"{number} is not defined on this stream")
        if number not in fresh:
            # Only its last time is known here: the first one was in a batch before, and has been told.
            observation = _again(observation, last)
        return Sighting(observation, count, max(last, observation.time))

    def _bound(self, batch: ReceivedBatch) -> None:
        members = sum(len(capability.members) for capability in batch.capabilities)
        if members > self._limits.members:
            reject("batch.capabilities", f"{members} members, at most {self._limits.members}")
        for coverage in batch.coverage:
            if any(count > COUNTER_MAX for count in coverage.losses.values()):
                reject("coverage.losses", "a count beyond 63 bits")


def _again(seen: Observation, time: float) -> Observation:
    """`dataclasses.replace`, at a quarter of its cost: this is done for every row of every batch."""
    return Observation(seen.instance, time, seen.behaviour, seen.ancestry, seen.verdict, seen.trace_id)


class _Times:
    """Clamps times into a window and counts how many it moved."""

    def __init__(self, first: float, last: float) -> None:
        self._first, self._last = first, last
        self.moved = 0

    def sane(self, time: float) -> float:
        if self._first <= time <= self._last:
            return time
        self.moved += 1
        return self._first if time < self._first else self._last


def trace_id(value: str) -> str:
    """A W3C trace id (32 hex digits, not all zero), or nothing.

    Raises:
        CodecError: anything else.
    """
    if value and (len(value) != 32 or not HEX.issuperset(value) or value == "0" * 32):
        raise CodecError(f"trace_id: not 32 lower-case hex digits: {value[:40]!r}")
    return value
