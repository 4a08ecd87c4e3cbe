"""Whether anybody listens, by OpenTelemetry's own environment variables. The SDK is imported only if so: 20 MiB."""

from __future__ import annotations

from collections.abc import Mapping

from controlplane.telemetry.port import Silence, Telemetry

_ANY = "OTEL_EXPORTER_OTLP_ENDPOINT"
_TRACES = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
_METRICS = "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"


def open_telemetry(environ: Mapping[str, str], version: str) -> Telemetry:
    """Telemetry to the OTLP/gRPC endpoints that `environ` names; silence where it names none or disables the SDK.

    The exporters read the rest (headers, certificates, intervals) from the process's environment themselves.
    """
    traces = environ.get(_TRACES) or environ.get(_ANY)
    metrics = environ.get(_METRICS) or environ.get(_ANY)
    if not (traces or metrics) or environ.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return Silence()
    from controlplane.telemetry.otlp import OtlpTelemetry

    return OtlpTelemetry(traces or "", metrics or "", version)
