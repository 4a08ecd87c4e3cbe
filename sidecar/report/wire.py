"""Batches to protobuf and back. A behaviour is defined once a stream and is an id after that; on disk, once a batch."""

from __future__ import annotations

from collections import OrderedDict

from google.protobuf.message import DecodeError

from inscope.codec import (
    CodecError,
    ancestor_to_wire,
    ancestry_from_wire,
    behaviour_from_wire,
    behaviour_to_wire,
    binary_from_wire,
    binary_to_wire,
    capability_from_wire,
    capability_to_wire,
    coverage_from_wire,
    coverage_to_wire,
    seconds,
    verdict_from_wire,
    verdict_to_wire,
)
from inscope.codec.stream import column, packed, unpacked
from inscope.observation import Observation, Sighting
from inscope.v1 import sidecar_pb2 as pb
from inscope.workload import InstanceId
from sidecar.report.batch import Batch, RowKey, row_key

MAX_IDS = 900_000
"""Ids given on one stream; the control plane takes a million. A stream that comes near is opened anew."""

MAX_REMEMBERED = 4096
"""Definitions remembered per stream; one that fell out is defined again under a new id."""

_MAX_COUNT = 2**32 - 1


class Definitions:
    """The ids of one stream."""

    def __init__(self, remembered: int = MAX_REMEMBERED) -> None:
        self._ids: OrderedDict[RowKey, int] = OrderedDict()
        self._remembered = remembered
        self.given = 0

    @property
    def spent(self) -> bool:
        """Whether the stream should be opened anew."""
        return self.given >= MAX_IDS

    def id_of(self, key: RowKey) -> tuple[int, bool]:
        """The id of a row, and whether it is new and has to be defined."""
        known = self._ids.get(key)
        if known is not None:
            self._ids.move_to_end(key)
            return known, False
        self.given += 1
        self._ids[key] = self.given
        if len(self._ids) > self._remembered:
            self._ids.popitem(last=False)
        return self.given, True


def batch_to_wire(batch: Batch, definitions: Definitions, sequence: int) -> pb.Batch:
    """A batch for a stream that has had `definitions`, numbered `sequence` in the stream's epoch.

    Raises:
        CodecError: a string in it cannot travel.
    """
    base = min((sighting.last_time for sighting in batch.sightings), default=0.0)
    wire = pb.Batch(sequence=sequence, base_time=base, judged_at=batch.judged_at)
    ids, counts, last_ms = column(), column(), column()
    for sighting in batch.sightings:
        number, new = definitions.id_of(row_key(sighting.observation))
        if new:
            wire.definitions.append(_definition(number, sighting.observation))
        ids.append(number)
        counts.append(min(sighting.count, _MAX_COUNT))
        last_ms.append(min(round((sighting.last_time - base) * 1000), _MAX_COUNT))
    wire.ids, wire.counts, wire.last_ms = packed(ids), packed(counts), packed(last_ms)
    wire.coverage.extend(coverage_to_wire(coverage) for coverage in batch.coverage)
    wire.capabilities.extend(capability_to_wire(capability) for capability in batch.capabilities)
    wire.binaries.extend(binary_to_wire(binary) for binary in batch.binaries)
    return wire


def batch_to_bytes(batch: Batch) -> bytes:
    """A batch for the disk, with all its definitions."""
    return batch_to_wire(batch, Definitions(len(batch.sightings) + 1), batch.sequence).SerializeToString()


def batch_from_bytes(data: bytes, instance: InstanceId) -> Batch:
    """A batch from the disk.

    Raises:
        CodecError: it is not one.
    """
    wire = pb.Batch()
    try:
        wire.ParseFromString(data)
    except DecodeError as error:
        raise CodecError(f"batch: {error}") from error
    return Batch(
        wire.sequence,
        tuple(_sightings(wire, instance)),
        tuple(coverage_from_wire(coverage) for coverage in wire.coverage),
        tuple(capability_from_wire(capability) for capability in wire.capabilities),
        tuple(binary_from_wire(binary) for binary in wire.binaries),
        seconds(wire.judged_at, "batch.judged_at"),
    )


def check_travels(observation: Observation) -> None:
    """Whether the other side will take it.

    Raises:
        CodecError: it will not, and would refuse the whole batch.
    """
    try:
        wire = _definition(1, observation)
    except ValueError as error:  # a lone surrogate, a hash that is not hex, a number out of range
        raise CodecError(f"observation: {error}") from error
    _observation_from_wire(wire, observation.instance)


def _sightings(wire: pb.Batch, instance: InstanceId) -> list[Sighting]:
    known = {one.id: _observation_from_wire(one, instance) for one in wire.definitions}
    columns = (
        unpacked(wire.ids, "batch.ids"),
        unpacked(wire.counts, "batch.counts"),
        unpacked(wire.last_ms, "batch.last_ms"),
    )
    try:
        return [
            Sighting(known[number], count, wire.base_time + ms / 1000)
            for number, count, ms in zip(*columns, strict=True)
        ]
    except (KeyError, ValueError) as error:
        raise CodecError(f"batch: undefined id or columns of unequal length: {error}") from error


def _definition(number: int, observation: Observation) -> pb.Definition:
    return pb.Definition(
        id=number,
        behaviour=behaviour_to_wire(observation.behaviour),
        ancestry=[ancestor_to_wire(ancestor) for ancestor in observation.ancestry],
        time=observation.time,
        verdict=verdict_to_wire(observation.verdict),
        trace_id=observation.trace_id,
    )


def _observation_from_wire(wire: pb.Definition, instance: InstanceId) -> Observation:
    return Observation(
        instance,
        seconds(wire.time, "definition.time"),
        behaviour_from_wire(wire.behaviour),
        ancestry_from_wire(list(wire.ancestry)),
        verdict_from_wire(wire.verdict),
        wire.trace_id,
    )
