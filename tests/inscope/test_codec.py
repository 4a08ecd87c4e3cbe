"""Whatever the words can say survives the wire; whatever a hostile peer sends is a word or a `CodecError`."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from google.protobuf.message import DecodeError
from hypothesis import given
from hypothesis import strategies as st

from inscope import codec
from inscope.codec.bounds import MAX_ITEMS, MAX_TEXT
from inscope.v1 import operator_pb2, sidecar_pb2, words_pb2
from tests import strategies

ROUND_TRIPS = [
    (strategies.behaviours, codec.behaviour_to_wire, codec.behaviour_from_wire),
    (strategies.workloads, codec.workload_to_wire, codec.workload_from_wire),
    (strategies.agents, codec.agent_to_wire, codec.agent_from_wire),
    (strategies.entries, codec.entry_to_wire, codec.entry_from_wire),
    (strategies.versions, codec.version_to_wire, codec.version_from_wire),
    (strategies.ancestors, codec.ancestor_to_wire, codec.ancestor_from_wire),
    (strategies.capabilities, codec.capability_to_wire, codec.capability_from_wire),
    (strategies.coverages, codec.coverage_to_wire, codec.coverage_from_wire),
    (strategies.binaries, codec.binary_to_wire, codec.binary_from_wire),
    (strategies.findings, codec.finding_to_wire, codec.finding_from_wire),
    (strategies.crossings, codec.crossing_to_wire, codec.crossing_from_wire),
    (strategies.alerts, codec.alert_to_wire, codec.alert_from_wire),
]


@pytest.mark.parametrize(
    ("words", "to_wire", "from_wire"), ROUND_TRIPS, ids=lambda value: getattr(value, "__name__", "")
)
def test_every_word_survives_the_wire_and_serialisation(words: Any, to_wire: Any, from_wire: Any) -> None:
    @given(words)
    def survives(word: Any) -> None:
        wire = to_wire(word)
        assert from_wire(type(wire).FromString(wire.SerializeToString())) == word

    survives()


DECODERS = [
    (words_pb2.Behaviour, codec.behaviour_from_wire),
    (words_pb2.Capability, codec.capability_from_wire),
    (words_pb2.SourceCoverage, codec.coverage_from_wire),
    (words_pb2.Entry, codec.entry_from_wire),
    (operator_pb2.Alert, codec.alert_from_wire),
    (operator_pb2.Finding, codec.finding_from_wire),
    (sidecar_pb2.BinaryDetail, codec.binary_from_wire),
]


@pytest.mark.parametrize(("message", "from_wire"), DECODERS, ids=lambda value: getattr(value, "__name__", ""))
def test_random_bytes_are_a_word_or_a_codec_error(message: Any, from_wire: Any) -> None:
    @given(st.binary(max_size=300))
    def bounded(raw: bytes) -> None:
        try:
            wire = message.FromString(raw)
        except DecodeError:
            return
        with suppress(codec.CodecError):
            from_wire(wire)

    bounded()


def load(**fields: Any) -> words_pb2.Behaviour:
    return words_pb2.Behaviour(load=words_pb2.Load(**fields))


@pytest.mark.parametrize(
    ("wire", "field"),
    [
        (words_pb2.Behaviour(), "behaviour"),
        (load(path="x" * (MAX_TEXT + 1)), "load.path"),
        (load(path="/a\x1b[2J"), "load.path"),
        (load(path="/a", sha256=b"short"), "load.sha256"),
        (words_pb2.Behaviour(connect=words_pb2.Connect(port=65_536, protocol="tcp")), "connect.port"),
        (words_pb2.Behaviour(connect=words_pb2.Connect(protocol="smoke")), "connect.protocol"),
        (words_pb2.Behaviour(open=words_pb2.Open(access="stare")), "open.access"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_unsound_behaviour_is_refused_by_field(wire: words_pb2.Behaviour, field: str) -> None:
    with pytest.raises(codec.CodecError, match=field):
        codec.behaviour_from_wire(wire)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), 1e15])
def test_a_time_that_is_none_is_refused(value: float) -> None:
    with pytest.raises(codec.CodecError, match="not a time"):
        codec.seconds(value, "x")


def test_an_endless_list_is_refused_before_it_is_converted() -> None:
    wire = words_pb2.Capability(kind="executables", members=["/a"] * (MAX_ITEMS + 1))
    with pytest.raises(codec.CodecError, match="at most"):
        codec.capability_from_wire(wire)


@pytest.mark.parametrize("from_wire", [codec.mode_from_wire, codec.verdict_from_wire])
@pytest.mark.parametrize("value", [0, 99])
def test_an_unknown_enum_value_is_refused_rather_than_guessed(from_wire: Any, value: int) -> None:
    with pytest.raises(codec.CodecError, match="unknown value"):
        from_wire(value)


def test_a_workload_without_a_name_is_refused() -> None:
    with pytest.raises(codec.CodecError, match="workload"):
        codec.workload_from_wire(words_pb2.Workload(namespace="a", kind="Deployment"))
