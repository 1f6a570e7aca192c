"""Traces of an event's way, where OpenTelemetry's own variables ask for them: receive, journal, translate, deliver.

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
    """After a fork: its exporter has a thread. `segue check` says what is missing where nothing is traced."""
    if not settings.tracing:
        return Tracer()
    try:
        from webhooks.monitoring.tracing.otel import OpenTelemetry
    except ImportError as error:
        log.warning("nothing is traced: pip install 'segue[otel]'", extra={"reason": str(error)})
        return Tracer()
    return OpenTelemetry.from_environment()
