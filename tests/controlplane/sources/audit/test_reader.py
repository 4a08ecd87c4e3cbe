"""A log is read whole, in order, once, in constant memory, and goes on where it was left."""

from __future__ import annotations

import gzip
import io
import json
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from controlplane.sources.audit.reader import AuditReader
from controlplane.sources.splitting import Mark
from inscope.coverage import Source
from inscope.exercise import LogCoverage
from inscope.permission import Level
from tests.controlplane.sources.audit.events import RECORDED, answered, event, replay, text


def test_coverage_says_from_when_to_when_which_services_and_what_was_not_understood() -> None:
    events = [
        event(1, requestReceivedTimestamp="2026-11-22T00:00:10Z"),
        event(2, requestReceivedTimestamp="2026-11-22T00:00:00Z", objectRef={"resource": "pods"}, verb="list"),
        event(3, objectRef={"resource": "deployments", "apiGroup": "apps"}, verb="patch"),
        event(4, objectRef={"resource": "roles", "apiGroup": "rbac.authorization.k8s.io"}, verb="update"),
        event(5, **answered(401)),
        event(6, apiVersion="audit.k8s.io/v1alpha1"),
        event(3, objectRef={"resource": "deployments", "apiGroup": "apps"}, verb="patch"),
    ]
    _, reading = replay(text(*events) + b'\n{"auditID":')
    assert reading.coverage() == LogCoverage(
        Source.KUBERNETES_AUDIT,
        "prod",
        1795305600.0,
        1795386749.25,
        4,
        frozenset(
            {
                ("core", Level.READ),
                ("core", Level.LIST),
                ("apps", Level.WRITE),
                ("rbac.authorization.k8s.io", Level.PERMISSIONS),
            }
        ),
        {"401: nobody was authenticated": 1},
        2,
    )
    assert reading.faults == {"not of audit.k8s.io/v1": 1, "not JSON, or not of an event's shape": 1}
    assert reading.duplicates == 1


def test_events_twice_and_out_of_order_are_told_once_each() -> None:
    numbers = [3, 1, 2, 1, 3, 4, 2]
    exercises, reading = replay(text(*(event(number) for number in numbers)))
    assert [each.id[-1] for each in exercises] == ["3", "1", "2", "4"]
    assert reading.duplicates == 3


def test_files_that_overlap_are_one_log() -> None:
    reader = AuditReader("prod")
    first = list(reader.read(io.BytesIO(text(event(1), event(2)))))
    second = list(reader.read(io.BytesIO(gzip.compress(text(event(2), event(3))))))
    assert [each.id[-1] for each in first + second] == ["1", "2", "3"]
    assert reader.coverage().events == 3


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("indent", [None, 1])
def test_an_interrupted_replay_goes_on_from_its_mark_and_tells_nothing_less(packed: bool, indent: int | None) -> None:
    content = json.dumps(RECORDED, indent=indent).encode() if indent else text(*RECORDED["items"])
    stored = gzip.compress(content) if packed else content
    whole, _ = replay(content)
    for stop in range(len(whole)):
        before = AuditReader("prod")
        reading = before.read(io.BytesIO(stored))
        told = [next(reading) for _ in range(stop)]
        reading.close()  # type: ignore[attr-defined]  # it is a generator
        after = AuditReader("prod")
        rest = list(after.read(io.BytesIO(stored), Mark.parse(str(before.mark))))
        assert {each.id for each in told + rest} == {each.id for each in whole}
        assert len(rest) <= len(whole) - stop + 1  # the record at which it was interrupted is read again


def test_a_cut_gzip_file_tells_everything_before_the_cut() -> None:
    packed = gzip.compress(text(*(event(number) for number in range(2_000))), 1)
    exercises, reading = replay(packed[:-1_000])
    assert 1_000 < len(exercises) < 2_000
    assert reading.faults["gzip that is cut off"] == 1
    assert reading.coverage().malformed == sum(reading.faults.values()) <= 2


class Endless(io.RawIOBase):
    """An `EventList` of so many events on one line, made while it is read."""

    def __init__(self, count: int) -> None:
        self._parts = self._written(count)
        self._left = bytearray()

    @staticmethod
    def _written(count: int) -> Iterator[bytes]:
        one = json.dumps(event(0)).encode()
        number = event(0)["auditID"].encode()
        yield b'{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":['
        for each in range(count):
            yield (b"," if each else b"") + one.replace(number, b"%d" % each)
        yield b"]}"

    def read(self, size: int = -1) -> bytes:
        while len(self._left) < size and (part := next(self._parts, b"")):
            self._left += part
        chunk = bytes(self._left[:size])
        del self._left[:size]
        return chunk


@pytest.mark.slow
def test_a_list_of_a_million_events_is_read_in_constant_memory() -> None:
    reader, window = AuditReader("prod"), 30_000
    told, peaks = 0, []
    for told, _ in enumerate(reader.read(Endless(1_000_000)), 1):  # type: ignore[arg-type]  # it reads
        if told in (150_000, 960_000):
            tracemalloc.start()
        elif told in (150_000 + window, 960_000 + window):
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert (told, reader.faults) == (1_000_000, {})
    early, late = peaks
    assert late < early + (1 << 20)  # the ids that are remembered are replaced by others; all else is gone at once
    assert early < 16 << 20


junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


@given(st.sampled_from(sorted(event())), junk)
def test_an_event_with_anything_in_a_field_is_told_or_counted(field: str, value: Any) -> None:
    exercises, reading = replay(text({**event(), field: value}))
    coverage = reading.coverage()
    assert coverage.events + sum(coverage.unmapped.values()) + coverage.malformed == 1
    assert len(exercises) == coverage.events


@given(st.sampled_from(["items", "records", "logEvents", "events", "properties", "protoPayload", "message"]), junk)
def test_an_envelope_with_anything_in_it_is_read_to_its_end(field: str, value: Any) -> None:
    exercises, _ = replay(text({field: value}, event()))
    assert len(exercises) == 1


@pytest.mark.fuzz
@given(st.data())
def test_a_log_with_any_byte_changed_loses_no_more_than_the_lines_it_touches(data: st.DataObject) -> None:
    content = bytearray(text(*(event(number) for number in range(5))))
    content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    exercises, _ = replay(bytes(content))
    assert len(exercises) >= 3
