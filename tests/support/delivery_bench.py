"""A worker between a journal and a fake Segment on the loopback."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Generic, TypeVar

from support.faulty_receiver import FaultyReceiver
from support.memory_journal import MemoryJournal
from support.messages import endpoint, event
from translators.kit import Event
from webhooks.deliver import DeliveryContext, Worker
from webhooks.journal import Journal, Row, State
from webhooks.segment import Clients
from webhooks.settings import SegmentSettings, WorkerSettings
from webhooks.sources.endpoints import Endpoint


class Clock:
    """A clock in aware UTC that moves only when `pass_` is called."""

    def __init__(self) -> None:
        self.now = datetime(2026, 4, 1, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **delta: float) -> None:
        self.now += timedelta(**delta)


J = TypeVar("J", MemoryJournal, Journal)


class Bench(Generic[J]):
    """A journal, a fake Segment, and a worker between them."""

    def __init__(
        self,
        server: FaultyReceiver,
        journal: J,
        endpoints: dict[str, Endpoint] | None = None,
    ) -> None:
        self.server = server
        self.journal: J = journal
        self.clock = Clock()
        self.endpoints = endpoints or {"shop": endpoint()}
        self.clients: Clients
        self.workers: list[Worker] = []

    def worker(
        self,
        *,
        settings: dict[str, Any] | None = None,
        segment: dict[str, Any] | None = None,
        name: str = "w",
        clients: Callable[[SegmentSettings], Clients] = Clients,
        **more: Any,
    ) -> Worker:
        options = {"write_key": "wk", "url": self.server.url, "rate": 0, "connect_timeout": 1.0, **(segment or {})}
        self.clients = clients(SegmentSettings(**options))
        context = DeliveryContext(
            journal=self.journal, endpoints=self.endpoints, clients=self.clients, namespace="test", worker=name,
            clock=self.clock, **more,
        )  # fmt: skip
        worker = Worker(context, WorkerSettings(**{"poll": timedelta(milliseconds=5), **(settings or {})}))
        self.workers.append(worker)
        return worker

    def append(self, *events: Event) -> None:
        self.journal.append(events, now=self.clock())

    def orders(self, count: int, body: str = "{}", first: int = 1) -> None:
        self.append(*[event(number, body) for number in range(first, first + count)])

    def row(self, number: int, source: str = "shop") -> Row:
        row = self.journal.find(source, f"e{number}")
        assert row is not None
        return row

    def states(self) -> dict[State, int]:
        return dict(self.journal.census().by_state)


MemoryBench = Bench[MemoryJournal]
