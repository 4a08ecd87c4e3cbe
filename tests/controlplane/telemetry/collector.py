"""A real OTLP/gRPC collector endpoint that keeps what it receives."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2 as metrics_pb
from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2_grpc as metrics_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as trace_pb
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2_grpc as trace_grpc
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.trace.v1.trace_pb2 import Span


@dataclass
class Collector:
    """Keeps what it is sent. One class cannot serve both services' `Export`, so each has its own name."""

    spans: list[Span] = field(default_factory=list)
    metrics: list[Metric] = field(default_factory=list)

    def traces(self, request: trace_pb.ExportTraceServiceRequest, _: object) -> trace_pb.ExportTraceServiceResponse:
        for resource in request.resource_spans:
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)
        return trace_pb.ExportTraceServiceResponse()

    def measures(
        self, request: metrics_pb.ExportMetricsServiceRequest, _: object
    ) -> metrics_pb.ExportMetricsServiceResponse:
        for resource in request.resource_metrics:
            for scope in resource.scope_metrics:
                self.metrics.extend(scope.metrics)
        return metrics_pb.ExportMetricsServiceResponse()

    def metric(self, name: str) -> Metric:
        return next(metric for metric in reversed(self.metrics) if metric.name == name)


@contextmanager
def collecting() -> Iterator[tuple[Collector, str]]:
    """A collector on loopback, and its endpoint as OpenTelemetry's variables want it."""
    received = Collector()
    traces, metrics = trace_grpc.TraceServiceServicer(), metrics_grpc.MetricsServiceServicer()
    traces.Export = received.traces  # type: ignore[method-assign]  # two services, one recorder
    metrics.Export = received.measures  # type: ignore[method-assign]  # the same
    server = grpc.server(ThreadPoolExecutor(2))
    trace_grpc.add_TraceServiceServicer_to_server(traces, server)
    metrics_grpc.add_MetricsServiceServicer_to_server(metrics, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield received, f"http://127.0.0.1:{port}"
    server.stop(None).wait()
