"""A worker between a journal and a fake Segment on the loopback."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from support.memory_journal import MemoryJournal
from support.messages import endpoint, event
from webhooks.deliver import DeliveryContext, Worker
from webhooks.segment import Clients
from webhooks.settings import SegmentSettings, WorkerSettings


class Clock:
    """A clock in aware UTC that moves only when `pass_` is called."""

    def __init__(self):
        self.now = datetime(2026, 4, 1, tzinfo=UTC)

    def __call__(self):
        return self.now

    def pass_(self, **delta):
        self.now += timedelta(**delta)


class Bench:
    """A journal, a fake Segment, and a worker between them."""

    def __init__(self, server, journal=None, endpoints=None):
        self.server = server
        self.journal = journal or MemoryJournal()
        self.clock = Clock()
        self.endpoints = endpoints or {"shop": endpoint()}
        self.clients = None
        self.workers = []

    def worker(self, *, settings=None, segment=None, name="w", clients=Clients, **more):
        options = {"write_key": "wk", "url": self.server.url, "rate": 0, "connect_timeout": 1.0, **(segment or {})}
        self.clients = clients(SegmentSettings(**options))
        context = DeliveryContext(
            journal=self.journal, endpoints=self.endpoints, clients=self.clients, namespace="test", worker=name,
            clock=self.clock, **more,
        )  # fmt: skip
        worker = Worker(context, WorkerSettings(**{"poll": timedelta(milliseconds=5), **(settings or {})}))
        self.workers.append(worker)
        return worker

    def append(self, *events):
        self.journal.append(events, now=self.clock())

    def orders(self, count, body="{}", first=1):
        self.append(*[event(number, body) for number in range(first, first + count)])

    def row(self, number, source="shop"):
        return self.journal.find(source, f"e{number}")

    def states(self):
        return dict(self.journal.census().by_state)
