"""Batches from the wire: what a well-behaved sidecar means, and everything a hostile one may try."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given, settings
from hypothesis import strategies as st

from controlplane.serve.batch_codec import DEFAULT_LIMITS, BatchLimits, BatchReader, trace_id
from inscope.behaviour import CodeMemory
from inscope.binary import Binary, ElfDescription, Linkage
from inscope.codec import CodecError, binary_from_wire
from inscope.coverage import LossCause, Source, SourceCoverage
from inscope.observation import Ancestor, Observation, Sighting
from inscope.v1 import sidecar_pb2 as pb
from inscope.v1 import words_pb2
from inscope.workload import InstanceId
from tests.controlplane.serve.wire import CONTACT, NOW, batch, column, definition

FRESH = "f0" * 16
INSTANCE = InstanceId("i-1")
SHA = bytes(range(32))


def reader(limits: BatchLimits = DEFAULT_LIMITS) -> BatchReader:
    return BatchReader(INSTANCE, "e1", lambda: FRESH, limits)


def refusal(wire: pb.Batch, limits: BatchLimits = DEFAULT_LIMITS) -> str:
    with pytest.raises(CodecError) as caught:
        reader(limits).read(wire, NOW)
    return str(caught.value)


def test_a_definition_is_a_sighting_with_its_first_time_and_ancestry() -> None:
    wire = definition(7, ancestry=[words_pb2.Ancestor(pid=4, start=9, label="/bin/sh")], trace_id="ab" * 16)
    delivery = reader().read(batch(1, [wire], [(7, 3, 1_500)], judged_at=NOW + 0.1), NOW)
    first = Observation(INSTANCE, NOW, CONTACT, (Ancestor(4, 9, "/bin/sh"),), trace_id="ab" * 16)
    assert delivery.batch.sightings == (Sighting(first, 3, NOW + 1.5),)
    assert (delivery.observed, delivery.acts, delivery.judged_at) == ((NOW,), 3, NOW + 0.1)


def test_a_behaviour_without_a_trace_gets_one() -> None:
    (sighting,) = reader().read(batch(1, [definition(7)]), NOW).batch.sightings
    assert sighting.observation.trace_id == FRESH


def test_a_known_id_is_the_same_behaviour_at_the_time_of_the_batch() -> None:
    stream = reader()
    stream.read(batch(1, [definition(7)]), NOW)
    delivery = stream.read(batch(2, rows=[(7, 5, 2_000)]), NOW)
    (sighting,) = delivery.batch.sightings
    assert (sighting.observation.behaviour, sighting.observation.time, sighting.count) == (CONTACT, NOW + 2, 5)
    assert delivery.observed == ()


def test_what_else_a_batch_carries_becomes_words() -> None:
    wire = batch(
        1,
        coverage=[words_pb2.SourceCoverage(source="init", since=NOW, losses={"init-queue": 3})],
        capabilities=[words_pb2.Capability(kind="secrets", members=["/run/token"], surveyed_at=NOW, complete=True)],
        binaries=[pb.BinaryDetail(sha256=SHA, path="/bin/true", needed=["libc.so.6"], linkage="dynamic", size=10)],
    )
    taken = reader().read(wire, NOW).batch
    assert (taken.epoch, taken.sequence) == ("e1", 1)
    assert taken.coverage == (SourceCoverage(Source.INIT, NOW, 0.0, {LossCause.INIT_QUEUE: 3}),)
    assert taken.capabilities[0].members == {"/run/token"}
    assert taken.binaries == (
        Binary(SHA.hex(), "/bin/true", 10, ElfDescription(Linkage.DYNAMIC, needed=("libc.so.6",))),
    )


@pytest.mark.parametrize(
    ("wire", "why"),
    [
        (batch(0), "counts from 1"),
        (batch(2**64 - 1), "counts from 1"),
        (batch(1, rows=[(7, 1, 0)]), "7 is not defined"),
        (batch(1, [definition(7), definition(7)]), "defined twice"),
        (batch(1, [definition(7)], [(7, 0, 0)]), "seen no times"),
        (batch(1, [definition(7)], []), "not counted"),
        (pb.Batch(sequence=1, base_time=math.nan), "base_time"),
        (pb.Batch(sequence=1, ids=b"123"), "multiple of 4"),
        (pb.Batch(sequence=1, ids=column(1, 2), counts=column(1)), "lengths 2, 1 and 0 differ"),
        (pb.Batch(sequence=1, definitions=[pb.Definition(id=1)]), "behaviour"),
        (batch(1, [definition(7, time=math.inf)]), "definition.time"),
        (batch(1, [definition(7, trace_id="x")]), "trace_id"),
        (batch(1, [definition(7, ancestry=[words_pb2.Ancestor()] * 17)]), "ancestry: 17 elements, at most 16"),
        (batch(1, coverage=[words_pb2.SourceCoverage(source="rumour")]), "coverage.source"),
        (batch(1, coverage=[words_pb2.SourceCoverage(source="init", losses={"init-queue": 2**63})]), "63 bits"),
        (batch(1, binaries=[pb.BinaryDetail(path="/x")]), "binary.sha256"),
        (batch(1, binaries=[pb.BinaryDetail(sha256=SHA, linkage="odd")]), "binary.linkage"),
        (batch(1, binaries=[pb.BinaryDetail(sha256=SHA, path="/x\x1b[2J", linkage="static")]), "control characters"),
        (batch(1, binaries=[pb.BinaryDetail(sha256=SHA, needed=["a"] * 513, linkage="static")]), "binary.needed"),
        (batch(1, binaries=[pb.BinaryDetail(sha256=SHA, size=2**63)]), "binary.size"),
    ],
)
def test_a_violation_says_what_it_is(wire: pb.Batch, why: str) -> None:
    assert why in refusal(wire)


@pytest.mark.parametrize(
    ("wire", "limits", "why"),
    [
        (batch(1, [definition(1), definition(2)]), BatchLimits(rows=1), "batch.definitions: 2 elements, at most 1"),
        (pb.Batch(sequence=1, ids=column(1, 1)), BatchLimits(rows=1), "batch.ids: 2 rows, at most 1"),
        (batch(1, [definition(1), definition(2)]), BatchLimits(ids=1), "2 ids"),
        (batch(1, [definition(1)]), BatchLimits(definition_bytes=10), "bytes on one stream"),
        (
            batch(1, capabilities=[words_pb2.Capability(kind=kind, members="ab") for kind in ("secrets", "libraries")]),
            BatchLimits(members=3),
            "4 members, at most 3",
        ),
        (batch(1, coverage=[words_pb2.SourceCoverage(source="init")] * 2), BatchLimits(rows=1), "batch.coverage"),
    ],
)
def test_bounds_are_kept(wire: pb.Batch, limits: BatchLimits, why: str) -> None:
    assert why in refusal(wire, limits)


def test_an_id_cannot_be_redefined_later_on_the_stream() -> None:
    stream = reader()
    stream.read(batch(1, [definition(7)]), NOW)
    with pytest.raises(CodecError, match="defined twice"):
        stream.read(batch(2, [definition(7, CodeMemory("/bin/sh"))]), NOW)


@pytest.mark.parametrize("sequence", [5, 7, 1])
def test_a_sequence_has_no_gaps_and_no_repeats(sequence: int) -> None:
    stream = reader()
    stream.read(batch(5), NOW)
    with pytest.raises(CodecError, match=f"{sequence} came after 5"):
        stream.read(batch(sequence), NOW)


def test_times_no_clock_can_say_are_moved_and_counted() -> None:
    limits = BatchLimits(oldest=100.0, ahead=10.0)
    wire = batch(1, [definition(1, time=0.0), definition(2, time=NOW + 1e6)], [(1, 1, 0), (2, 1, 2**32 - 1)])
    delivery = reader(limits).read(wire, NOW)
    old, ahead = delivery.batch.sightings
    assert (old.observation.time, ahead.observation.time) == (NOW - 100, NOW + 10)
    assert (ahead.last_time, delivery.clamped) == (NOW + 10, 3)


def test_the_last_time_is_never_before_the_first() -> None:
    delivery = reader().read(batch(1, [definition(1, time=NOW + 60)]), NOW)
    assert delivery.batch.sightings[0].last_time == NOW + 60


@pytest.mark.parametrize("value", ["", "0123456789abcdef" * 2])
def test_a_trace_id_is_nothing_or_32_digits(value: str) -> None:
    assert trace_id(value) == value


@pytest.mark.parametrize("value", ["0" * 32, "AB" * 16, "ab" * 15, "é" * 32])
def test_any_other_trace_id_is_refused(value: str) -> None:
    with pytest.raises(CodecError):
        trace_id(value)


@given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(1, 2**32 - 1), st.integers(0, 10**6)), min_size=1, max_size=20)
)
def test_every_row_is_one_sighting_in_order(rows: list[tuple[int, int, int]]) -> None:
    numbers = sorted({row[0] for row in rows})
    behaviours = {number: replace(CONTACT, port=number) for number in numbers}
    wire = batch(1, [definition(number, behaviours[number]) for number in numbers], rows)
    delivery = reader().read(wire, NOW)
    assert [(each.observation.behaviour, each.count) for each in delivery.batch.sightings] == [
        (behaviours[number], count) for number, count, _ in rows
    ]
    assert delivery.acts == sum(count for _, count, _ in rows)


@pytest.mark.fuzz
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_a_damaged_batch_is_refused_or_read_and_never_crashes(data: st.DataObject) -> None:
    raw = bytearray(SAMPLE)
    for _ in range(data.draw(st.integers(1, 6))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    try:
        reader().read(pb.Batch.FromString(bytes(raw)), NOW)
    except (CodecError, DecodeError):
        return


def test_a_binary_keeps_what_it_was_sent_with() -> None:
    wire = pb.BinaryDetail(sha256=SHA, path="/l", build_id="ab", soname="l.so", interpreter="/ld.so", linkage="static")
    elf = ElfDescription(Linkage.STATIC, "ab", "l.so", (), "/ld.so")
    assert binary_from_wire(wire) == Binary(SHA.hex(), "/l", 0, elf)


SAMPLE = batch(
    1,
    [definition(7, ancestry=[words_pb2.Ancestor(pid=4, start=9, label="/bin/sh")]), definition(8, CodeMemory("/n"))],
    [(7, 3, 10), (8, 1, 20)],
    coverage=[words_pb2.SourceCoverage(source="init", since=NOW, losses={"init-queue": 3})],
    capabilities=[words_pb2.Capability(kind="secrets", members=["/run/token"], surveyed_at=NOW, complete=True)],
    binaries=[pb.BinaryDetail(sha256=SHA, path="/bin/true", needed=["libc.so.6"], linkage="dynamic", size=10)],
    judged_at=NOW,
).SerializeToString()
