"""Trace with OpenTelemetry. Its own variables set the collector and the sampling.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
An event's trace is kept in the journal as the header `traceparent` (https://www.w3.org/TR/trace-context/). A sender's
own `traceparent` is ignored: a sender must not control what is recorded.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Link, SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from translators.kit import Event
from webhooks.monitoring.tracing.tracer import Tracer, TraceSpan

HEADER: Final = "traceparent"
CLOSE_TIMEOUT: Final = 3.0
LINKS: Final = 128
"""The most links of one span, as in the SDK's defaults."""
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class OpenTelemetry(Tracer):
    """A tracer over a provider, which `close` shuts down."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("segue")

    @classmethod
    def from_environment(cls) -> OpenTelemetry:
        """Return a tracer with OTLP over HTTP, by the standard variables. The default service name is `segue`."""
        resource = Resource.create()
        if str(resource.attributes.get("service.name", "")).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "segue"}))
        resource = resource.merge(Resource({"process.pid": os.getpid()}))
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    @contextmanager
    def receive(self, source: str) -> Iterator[TraceSpan]:
        """Start a new trace."""
        attributes = {"segue.source": source}
        with self._tracer.start_as_current_span(
            f"receive {source}", context=Context(), kind=SpanKind.SERVER, attributes=attributes, record_exception=False,
            set_status_on_exception=False,
        ) as span:  # fmt: skip
            yield _OpenTelemetrySpan(span)

    @contextmanager
    def journal(self, events: Sequence[Event]) -> Iterator[tuple[TraceSpan, Sequence[Event]]]:
        """Start a span under the webhook's."""
        with self._tracer.start_as_current_span("journal", kind=SpanKind.PRODUCER) as span:
            carrier: dict[str, str] = {}
            _PROPAGATOR.inject(carrier)
            yield _OpenTelemetrySpan(span), [replace(event, headers={**event.headers, **carrier}) for event in events]

    @contextmanager
    def translate(self, event: Event) -> Iterator[TraceSpan]:
        """Start a span under that of the event's webhook."""
        with self._tracer.start_as_current_span(
            f"translate {event.source}", context=_context(event), kind=SpanKind.CONSUMER, attributes=_attributes(event)
        ) as span:
            yield _OpenTelemetrySpan(span)

    @contextmanager
    def deliver(self, events: Iterable[Event]) -> Iterator[TraceSpan]:
        """Start a new trace, linked to the traces of the events."""
        by_trace = {event.headers.get(HEADER): event for event in events if HEADER in event.headers}
        parents = [trace.get_current_span(_context(event)) for event in islice(by_trace.values(), LINKS)]
        with self._tracer.start_as_current_span(
            "deliver batch", context=Context(), kind=SpanKind.CLIENT,
            links=[Link(span.get_span_context()) for span in parents],
        ) as span:  # fmt: skip
            yield _OpenTelemetrySpan(span)

    def settle(self, event: Event, state: str, *, began: int, batch: TraceSpan) -> None:
        """Record a span under that of the event's webhook, with a link to its batch."""
        links = [Link(batch.span.get_span_context())] if isinstance(batch, _OpenTelemetrySpan) else []
        span = self._tracer.start_span(
            f"deliver {event.source}", context=_context(event), kind=SpanKind.CLIENT, links=links, start_time=began,
            attributes={**_attributes(event), "segue.state": state},
        )  # fmt: skip
        if state != "delivered":
            span.set_status(Status(StatusCode.ERROR, state))
        span.end(time.time_ns())

    def close(self) -> None:
        """Send the remaining spans, for at most 3 seconds: the shutdown does not wait for a collector."""
        thread = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        thread.start()
        thread.join(CLOSE_TIMEOUT)


class _OpenTelemetrySpan(TraceSpan):
    def __init__(self, span: trace.Span) -> None:
        self.span = span

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        self.span.set_attributes(attributes)

    def fail(self, error_type: str) -> None:
        self.span.set_attribute("error.type", error_type)
        self.span.set_status(Status(StatusCode.ERROR, error_type))


def _context(event: Event) -> Context:
    """Return the trace context of the event's webhook; an empty one if it was not traced."""
    return _PROPAGATOR.extract({HEADER: event.headers.get(HEADER, "")}, context=Context())


def _attributes(event: Event) -> dict[str, str]:
    return {"segue.source": event.source, "segue.event.type": event.type, "messaging.message.id": event.id}
