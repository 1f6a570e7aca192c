"""What every part of a worker works with: the journal, the endpoints, the clients, the clock and the measurements."""

from __future__ import annotations

import os
import random
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Protocol

from webhooks.journal import Claim
from webhooks.journal.protocol import EventQueue, EventRetention, Notes
from webhooks.monitoring.metrics import Meter
from webhooks.monitoring.tracing import Tracer
from webhooks.segment import Clients, RetryReason
from webhooks.sources.endpoints import Endpoint


def default_name() -> str:
    """Return this host's name and the process id."""
    return f"{socket.gethostname()}-{os.getpid()}"


def utc_now() -> datetime:
    """Return the time, in aware UTC."""
    return datetime.now(UTC)


class WorkerJournal(EventQueue, EventRetention, Notes, Protocol):
    """What a worker uses of the journal."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryContext:
    """`worker` is the name under which events are leased. `clock` returns aware UTC; `chance` a number from 0 to 1."""

    journal: WorkerJournal
    endpoints: Mapping[str, Endpoint]
    clients: Clients
    namespace: str
    worker: str = field(default_factory=default_name)
    clock: Callable[[], datetime] = utc_now
    chance: Callable[[], float] = random.random
    meter: Meter = field(default_factory=Meter)
    tracer: Tracer = field(default_factory=Tracer)

    def count_retry(self, claim: Claim, retry_reason: RetryReason) -> None:
        """Count an event that will be delivered later."""
        self.meter.retried.labels(claim.event.source, retry_reason.value).inc()
