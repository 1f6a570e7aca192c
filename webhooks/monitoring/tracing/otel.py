"""OpenTelemetry. Its own variables say where to and how much.

https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
An event's trace goes over the journal as the kept header `traceparent` (https://www.w3.org/TR/trace-context/). What a
sender's own `traceparent` says is not taken over: whoever may send a webhook has no say in what is recorded here.
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
PATIENCE: Final = 3.0
LINKS: Final = 128
"""Links of one span, as the SDK counts by default."""
_PROPAGATOR: Final = TraceContextTextMapPropagator()


class OpenTelemetry(Tracer):
    """Over a provider, which it shuts down."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("segue")

    @classmethod
    def from_environment(cls) -> OpenTelemetry:
        """OTLP over HTTP, by the standard variables; the service is `segue` where they name none."""
        resource = Resource.create()
        if str(resource.attributes.get("service.name", "")).startswith("unknown_service"):
            resource = resource.merge(Resource({"service.name": "segue"}))
        resource = resource.merge(Resource({"process.pid": os.getpid()}))
        provider = TracerProvider(resource=resource)
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
        return cls(provider)

    @contextmanager
    def receive(self, source: str) -> Iterator[TraceSpan]:
        """A new trace."""
        told = {"segue.source": source}
        with self._tracer.start_as_current_span(
            f"receive {source}", context=Context(), kind=SpanKind.SERVER, attributes=told, record_exception=False,
            set_status_on_exception=False,
        ) as span:  # fmt: skip
            yield _Open(span)

    @contextmanager
    def journal(self, events: Sequence[Event]) -> Iterator[tuple[TraceSpan, Sequence[Event]]]:
        """Under the webhook."""
        with self._tracer.start_as_current_span("journal", kind=SpanKind.PRODUCER) as span:
            carrier: dict[str, str] = {}
            _PROPAGATOR.inject(carrier)
            yield _Open(span), [replace(event, headers={**event.headers, **carrier}) for event in events]

    @contextmanager
    def translate(self, event: Event) -> Iterator[TraceSpan]:
        """Under the webhook that brought the event."""
        with self._tracer.start_as_current_span(
            f"translate {event.source}", context=_context(event), kind=SpanKind.CONSUMER, attributes=_facts(event)
        ) as span:
            yield _Open(span)

    @contextmanager
    def deliver(self, events: Iterable[Event]) -> Iterator[TraceSpan]:
        """A new trace; under its span stands the request."""
        unlike = {event.headers.get(HEADER): event for event in events if HEADER in event.headers}
        those = [trace.get_current_span(_context(event)) for event in islice(unlike.values(), LINKS)]
        with self._tracer.start_as_current_span(
            "deliver batch", context=Context(), kind=SpanKind.CLIENT,
            links=[Link(span.get_span_context()) for span in those],
        ) as span:  # fmt: skip
            yield _Open(span)

    def settle(self, event: Event, state: str, *, began: int, batch: TraceSpan) -> None:
        """Under the webhook that brought the event, with a link to its batch."""
        links = [Link(batch.span.get_span_context())] if isinstance(batch, _Open) else []
        span = self._tracer.start_span(
            f"deliver {event.source}", context=_context(event), kind=SpanKind.CLIENT, links=links, start_time=began,
            attributes={**_facts(event), "segue.state": state},
        )  # fmt: skip
        if state != "delivered":
            span.set_status(Status(StatusCode.ERROR, state))
        span.end(time.time_ns())

    def close(self) -> None:
        """Send what is left, as far as it goes in a few seconds: an end waits for no collector."""
        thread = threading.Thread(target=self._provider.shutdown, name="traces", daemon=True)
        thread.start()
        thread.join(PATIENCE)


class _Open(TraceSpan):
    def __init__(self, span: trace.Span) -> None:
        self.span = span

    def tell(self, attributes: Mapping[str, Any]) -> None:
        self.span.set_attributes(attributes)

    def fail(self, why: str) -> None:
        self.span.set_attribute("error.type", why)
        self.span.set_status(Status(StatusCode.ERROR, why))


def _context(event: Event) -> Context:
    """Of the webhook that brought it; an empty one where that was not traced."""
    return _PROPAGATOR.extract({HEADER: event.headers.get(HEADER, "")}, context=Context())


def _facts(event: Event) -> dict[str, str]:
    return {"segue.source": event.source, "segue.event.type": event.type, "messaging.message.id": event.key}
