"""What one process counts, in memory. Every series and label is declared here; docs/monitoring.md lists the same.

Labels are endpoint names and words of ours, never what a sender wrote, so the number of series is bounded.
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

        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(name, told, labels, registry=registry)

        def histogram(name: str, told: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(name, told, labels, buckets=buckets, registry=registry)

        self.received = counter("segue_webhooks_received", "Requests to a webhook's path.", "source")
        self.rejected = counter("segue_webhooks_rejected", "Requests turned away, by reason.", "source", "reason")
        self.signed_rejected = counter(
            "segue_webhooks_signed_rejected", "Deliveries lost: refused though rightly signed, or unchecked.",
            "source", "reason", "signature",
        )  # fmt: skip
        self.unreadable = counter(
            "segue_events_unreadable", "Rightly signed events that could not be read, kept as dead.", "source"
        )
        self.handshakes = counter("segue_webhooks_handshakes", "A provider's greetings that were answered.", "source")
        self.answered = histogram("segue_webhook_seconds", "From a webhook's request to its answer.", ANSWER)
        self.journalled = counter("segue_events_journalled", "New events, durably stored.", "source")
        self.duplicate = counter("segue_events_duplicate", "Events that were stored already.", "source")
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
        self.commit = histogram("segue_journal_commit_seconds", "A group's durable commit, waiting included.", COMMIT)
        self.group = histogram("segue_journal_group_events", "Events that shared a commit.", GROUP)
        self.translated = counter("segue_events_translated", "Events translated, by outcome.", "source", "outcome")
        self.delivered = counter("segue_events_delivered", "Events whose every message was accepted.", "source")
        self.dead = counter("segue_events_dead", "Events that the worker gave up.", "source")
        self.retried = counter("segue_events_retried", "Events put off to be sent again, by class.", "source", "class")
        self.latency = histogram("segue_delivery_seconds", "From received to delivered.", LATENCY, "source")
        self.lost = counter("segue_leases_lost", "Claims that went to another worker before they were settled.")
        self.batch = histogram("segue_batch_messages", "Messages in a batch.", BATCH)
        self.requests = counter("segue_segment_requests", "Requests to Segment, by what was answered.", "answer")
        self.requested = histogram("segue_segment_request_seconds", "A request to Segment.", REQUEST)
        self._doors: dict[str, EndpointMeter] = {}

    def door(self, source: str) -> EndpointMeter:
        """What is counted for each webhook of one source, without looking the series up each time."""
        found = self._doors.get(source)
        if found is None:
            found = self._doors[source] = EndpointMeter(self, source)
        return found


class EndpointMeter:
    """The series of one source at the door."""

    __slots__ = ("duplicate", "journalled", "last", "received")

    def __init__(self, meter: Meter, source: str) -> None:
        self.received = meter.received.labels(source)
        self.journalled = meter.journalled.labels(source)
        self.duplicate = meter.duplicate.labels(source)
        self.last = meter.last.labels(source)
