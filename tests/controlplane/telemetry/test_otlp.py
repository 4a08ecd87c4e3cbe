"""What a real OTLP/gRPC collector receives, and that a dead one costs nothing."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from controlplane.telemetry.endpoint import open_telemetry
from controlplane.telemetry.path import Path
from controlplane.telemetry.port import Silence, Telemetry
from inscope.alert import Alert, Crossing
from inscope.behaviour import Connect, Protocol
from inscope.coverage import LossCause
from inscope.reference import ReferenceKind, ReferenceVersion, entries_of
from inscope.verdict import Verdict
from inscope.workload import Agent, Workload
from tests.controlplane.telemetry.collector import Collector, collecting

WORKLOAD = Workload("local", "Process", "support-agent")
BEHAVIOUR = Connect("198.51.100.7", 443, Protocol.TCP, "/usr/bin/python3")
ENVELOPE = ReferenceVersion(ReferenceKind.ENVELOPE, 12)
ALERT = Alert(
    id="AL-1",
    time=100.0,
    last_seen=100.0,
    workload=WORKLOAD,
    agent=Agent(WORKLOAD),
    tripwire="TW-EN-1",
    crossed=(Crossing(ENVELOPE, entries_of(BEHAVIOUR)[0], "EN-1", ""),),
    behaviour=BEHAVIOUR,
    ancestry=(),
    verdict=Verdict.ALLOW,
    techniques=("AML.T0086",),
    rank=70,
    sentence="support-agent contacted 198.51.100.7:443/tcp.",
    count=1,
    trace_id="0123456789abcdef0123456789abcdef",
)


@pytest.fixture
def collector() -> Iterator[tuple[Collector, str]]:
    with collecting() as received:
        yield received


def report(telemetry: Telemetry) -> None:
    telemetry.received(WORKLOAD, 512, [0.02, 0.3])
    telemetry.lost(WORKLOAD, LossCause.SPOOL_FULL, 3)
    telemetry.clamped(WORKLOAD, 1)
    telemetry.in_force(WORKLOAD, [ENVELOPE])
    telemetry.alerted(ALERT, Path(100.0, 100.1, 100.2, 100.3, 100.35))
    telemetry.alerted(ALERT, None)


def test_the_path_of_an_alert_arrives_as_one_trace(collector: tuple[Collector, str]) -> None:
    received, endpoint = collector
    telemetry = open_telemetry({"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint}, "0")
    report(telemetry)
    telemetry.close()
    assert [span.name for span in received.spans] == [
        "inscope.observed",
        "inscope.judged",
        "inscope.received",
        "inscope.stored",
        "inscope.alerted",
    ]
    assert {span.trace_id.hex() for span in received.spans} == {ALERT.trace_id}
    root, *inner = received.spans
    assert {span.parent_span_id for span in inner} == {root.span_id}
    assert (root.start_time_unix_nano, root.end_time_unix_nano) == (100_000_000_000, 100_350_000_000)
    attributes = {pair.key: pair.value for pair in root.attributes}
    assert attributes["inscope.alert.id"].string_value == "AL-1"
    assert [value.string_value for value in attributes["inscope.alert.findings"].array_value.values] == ["EN-1"]


def test_the_metrics_arrive_with_their_attributes(collector: tuple[Collector, str]) -> None:
    received, endpoint = collector
    telemetry = open_telemetry({"OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": endpoint}, "0")
    report(telemetry)
    telemetry.close()
    (events,) = received.metric("inscope.events").sum.data_points
    (losses,) = received.metric("inscope.losses").sum.data_points
    (latency,) = received.metric("inscope.latency").histogram.data_points
    (version,) = received.metric("inscope.reference.version").gauge.data_points
    assert events.as_int == 512
    assert (losses.as_int, {pair.key: pair.value.string_value for pair in losses.attributes}) == (
        3,
        {"inscope.workload": "local/Process/support-agent", "inscope.loss.cause": "spool-full"},
    )
    assert (latency.count, latency.sum) == (2, pytest.approx(0.32))
    assert version.as_int == 12
    assert sum(point.as_int for point in received.metric("inscope.alerts").sum.data_points) == 2
    assert not received.spans


@pytest.mark.parametrize("environ", [{}, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://h:1", "OTEL_SDK_DISABLED": "true"}])
def test_without_an_endpoint_there_is_silence(environ: dict[str, str]) -> None:
    assert isinstance(open_telemetry(environ, "0"), Silence)


def test_without_an_endpoint_the_sdk_is_not_even_imported() -> None:
    program = (
        "import sys; from controlplane.telemetry.endpoint import open_telemetry; open_telemetry({}, '0');"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_dead_collector_slows_nothing_and_does_not_keep_the_process() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts and never answers: worse than a refusal
        telemetry = open_telemetry({"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{silent.getsockname()[1]}"}, "0")
        began = time.monotonic()
        for _ in range(500):
            report(telemetry)
        reported = time.monotonic()
        telemetry.close()
        closed = time.monotonic()
    assert reported - began < 2.0  # 3,000 calls; waiting for one export alone would take five
    assert closed - reported < 4.0
