"""What OpenTelemetry's own variables ask for. They are the standard's, not settings of ours.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Final

_WHERE: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_HOW: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")


def wants_traces(environ: Mapping[str, str]) -> bool:
    """An address of a collector, or an exporter by name, and nothing that turns it off."""
    exporters = environ.get("OTEL_TRACES_EXPORTER", "").split(",")
    asked = any(name in environ for name in _WHERE) or "otlp" in exporters
    off = environ.get("OTEL_SDK_DISABLED", "").lower() == "true" or exporters == ["none"]
    return asked and not off


def obstacles(environ: Mapping[str, str]) -> Iterator[str]:
    """Why nothing would be traced though it is asked for, each with its mend."""
    if not wants_traces(environ):
        return
    if not _is_installed():
        yield "OTEL_ variables ask for traces, but OpenTelemetry is not installed: pip install 'segue[otel]'"
    how = next((environ[name] for name in _HOW if name in environ), "http/protobuf")
    if how != "http/protobuf":
        yield f"OTEL_EXPORTER_OTLP_PROTOCOL is {how!r}, but traces go by http/protobuf: give that port"
    exporters = environ.get("OTEL_TRACES_EXPORTER", "otlp")
    if exporters != "otlp":
        yield f"OTEL_TRACES_EXPORTER is {exporters!r}: only otlp is known here, and is what is used"


def _is_installed() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http") is not None
    except ModuleNotFoundError:  # of a package above it
        return False
