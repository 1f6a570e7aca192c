"""Trace an event (receive, journal, translate, deliver), if OpenTelemetry's own variables are set.

tracer = open_tracer(settings)        # does nothing, and imports nothing, without the variables
"""

from __future__ import annotations

import logging
from typing import Final

from webhooks.monitoring.tracing.tracer import Tracer, TraceSpan
from webhooks.settings import Settings

__all__ = ["TraceSpan", "Tracer", "open_tracer"]

log: Final = logging.getLogger("webhooks.monitoring.tracing")


def open_tracer(settings: Settings) -> Tracer:
    """Return the configured tracer. Call it after a fork, since its exporter has a thread."""
    if not settings.tracing:
        return Tracer()
    try:
        from webhooks.monitoring.tracing.otel import OpenTelemetry
    except ImportError as error:
        log.warning("traces are off: run pip install 'segue[otel]'", extra={"reason": str(error)})
        return Tracer()
    return OpenTelemetry.from_environment()
