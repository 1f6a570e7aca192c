"""Messages a second to a local Segment: from the journal, without it, and by Segment's own libraries."""

from __future__ import annotations

import json
import resource
import shutil
import sys
import threading
import time
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from bench.context import Context
from bench.database import schema
from bench.install import NODE_MODULES
from bench.job import job
from bench.measure import Case, Column, Suite, Values
from bench.options import QUICK
from bench.payloads import checkouts, endpoint
from bench.processes import CommandError, running
from webhooks.deliver import DeliveryContext, Worker
from webhooks.journal import State, open_journal
from webhooks.segment import AcceptedMessage, Clients, encode
from webhooks.settings import SegmentSettings, WorkerSettings
from webhooks.translation.translate import Translated, translate

COLUMNS = (
    Column("rate", "messages/s"),
    Column("events", "events/s"),
    Column("cpu", "CPU us a message", ",.1f"),
)
LATENCIES = (0.0, 0.05)
NAMESPACE = "bench"
LIMIT = 300.0
"""Seconds for the events of a measurement."""
SCRIPT = Path(__file__).resolve().parent.parent / "peers" / "node" / "deliver.js"
BASE = "segment-analytics-python, defaults"
TUNED: dict[str, Any] = {"thread": 4, "upload_size": 500, "gzip": True, "upload_interval": 0.05}
NODE_TUNED: dict[str, Any] = {"maxEventsInBatch": 500, "flushInterval": 50}


def suite(context: Context) -> Suite:
    """Return the rows for a receiver that answers at once, and for one that takes 50 ms."""
    rows: dict[str, tuple[tuple[str, ...], Callable[[Context, str, int], Values]]] = {
        "Segue, from the journal": ((), partial(_job, from_journal, postgres=False)),
        "Segue, from PostgreSQL": (("postgresql",), partial(_job, from_journal, postgres=True)),
        "Segue, no journal, one thread": ((), partial(_job, without_journal)),
        BASE: (("segment-analytics-python",), partial(_job, analytics_python, settings={})),
        "segment-analytics-python, tuned": (
            ("segment-analytics-python",),
            partial(_job, analytics_python, settings=TUNED),
        ),
        "@segment/analytics-node, defaults": (("node", "npm packages"), partial(_analytics_node, settings={})),
        "@segment/analytics-node, tuned": (("node", "npm packages"), partial(_analytics_node, settings=NODE_TUNED)),
    }
    quick = context.options.quick
    rows = {name: row for name, row in rows.items() if not quick or any(text in name for text in QUICK)}
    reasons = {name: context.reason_without(needs) for name, (needs, _) in rows.items()}
    cases = [
        Case(
            name, partial(_measure, context, run, latency), f"{latency * 1000:.0f} ms receiver",
            durable="yes" if "from" in name else "no", base=name == BASE,
        )
        for latency in LATENCIES[: 1 if quick else None]
        for name, (_, run) in rows.items()
        if not reasons[name]
    ]  # fmt: skip
    unavailable = {name: reason for name, reason in reasons.items() if reason}
    return Suite("delivery", "Delivery", COLUMNS, cases, unavailable=unavailable)


