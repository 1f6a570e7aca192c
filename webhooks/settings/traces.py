"""Read OpenTelemetry's own variables. They belong to that standard and are not settings of Segue.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Final

_ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def tracing_requested(environ: Mapping[str, str]) -> bool:
    """Return whether a collector or an exporter is set, and tracing is not disabled."""
    exporters = environ.get("OTEL_TRACES_EXPORTER", "").split(",")
    requested = any(name in environ for name in _ENDPOINTS) or "otlp" in exporters
    disabled = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or exporters == ["none"]
    return requested and not disabled


def tracing_problems(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield each reason why requested traces would not be sent, with its fix."""
    if not tracing_requested(environ):
        return
    if not _is_installed():
        yield "OTEL_ variables request traces, but OpenTelemetry is not installed: pip install 'segue[otel]'"
    protocol = next((environ[name] for name in _PROTOCOLS if name in environ), "http/protobuf")
    if protocol != "http/protobuf":
        yield f"OTEL_EXPORTER_OTLP_PROTOCOL is {protocol!r}, but traces are sent by http/protobuf: use its port"
    exporters = environ.get("OTEL_TRACES_EXPORTER", "otlp")
    if exporters != "otlp":
        yield f"OTEL_TRACES_EXPORTER is {exporters!r}: only otlp is supported, so otlp is used"


def _is_installed() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:  # a parent package is missing
        return False
