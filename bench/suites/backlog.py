"""What a long backlog costs: draining it, receiving beside it, and single operations of the journal."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench.context import Context
from bench.job import job, python
from bench.measure import Case, Column, Suite, Values
from bench.payloads import endpoint
from bench.peers import PEERS, Place, segue_environment, serving
from bench.processes import running
from bench.suites.ingest import figures, under_load, warm_up
from translators.kit import Event
from webhooks.deliver import DeliveryContext, Worker
from webhooks.journal import Claim, Filter, Settlement, State, open_journal
from webhooks.segment import Clients
from webhooks.settings import SegmentSettings, WorkerSettings

COLUMNS = (
    Column("rate", "a second"),
    Column("p50", "p50 ms", ",.1f"),
    Column("p99", "p99 ms", ",.1f"),
    Column("claim", "claim of 1,000, ms", ",.1f"),
    Column("settle", "settlement of 1,000", ",.1f"),
    Column("counts", "counts", ",.1f"),
    Column("append", "append of 100", ",.1f"),
    Column("page", "page of 50, far back", ",.1f"),
    Column("search", "search for a text", ",.1f"),
)
DRAIN = "drained events"
INGEST = "received requests, 32 connections"
SINGLE = "single operations"
BATCH = 5000
CLAIM = 1000
CONNECTIONS = 32


def suite(context: Context) -> Suite:
    """Return the rows. The journals are filled before the first measurement, and again to their size before each."""
    journals = {size: context.folder / f"backlog-{size}" for size in context.options.backlog}
    short, long = context.options.backlog
    cases = [
        Case(f"{size:,} pending", partial(_drain, context, folder, size), DRAIN, base=size == short)
        for size, folder in journals.items()
    ]
    receive = partial(_ingest, context, journals[long], long)
    cases += [
        Case("empty journal", partial(_ingest, context, None, 0, drain=False), INGEST),
        Case(f"{long:,} pending, no worker", partial(receive, drain=False), INGEST, base=True),
        Case(f"{long:,} pending, a worker drains", partial(receive, drain=True), INGEST),
    ]
    cases += [Case(f"{size:,} pending", partial(_single, folder, size), SINGLE) for size, folder in journals.items()]
    return Suite("backlog", "With a long backlog", COLUMNS, cases)


def _drain(context: Context, folder: Path, size: int) -> Values:
    url = _filled(folder, size)
    with context.receiver() as receiver:
        return dict(job(drain, folder, database=url, url=receiver, count=size, seconds=context.options.seconds))


def _ingest(context: Context, folder: Path | None, size: int, *, drain: bool) -> Values:
    peer = next(peer for peer in PEERS if peer.name == "Segue")
    with ExitStack() as stack:
        if folder is None:
            folder = stack.enter_context(context.scratch())
        else:
            _filled(folder, size)
            context.renew_requests()
        server = stack.enter_context(serving(peer, folder, processes=context.options.processes))
        warm_up(context, peer, server.port)
        if drain:
            settings = segue_environment(Place(folder, 0, 1))
            settings |= {"SEGMENT_URL": stack.enter_context(context.receiver()), "SEGUE_SEGMENT_RATE": "0", "PORT": "1"}
            stack.enter_context(running(python("-m", "segue", "work"), folder=folder, environment=settings))
            time.sleep(1.5)  # until it drains
        return figures(under_load(context, peer, server, CONNECTIONS, context.options.seconds))


def _single(folder: Path, size: int) -> Values:
    return dict(job(operations, folder, database=_filled(folder, size), size=size))


def _filled(folder: Path, size: int) -> str:
    """Append until so many events are pending; return the journal's URL."""
    folder.mkdir(exist_ok=True)
    return str(job(fill, folder, database=f"sqlite:///{folder}/segue.db", size=size))


def fill(database: str, size: int) -> str:
    """Append events of about 1 kB until so many are pending. In a process of its own."""
    journal = open_journal(database)
    lacking = size - journal.census().by_state.get(State.PENDING, 0)
    run = time.time_ns()
    for start in range(0, lacking, BATCH):
        now = datetime.now(UTC)
        journal.append([event(f"{run}-{n}", now) for n in range(start, min(start + BATCH, lacking))], now=now)
    journal.close()
    return database


def event(key: str, now: datetime) -> Event:
    """Return a small charge as the journal has it."""
    item = {"id": f"ch_{key}", "object": "charge", "amount": 1999, "currency": "usd", "customer": "cus_1", "paid": True}
    body = {
        "id": f"evt_{key}", "type": "charge.succeeded", "created": int(now.timestamp()), "livemode": True,
        "data": {"object": {**item, "metadata": {"note": "x" * 700}}},
    }  # fmt: skip
    raw = json.dumps(body).encode()
    return Event(source="stripe", id=f"evt_{key}", type="charge.succeeded", occurred_at=now, received_at=now, raw=raw)


def drain(database: str, url: str, count: int, seconds: float) -> dict[str, float]:
    """Return delivered events a second, over so many seconds or until none is left. In a process of its own."""
    journal = open_journal(database)
    clients = Clients(SegmentSettings(write_key="wk", url=url, rate=0))
    context = DeliveryContext(
        journal=journal, endpoints={"stripe": endpoint()}, clients=clients, namespace="bench", worker="bench"
    )
    worker = Worker(context, WorkerSettings())
    thread = threading.Thread(target=worker.run)
    start = time.perf_counter()
    thread.start()
    while (delivered := worker.counts.get(State.DELIVERED, 0)) < count and time.perf_counter() - start < seconds:
        time.sleep(0.005)
    took = time.perf_counter() - start
    worker.stop()
    thread.join()
    journal.close()
    return {"rate": delivered / took}


def operations(database: str, size: int) -> dict[str, float]:
    """Return the best of three tries of each operation, in milliseconds. In a process of its own."""
    journal = open_journal(database)
    claims: list[Claim] = []
    now = datetime.now(UTC)

    def claim() -> None:
        claims.extend(journal.claim(CLAIM, worker="bench", now=now + timedelta(seconds=1), lease=timedelta(minutes=1)))

    times = {"claim": best(claim)}
    if len(claims) < 3 * CLAIM:
        raise SystemExit(f"{len(claims)} events were claimed: the backlog is too short, or leased")
    done = [Settlement(claim=one, state=State.DELIVERED) for one in claims]
    times["settle"] = best(lambda: journal.settle([done.pop() for _ in range(CLAIM)], now=now))
    times["counts"] = best(journal.census)
    run, numbers = time.time_ns(), iter(range(1000))
    times["append"] = best(
        lambda: journal.append([event(f"{run}-{next(numbers)}-{n}", now) for n in range(100)], now=now)
    )
    times["page"] = best(lambda: journal.rows(after=str(size // 100), newest_first=True, limit=50))
    times["search"] = best(lambda: journal.search(Filter(text="nowhere"), newest_first=True))
    journal.close()
    return times


def best(work: Callable[[], Any], tries: int = 3) -> float:
    """Return the shortest time, in milliseconds."""
    times = []
    for _ in range(tries):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000
