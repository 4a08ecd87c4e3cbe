"""Batches to protobuf: nothing is lost on the way to the disk and back, and a stream defines a behaviour once."""

from __future__ import annotations

import contextlib
import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inscope.behaviour import Load, Syscall
from inscope.codec import CodecError
from inscope.observation import Observation, Sighting
from inscope.verdict import Verdict
from inscope.workload import InstanceId
from sidecar.report.batch import Batch, row_key
from sidecar.report.wire import Definitions, batch_from_bytes, batch_to_bytes, batch_to_wire, check_travels
from tests.strategies import ancestries, behaviours, binaries, capabilities, coverages, texts, times

INSTANCE = InstanceId("i")
observations = st.builds(Observation, st.just(INSTANCE), times, behaviours, ancestries, st.sampled_from(Verdict), texts)
near = st.floats(1e9, 1e9 + 1000)
sightings = st.lists(
    st.builds(Sighting, observations, st.integers(1, 2**32 - 1), near),
    max_size=5,
    unique_by=lambda sighting: row_key(sighting.observation),
).map(tuple)
batches = st.builds(
    Batch,
    st.integers(1, 2**63),
    sightings,
    st.lists(coverages, max_size=2).map(tuple),
    st.lists(capabilities, max_size=2).map(tuple),
    st.lists(binaries, max_size=2).map(tuple),
    times,
)


def rounded(batch: Batch) -> Batch:
    """Last times travel as whole milliseconds since the earliest of the batch."""
    if not batch.sightings:
        return batch
    base = min(sighting.last_time for sighting in batch.sightings)
    return dataclasses.replace(
        batch,
        sightings=tuple(
            dataclasses.replace(s, last_time=base + round((s.last_time - base) * 1000) / 1000) for s in batch.sightings
        ),
    )


@given(batches)
def test_a_batch_comes_back_from_the_disk_as_it_went(batch):
    assert batch_from_bytes(batch_to_bytes(batch), INSTANCE) == rounded(batch)


@pytest.mark.fuzz
@given(st.binary(max_size=300) | batches.map(batch_to_bytes).flatmap(lambda b: st.permutations(b).map(bytes)))
def test_bytes_that_are_no_batch_are_a_codec_error_and_nothing_else(data):
    with contextlib.suppress(CodecError):
        batch_from_bytes(data, INSTANCE)


def sighting(name: str, count: int = 1) -> Sighting:
    return Sighting(Observation(INSTANCE, 5.0, Syscall(name, "", "p")), count, 5.0)


def test_a_behaviour_is_defined_once_per_stream():
    definitions = Definitions()
    first = batch_to_wire(Batch(1, (sighting("a"), sighting("b"))), definitions, 1)
    second = batch_to_wire(Batch(2, (sighting("b", 7), sighting("c"))), definitions, 2)
    assert [one.id for one in first.definitions] == [1, 2]
    assert [one.behaviour.syscall.name for one in second.definitions] == ["c"]
    assert second.ids == bytes([2, 0, 0, 0, 3, 0, 0, 0])
    assert second.counts == bytes([7, 0, 0, 0, 1, 0, 0, 0])


def test_a_forgotten_definition_gets_a_new_id_and_an_old_id_is_never_given_again():
    definitions = Definitions(remembered=1)
    numbers = [definitions.id_of(row_key(sighting(name).observation)) for name in "aaba"]
    assert numbers == [(1, True), (1, False), (2, True), (3, True)]


@pytest.mark.parametrize("name", ["\ud800", "x" * 10_000, "\x1b[2J"])
def test_an_observation_that_the_other_side_would_refuse_does_not_travel(name):
    with pytest.raises(CodecError):
        check_travels(sighting(name).observation)


def test_a_hash_that_is_none_does_not_travel():
    with pytest.raises(CodecError):
        check_travels(Observation(INSTANCE, 1.0, Load("/a", "zz", "p")))
