"""The counts of one process, in memory. Every series and label is declared here and listed in docs/monitoring.md.

Labels are endpoint names and fixed words, never text from a sender, so the number of series is limited.
https://prometheus.io/docs/practices/naming/ https://prometheus.io/docs/practices/instrumentation/
"""

from __future__ import annotations

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

COMMIT: Final = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
ANSWER: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
REQUEST: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
LATENCY: Final = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0, 21600.0, 86400.0)
GROUP: Final = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0)
BATCH: Final = (1.0, 10.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 2500.0)


class Meter:
    """Safe to share between threads, and between greenlets of one thread."""

    def __init__(self) -> None:
        registry = self.registry = CollectorRegistry()

        def counter(name: str, documentation: str, *labels: str) -> Counter:
            return Counter(name, documentation, labels, registry=registry)

        def histogram(name: str, documentation: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(name, documentation, labels, buckets=buckets, registry=registry)

        self.received = counter("segue_webhooks_received", "Requests to a webhook's path.", "source")
        self.rejected = counter("segue_webhooks_rejected", "Requests rejected, by reason.", "source", "reason")
        self.signed_rejected = counter(
            "segue_webhooks_signed_rejected", "Deliveries lost: refused with a valid or an unchecked signature.",
            "source", "reason", "signature",
        )  # fmt: skip
        self.unreadable = counter(
            "segue_events_unreadable", "Events with a valid signature that could not be read, kept as dead.", "source"
        )
        self.handshakes = counter("segue_webhooks_handshakes", "Handshakes of a provider that were answered.", "source")
        self.answered = histogram("segue_webhook_seconds", "Time from a webhook's request to its response.", ANSWER)
        self.journalled = counter("segue_events_journalled", "New events, durably stored.", "source")
        self.duplicate = counter("segue_events_duplicate", "Events that were already stored.", "source")
        self.last = Gauge(
            "segue_source_last_event_timestamp_seconds", "When a webhook was last accepted.", ["source"],
            registry=registry,
        )  # fmt: skip
        self.last_rejected = Gauge(
            "segue_webhooks_last_rejected_timestamp_seconds", "When a request was last refused, by reason.",
            ["source", "reason"], registry=registry,
        )  # fmt: skip
        self.last_signed_rejected = Gauge(
            "segue_webhooks_last_signed_rejected_timestamp_seconds", "When a delivery was last lost, by reason.",
            ["source", "reason", "signature"], registry=registry,
        )  # fmt: skip
        self.commit = histogram(
            "segue_journal_commit_seconds", "Time of a group's durable commit, waiting included.", COMMIT
        )
        self.group = histogram("segue_journal_group_events", "Events that shared a commit.", GROUP)
        self.translated = counter("segue_events_translated", "Events translated, by outcome.", "source", "outcome")
        self.delivered = counter("segue_events_delivered", "Events whose every message was accepted.", "source")
        self.dead = counter("segue_events_dead", "Events that became dead letters in the worker.", "source")
        self.retried = counter(
            "segue_events_retried", "Events postponed to be sent again, by class.", "source", "class"
        )
        self.latency = histogram("segue_delivery_seconds", "Time from received to delivered.", LATENCY, "source")
        self.lost = counter("segue_leases_lost", "Claims that another worker took before they were settled.")
        self.batch = histogram("segue_batch_messages", "Messages in a batch.", BATCH)
        self.requests = counter(
            "segue_segment_requests", "Requests to Segment, by the meaning of the response.", "answer"
        )
        self.requested = histogram("segue_segment_request_seconds", "Time of a request to Segment.", REQUEST)
        self._endpoints: dict[str, EndpointMeter] = {}

    def endpoint(self, source: str) -> EndpointMeter:
        """Return the series of one endpoint's webhooks, cached so that they are not looked up each time."""
        series = self._endpoints.get(source)
        if series is None:
            series = self._endpoints[source] = EndpointMeter(self, source)
        return series


class EndpointMeter:
    """The series of one endpoint's webhooks."""

    __slots__ = ("duplicate", "journalled", "last", "received")

    def __init__(self, meter: Meter, source: str) -> None:
        self.received = meter.received.labels(source)
        self.journalled = meter.journalled.labels(source)
        self.duplicate = meter.duplicate.labels(source)
        self.last = meter.last.labels(source)
