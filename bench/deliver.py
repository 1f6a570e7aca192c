"""Delivered events a second, from the journal on disk to a receiver in another process, and where the time goes.

    python bench/deliver.py --events 20000
    python bench/deliver.py --postgres [URL]     # from that store too; without a URL on a server of its own

Beside it, in the same run and to the same receiver, segment-analytics-python with the very same messages: at its
defaults, and tuned (four consumers, batches of 500, gzip). It starts from objects in memory and keeps nothing; Segue
reads each event from a SQLite journal, translates it, and settles it durably. All share the machine: read the ratios.
"""

from __future__ import annotations

import argparse
import gzip
import json
import logging
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import database
from segment.analytics.client import Client as Theirs  # type: ignore[import-untyped]

from translators.kit import Event, HmacBody, Identity, Message, Source, track
from webhooks.deliver import DeliveryContext, Worker
from webhooks.journal import Settlement, State, open_journal
from webhooks.segment import AcceptedMessage, Clients, Encoded, assemble, cut, encode, faults
from webhooks.settings import SegmentSettings, WorkerSettings
from webhooks.sources.endpoints import Endpoint
from webhooks.translation.translate import Translated, translate

SCHEME = HmacBody(header="X-Shop-Signature")
AT = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def shop() -> Endpoint:
    """Return a source with one event type, which makes one message of some 800 bytes."""
    source = Source("shop", scheme=SCHEME)

    @source.identity
    def who(event: Event) -> Identity:
        return Identity(user_ids=(event.body.id("user"),), traits={"email": event.body.text("email")})

    @source.on("order.paid")
    def paid(event: Event) -> Iterator[Message]:
        body = event.body
        products = [{"product_id": item.id("id"), "quantity": item.integer("n")} for item in body.each("items")]
        yield track(
            "Order Completed",
            {
                "order_id": body.id("id"),
                "revenue": body.money("cents", "currency"),
                "currency": body.text("currency").upper(),
                "note": body.text("note"),
                "products": products,
            },
        )

    return Endpoint(name="shop", source=source, scheme=SCHEME)


def order(number: int) -> Event:
    """Return one event as the journal keeps it."""
    body = {
        "id": f"ord_{number}", "user": f"u{number % 997}", "email": f"u{number % 997}@example.com", "currency": "usd",
        "cents": 1999 + number, "note": f"gift {number} " * 10, "unused": "x" * 400,
        "items": [{"id": f"sku_{place}", "n": place + 1} for place in range(4)],
    }  # fmt: skip
    at = AT + timedelta(seconds=number)
    raw = json.dumps(body).encode()
    return Event(source="shop", id=f"e{number}", type="order.paid", occurred_at=at, received_at=at, raw=raw)


