"""Telemetry over OTLP/gRPC: recording is in memory and bounded, the SDK's threads send, a dead collector loses spans.

Spans are made as finished records rather than by a tracer, since their times and their trace id are those of the alert.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable

from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import SpanContext, SpanKind, TraceFlags

from controlplane.telemetry.path import Path, Stage, stages
from inscope.alert import Alert
from inscope.coverage import LossCause
from inscope.reference import ReferenceVersion
from inscope.workload import Workload

EXPORT_SECONDS = 5
"""How long one export may take, retries included."""

CLOSE_SECONDS = 3.0
"""How long the process waits for the last export when it ends."""

LATENCY_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60, 600, 3600]
"""Seconds. A spooled act may arrive an hour late, so the usual upper bound of ten seconds is not enough."""

Attributes = dict[str, str | int | tuple[str, ...]]


class OtlpTelemetry:
    """Implements `Telemetry`. An empty endpoint leaves that signal out."""

    def __init__(self, traces: str, metrics: str, version: str) -> None:
        self._resource = Resource.create({"service.name": "inscope-controlplane", "service.version": version})
        self._scope = InstrumentationScope("inscope", version)
        self._ids = RandomIdGenerator()
        self._spans = BatchSpanProcessor(OTLPSpanExporter(endpoint=traces, timeout=EXPORT_SECONDS)) if traces else None
        readers = (
            [PeriodicExportingMetricReader(OTLPMetricExporter(endpoint=metrics, timeout=EXPORT_SECONDS))]
            if metrics
            else []
        )
        self._meters = MeterProvider(readers, self._resource, shutdown_on_exit=False)
        meter = self._meters.get_meter("inscope", version)
        self._events = meter.create_counter("inscope.events", "{act}", "Acts that are durable")
        self._losses = meter.create_counter("inscope.losses", "{act}", "Acts that are not in the record, by cause")
        self._clamped = meter.create_counter("inscope.times.clamped", "{time}", "Times no clock can say, moved")
        self._alerts = meter.create_counter("inscope.alerts", "{alert}", "Alerts, raised or counted again")
        self._versions = meter.create_gauge("inscope.reference.version", "", "Version of each reference in force")
        self._latency = meter.create_histogram(
            "inscope.latency",
            "s",
            "From the observation of a new behaviour to its acknowledgement",
            explicit_bucket_boundaries_advisory=LATENCY_BOUNDS,
        )

    def received(self, workload: Workload, acts: int, latencies: Iterable[float]) -> None:
        """Count a durable batch."""
        attributes = _about(workload)
        self._events.add(acts, attributes)
        for seconds in latencies:
            self._latency.record(max(seconds, 0.0), attributes)

    def lost(self, workload: Workload, cause: LossCause, count: int) -> None:
        """Count what is not in the record."""
        self._losses.add(count, {**_about(workload), "inscope.loss.cause": cause.value})

    def clamped(self, workload: Workload, count: int) -> None:
        """Count times that were moved."""
        self._clamped.add(count, _about(workload))

    def in_force(self, workload: Workload, versions: Iterable[ReferenceVersion]) -> None:
        """Tell the references' versions."""
        for version in versions:
            self._versions.set(version.version, {**_about(workload), "inscope.reference.kind": version.kind.value})

    def alerted(self, alert: Alert, path: Path | None) -> None:
        """Count the alert; trace its path when it is new."""
        raised = "raised" if path else "again"
        self._alerts.add(1, {**_about(alert.workload), "inscope.alert.occasion": raised})
        if path and self._spans:
            for span in self._spans_of(alert, path):
                self._spans.on_end(span)

    def close(self) -> None:
        """Export what is left, for at most `CLOSE_SECONDS`: the process must end with a dead collector too."""
        closing = threading.Thread(target=self._shutdown, name="telemetry-close", daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)

    def _shutdown(self) -> None:
        if self._spans:
            self._spans.shutdown()  # type: ignore[no-untyped-call]  # the SDK leaves it unannotated
        self._meters.shutdown(timeout_millis=CLOSE_SECONDS * 1_000)

    def _spans_of(self, alert: Alert, path: Path) -> list[ReadableSpan]:
        whole, *inner = stages(path)
        trace = int(alert.trace_id, 16)
        root = self._span(whole, self._context(trace), None, _alert_attributes(alert))
        return [root, *(self._span(stage, self._context(trace), root.context, {}) for stage in inner)]

    def _context(self, trace: int) -> SpanContext:
        sampled = TraceFlags(TraceFlags.SAMPLED)
        return SpanContext(trace, self._ids.generate_span_id(), is_remote=False, trace_flags=sampled)

    def _span(
        self, stage: Stage, context: SpanContext, parent: SpanContext | None, attributes: Attributes
    ) -> ReadableSpan:
        return ReadableSpan(
            name=f"inscope.{stage.name}",
            context=context,
            parent=parent,
            resource=self._resource,
            attributes=attributes,
            kind=SpanKind.INTERNAL,
            instrumentation_scope=self._scope,
            start_time=_nanoseconds(stage.start),
            end_time=_nanoseconds(stage.end),
        )


def _about(workload: Workload) -> dict[str, str]:
    return {"inscope.workload": str(workload)}


def _alert_attributes(alert: Alert) -> Attributes:
    return {
        "inscope.alert.id": alert.id,
        "inscope.alert.sentence": alert.sentence,
        "inscope.alert.rank": alert.rank,
        "inscope.alert.verdict": alert.verdict.value,
        "inscope.alert.techniques": alert.techniques,
        "inscope.alert.tripwire": alert.tripwire,
        "inscope.alert.references": tuple(crossing.reference.kind.value for crossing in alert.crossed),
        "inscope.alert.findings": tuple(crossing.finding for crossing in alert.crossed if crossing.finding),
        "inscope.workload": str(alert.workload),
        "inscope.agent": str(alert.agent),
    }


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
