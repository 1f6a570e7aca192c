"""Milliseconds from an append in another process to its claim by an idle worker, and what waiting costs."""

from __future__ import annotations

import json
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.context import Context
from bench.database import schema
from bench.job import ROOT, job, python
from bench.measure import Case, Column, Suite, Values, percentile
from bench.processes import running
from translators.kit import Event
from webhooks.journal import open_journal

COLUMNS = (
    Column("p50", "p50 ms", ",.1f"),
    Column("p99", "p99 ms", ",.1f"),
    Column("idle", "idle, % of a core", ",.2f"),
)
INTERVAL = 0.05
"""Seconds between two events."""


def suite(context: Context) -> Suite:
    """Return a row for each store. The worker waits for `watch` only, as one with a long poll."""
    reason = context.reason_without(("postgresql",))
    cases = [Case(store, partial(measure, context, store)) for store in ("SQLite", "PostgreSQL")[: 1 if reason else 2]]
    return Suite("wake", "Waking a worker", COLUMNS, cases, rate="p50")


def measure(context: Context, store: str) -> Values:
    """Return the figures of a store."""
    count = int(context.options.seconds / INTERVAL)
    with ExitStack() as stack:
        folder = stack.enter_context(context.scratch())
        url = f"sqlite:///{folder}/bench.db"
        if store == "PostgreSQL":
            url = stack.enter_context(schema(context.postgres[0]))
        return dict(job(wait, folder, url=url, count=count, directory=str(folder)))


def wait(url: str, count: int, directory: str) -> dict[str, float]:
    """Claim events that another process appends, each when the journal signals it. In a process of its own."""
    journal, woken = open_journal(url), threading.Event()
    times: list[float] = []
    unwatch = journal.watch(woken.set)
    time.sleep(0.2)
    before = time.process_time()
    time.sleep(1)
    idle = time.process_time() - before
    words = python(
        "-m", "bench.job", f"{append.__module__}:{append.__name__}", json.dumps({"url": url, "count": count})
    )
    with running(words, folder=Path(directory), environment={"PYTHONPATH": str(ROOT)}):
        while len(times) < count:
            if not woken.wait(30):
                raise SystemExit(f"the worker was not woken: {len(times)} of {count} events were claimed")
            woken.clear()
            claims = journal.claim(100, worker="bench", now=datetime.now(UTC), lease=timedelta(minutes=5))
            claimed = datetime.now(UTC)
            times += [(claimed - claim.event.received_at).total_seconds() * 1000 for claim in claims]
    unwatch()
    journal.close()
    return {"p50": percentile(times, 0.5), "p99": percentile(times, 0.99), "idle": idle * 100}


def append(url: str, count: int) -> int:
    """Store an event at a time. In a process of its own."""
    journal = open_journal(url)
    for number in range(count):
        now = datetime.now(UTC)
        event = Event(source="bench", id=str(number), type="t", raw=b"{}", occurred_at=now, received_at=now)
        journal.append([event], now=now)
        time.sleep(INTERVAL)
    journal.close()
    return count