@contextmanager
def receiver(latency: float) -> Iterator[str]:
    """Run `webhooks.segment.fake` in a process of its own; give its URL."""
    command = [sys.executable, "-m", "webhooks.segment.fake", "--port", "0", "--keep", "0", "--latency", str(latency)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.terminate()
        process.wait(10)


def accepted(url: str) -> int:
    """Return how many messages the receiver has."""
    with urllib.request.urlopen(url, timeout=10) as answer:
        return int(json.load(answer)["accepted"])


def segue(url: str, events: list[Event], *, postgres: str = "") -> float:
    """Return the seconds to deliver and settle a backlog."""
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        where = stack.enter_context(database.postgres(postgres)) if postgres else f"sqlite:///{folder}/segue.db"
        journal = open_journal(where)
        for start in range(0, len(events), 1000):
            journal.append(events[start : start + 1000], now=datetime.now(UTC))
        clients = Clients(SegmentSettings(write_key="wk", url=url, rate=0))
        context = DeliveryContext(journal=journal, endpoints={"shop": shop()}, clients=clients, namespace="bench")
        worker = Worker(context, WorkerSettings())
        thread = threading.Thread(target=worker.run)
        began = time.perf_counter()
        thread.start()
        while worker.counts.get(State.DELIVERED, 0) < len(events):
            time.sleep(0.005)
        took = time.perf_counter() - began
        worker.stop()
        thread.join()
        journal.close()
    return took


def theirs(**settings: Any) -> Callable[[str, list[Event]], float]:
    """Send the same messages through segment-analytics-python, as fast as its queue takes them."""

    def run(url: str, events: list[Event]) -> float:
        made = [json.loads(encode(message)) for message in _messages(events)]
        failed: list[Exception] = []
        client = Theirs("wk", host=url, on_error=lambda error, _: failed.append(error), **settings)
        began = time.perf_counter()
        for sent, event in zip(made, events, strict=True):
            while not client.track(
                sent["userId"],
                sent["event"],
                sent["properties"],
                context=sent["context"],
                timestamp=event.occurred_at,
                message_id=sent["messageId"],
            )[0]:
                time.sleep(0.001)
        client.flush()
        took = time.perf_counter() - began
        client.join()
        assert not failed, failed[0]
        return took

    return run


def client_alone(url: str, events: list[Event]) -> float:
    """Send by Segue's client from the same start as theirs: objects in memory, one thread, nothing kept."""
    made = _messages(events)
    client = Clients(SegmentSettings(write_key="wk", url=url, rate=0)).of()
    began = time.perf_counter()
    results = client.deliver(made)
    took = time.perf_counter() - began
    assert all(isinstance(result, AcceptedMessage) for result in results)
    return took


def _messages(events: list[Event]) -> list[dict[str, Any]]:
    endpoint = shop()
    outcomes = [translate(event, endpoint, namespace="bench") for event in events]
    return [outcome.messages[0] for outcome in outcomes if isinstance(outcome, Translated)]


def _pack(bodies: list[bytes], level: int) -> list[bytes]:
    return [gzip.compress(body, level) for body in bodies]


def where(count: int) -> None:
    """Print microseconds an event in one thread, step by step."""
    events = [order(number) for number in range(count)]

    def timed(name: str, work: Callable[[], Any]) -> Any:
        began = time.perf_counter()
        result = work()
        print(f"  {name:<28} {(time.perf_counter() - began) / count * 1e6:8.1f}")
        return result

    print("where the time goes, microseconds an event, one thread")
    made = timed("translate", lambda: _messages(events))
    items = timed("encode", lambda: [Encoded(message["messageId"], encode(message)) for message in made])
    timed("spec checks", lambda: [faults(message, item.body) for message, item in zip(made, items, strict=True)])
    bodies = timed("cut and assemble", lambda: [assemble(batch) for batch in cut(items)])
    for level in (1, 3, 6, 9):
        packed = timed(f"gzip, level {level}", partial(_pack, bodies, level))
        print(f"  {'':<28} {sum(map(len, packed)) / sum(map(len, bodies)):8.1%} of {len(bodies[0])} bytes")
    with tempfile.TemporaryDirectory() as folder:
        journal = open_journal(f"sqlite:///{folder}/segue.db")
        now = datetime.now(UTC)
        journal.append(events, now=now)
        claims = timed(
            "claim, 1000 at once",
            lambda: [
                journal.claim(1000, worker="bench", now=now + timedelta(seconds=1), lease=timedelta(seconds=60))
                for _ in range(0, count, 1000)
            ],
        )
        timed(
            "settle, 1000 at once",
            lambda: [
                journal.settle([Settlement(claim=claim, state=State.DELIVERED) for claim in some], now=now)
                for some in claims
            ],
        )
        journal.close()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=20_000)
    parser.add_argument("--latency", default="0,50", help="milliseconds before each answer, by commas")
    parser.add_argument("--where", action="store_true", help="only show where the time goes")
    parser.add_argument("--postgres", nargs="?", const=database.OWN, metavar="URL", help=database.HELP)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    if arguments.where:
        where(arguments.events)
        return
    runs: dict[str, Callable[[str, list[Event]], float]] = {
        "segue": segue,
        **({"segue, PostgreSQL": partial(segue, postgres=arguments.postgres)} if arguments.postgres else {}),
        "segue, its client alone": client_alone,
        "analytics-python, tuned": theirs(thread=4, upload_size=500, gzip=True, upload_interval=0.05),
        "analytics-python, defaults": theirs(),
    }
    events = [order(number) for number in range(arguments.events)]
    print(f"{arguments.events} events")
    print(f"{'latency ms':>10}  {'':<28} {'events/s':>9}  of segue")
    for latency in map(float, arguments.latency.split(",")):
        rates: dict[str, float] = {}
        for name, run in runs.items():
            with receiver(latency / 1000) as url:
                took = run(url, events)
                got = accepted(url)
            assert got == len(events), f"{name}: {got} of {len(events)} arrived"
            rates[name] = len(events) / took
            print(f"{latency:>10.0f}  {name:<28} {rates[name]:>9.0f}  {rates[name] / rates['segue']:.2f}", flush=True)


if __name__ == "__main__":
    main()