def _measure(context: Context, run: Callable[[Context, str, int], Values], latency: float) -> Values:
    """Run it, and check that the receiver has every message."""
    count = context.options.events if not latency else max(100, context.options.events // 4)
    with context.receiver(latency) as url:
        values = run(context, url, count)
        with urllib.request.urlopen(url, timeout=10) as response:
            accepted = int(json.load(response)["accepted"])
    if accepted != values["messages"]:
        raise CommandError(f"{accepted} of {values['messages']:.0f} messages arrived")
    seconds = values["seconds"]
    result = {"rate": accepted / seconds, "events": count / seconds}
    return result | ({"cpu": values["cpu"] / accepted * 1e6} if "cpu" in values else {})


def _job(
    function: Callable[..., Any], context: Context, url: str, count: int, *, postgres: bool = False, **arguments: Any
) -> Values:
    with context.scratch() as folder:
        if postgres:
            with schema(context.postgres[0]) as database:
                return dict(job(function, folder, url=url, count=count, database=database))
        if function is from_journal:
            arguments["database"] = f"sqlite:///{folder}/segue.db"
        return dict(job(function, folder, url=url, count=count, **arguments))


def _analytics_node(context: Context, url: str, count: int, *, settings: dict[str, Any]) -> Values:
    with context.scratch() as folder:
        made = messages(count)
        file = folder / "messages"
        file.write_bytes(b"".join(encode(message) + b"\n" for message in made))
        node = shutil.which("node") or "node"
        words = [node, str(SCRIPT), str(file), url, json.dumps(settings)]
        with running(words, folder=folder, environment={"NODE_PATH": str(NODE_MODULES)}) as tree:
            tree.wait_for_end(600)
            return {"messages": len(made), **json.loads(tree.output.strip().splitlines()[-1])}


def messages(count: int) -> list[dict[str, Any]]:
    """Return the messages of so many checkout events."""
    at = endpoint()
    outcomes = [translate(event, at, namespace=NAMESPACE) for event in checkouts(count)]
    return [message for outcome in outcomes if isinstance(outcome, Translated) for message in outcome.messages]


def from_journal(url: str, count: int, database: str) -> Values:
    """Deliver a backlog and settle it. In a process of its own."""
    journal = open_journal(database)
    events = checkouts(count)
    for start in range(0, count, 1000):
        journal.append(events[start : start + 1000], now=datetime.now(UTC))
    clients = Clients(SegmentSettings(write_key="wk", url=url, rate=0))
    worker = Worker(
        DeliveryContext(journal=journal, endpoints={"stripe": endpoint()}, clients=clients, namespace=NAMESPACE),
        WorkerSettings(),
    )
    thread = threading.Thread(target=worker.run)
    before, start_time = _cpu(), time.perf_counter()
    thread.start()
    while worker.counts.get(State.DELIVERED, 0) < count and time.perf_counter() - start_time < LIMIT:
        time.sleep(0.005)
    seconds, cpu = time.perf_counter() - start_time, _cpu() - before
    worker.stop()
    thread.join()
    journal.close()
    if worker.counts.get(State.DELIVERED) != count:
        raise SystemExit(f"not all events were delivered: {worker.counts}")
    return {"seconds": seconds, "cpu": cpu, "messages": len(messages(1)) * count}


def without_journal(url: str, count: int) -> Values:
    """Translate and send in one thread. In a process of its own."""
    events, at = checkouts(count), endpoint()
    client = Clients(SegmentSettings(write_key="wk", url=url, rate=0)).of()
    sent = 0
    before, start_time = _cpu(), time.perf_counter()
    for start in range(0, count, 1000):
        made = []
        for event in events[start : start + 1000]:
            outcome = translate(event, at, namespace=NAMESPACE)
            assert isinstance(outcome, Translated)
            made += outcome.messages
        results = client.deliver(made)
        assert all(isinstance(result, AcceptedMessage) for result in results)
        sent += len(made)
    return {"seconds": time.perf_counter() - start_time, "cpu": _cpu() - before, "messages": sent}


def analytics_python(url: str, count: int, settings: dict[str, Any]) -> Values:
    """Send the same messages, from objects in memory, as fast as the library's queue takes them."""
    from segment.analytics.client import Client  # type: ignore[import-untyped]

    made = [json.loads(encode(message)) for message in messages(count)]
    failed: list[Exception] = []
    client = Client("wk", host=url, on_error=lambda error, _: failed.append(error), **settings)
    before, start_time = _cpu(), time.perf_counter()
    for message in made:
        at = datetime.fromisoformat(message["timestamp"])
        common = {"context": message["context"], "timestamp": at, "message_id": message["messageId"]}
        common |= {"user_id": message.get("userId"), "anonymous_id": message.get("anonymousId")}
        if message["type"] == "track":
            common |= {"event": message["event"], "properties": message["properties"]}
        else:
            common["traits"] = message["traits"]
        while not getattr(client, message["type"])(**common)[0]:
            time.sleep(0.001)
    client.flush()
    seconds, cpu = time.perf_counter() - start_time, _cpu() - before
    client.join()
    if failed:
        sys.exit(f"the library failed: {failed[0]}")
    return {"seconds": seconds, "cpu": cpu, "messages": len(made)}


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
