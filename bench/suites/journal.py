"""Appends to the journal by concurrent callers: group commit beside one commit for each append."""

from __future__ import annotations

import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial

from bench.context import Context
from bench.database import schema
from bench.job import job
from bench.measure import Case, Column, Suite, Values, percentile
from translators.kit import Event
from webhooks.journal import SqliteJournal, open_journal
from webhooks.journal.postgres import PostgresJournal

COLUMNS = (
    Column("rate", "appends/s"),
    Column("group", "events in a commit", ",.1f"),
    Column("p50", "p50 ms", ",.1f"),
    Column("p99", "p99 ms", ",.1f"),
)
SIZE = 3000


def suite(context: Context) -> Suite:
    """Return both stores, both kinds of callers, and both ways to commit, at each number of callers."""
    postgres = not context.reason_without(("postgresql",))
    cases = [
        Case(
            f"{store}, {kind}, {'group commit' if grouped else 'a commit each'}",
            partial(measure, context, store, kind == "gevent", grouped, callers), f"{callers} callers",
            durable="yes", base=(store, kind, grouped) == ("SQLite", "gevent", False),
        )
        for callers in context.options.connections
        for store in (("SQLite", "PostgreSQL") if postgres else ("SQLite",))
        for kind in ("threads", "gevent")
        for grouped in (False, True)
    ]  # fmt: skip
    return Suite("journal", "The journal alone", COLUMNS, cases)


def measure(context: Context, store: str, gevent: bool, grouped: bool, callers: int) -> Values:  # noqa: FBT001
    """Return the figures of one row."""
    with ExitStack() as stack:
        folder = stack.enter_context(context.scratch())
        url = f"sqlite:///{folder}/bench.db"
        if store == "PostgreSQL":
            url = stack.enter_context(schema(context.postgres[0]))
        seconds = context.options.seconds
        return dict(job(append, folder, gevent=gevent, url=url, callers=callers, seconds=seconds, grouped=grouped))


def append(url: str, callers: int, seconds: float, *, grouped: bool) -> dict[str, float]:
    """Append by so many callers for so many seconds. In a process of its own."""
    journal = open_journal(url)
    assert isinstance(journal, SqliteJournal | PostgresJournal)
    groups = (journal.database.group,) if isinstance(journal, SqliteJournal) else journal.database.groups
    for group in groups:
        group._max_items = group._max_items if grouped else 1
    latencies: list[list[float]] = [[] for _ in range(callers)]
    body, now = b'{"filler": "' + b"x" * SIZE + b'"}', datetime.now(UTC)
    end = time.perf_counter() + seconds

    def call(caller: int) -> None:
        number = 0
        while (start := time.perf_counter()) < end:
            number += 1
            key = f"{caller}-{number}"
            event = Event(source="bench", id=key, type="a.b", raw=body, occurred_at=now, received_at=now)
            journal.append([event], now=now)
            latencies[caller].append((time.perf_counter() - start) * 1000)

    threads = [threading.Thread(target=call, args=(caller,)) for caller in range(callers)]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    stats, every = journal.stats, [latency for own in latencies for latency in own]
    journal.close()
    return {
        "rate": len(every) / took, "group": stats.events / max(1, stats.groups),
        "p50": percentile(every, 0.5), "p99": percentile(every, 0.99),
    }  # fmt: skip
