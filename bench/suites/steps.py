"""Processor time an event, step by step: from its row in the journal to the body of a batch."""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from bench.context import Context
from bench.job import job
from bench.measure import Case, Column, SharedMeasurement, Suite, Values
from bench.payloads import checkouts, endpoint
from webhooks.journal import Settlement, State, open_journal
from webhooks.journal.encryption import Encryption
from webhooks.segment import Encoded, assemble, cut, encode, faults
from webhooks.translation.translate import Translated, translate

COLUMNS = (Column("us", "CPU us an event", ",.1f"),)
APPEND = "append, 1,000 in a commit"
STEPS = (
    "encrypt", "decrypt", APPEND, "claim, 1,000 at once", "settle, 1,000 at once", "translate",
    "encode", "spec checks", "cut and assemble", "gzip, level 1", "gzip, level 6",
)  # fmt: skip
BATCH = 1000
KEY = bytes(range(32)).hex()


def suite(context: Context) -> Suite:
    """Return a row for each step."""

    def measured() -> Mapping[str, Values]:
        with context.scratch() as folder:
            times = job(measure, folder, directory=str(folder), count=min(context.options.events, 10_000))
        return {step: {"us": time_} for step, time_ in times.items()}

    shared = SharedMeasurement(measured)
    return Suite("steps", "Step by step", COLUMNS, [Case(step, partial(shared.row, step)) for step in STEPS], rate="us")


def measure(directory: str, count: int) -> dict[str, float]:
    """Return the microseconds an event of each step. In a process of its own."""
    events, at = checkouts(count), endpoint()
    times: dict[str, float] = {}

    def timed(step: str, work: Callable[[], Any]) -> Any:
        start = time.process_time()
        result = work()
        times[step] = (time.process_time() - start) / count * 1e6
        return result

    encryption = Encryption((KEY,))
    encrypted = timed("encrypt", lambda: [encryption.encrypt("stripe", e.id, ("{}", "{}", e.raw)) for e in events])
    timed(
        "decrypt",
        lambda: [encryption.decrypt("stripe", e.id, text) for e, text in zip(events, encrypted, strict=True)],
    )
    journal = open_journal(f"sqlite:///{directory}/segue.db")
    now = datetime.now(UTC)
    starts = range(0, count, BATCH)
    timed(APPEND, lambda: [journal.append(events[start : start + BATCH], now=now) for start in starts])
    later = now + timedelta(seconds=1)
    claims = timed(
        "claim, 1,000 at once",
        lambda: [journal.claim(BATCH, worker="b", now=later, lease=timedelta(seconds=60)) for _ in starts],
    )
    settlements = [[Settlement(claim=claim, state=State.DELIVERED) for claim in some] for some in claims]
    timed("settle, 1,000 at once", lambda: [journal.settle(some, now=later) for some in settlements])
    journal.close()
    outcomes = timed("translate", lambda: [translate(event, at, namespace="bench") for event in events])
    made = [message for outcome in outcomes if isinstance(outcome, Translated) for message in outcome.messages]
    items = timed("encode", lambda: [Encoded(message["messageId"], encode(message)) for message in made])
    timed("spec checks", lambda: [faults(message, item.body) for message, item in zip(made, items, strict=True)])
    bodies = timed("cut and assemble", lambda: [assemble(batch) for batch in cut(items)])
    for level in (1, 6):
        timed(f"gzip, level {level}", partial(_compress, bodies, level))
    return times


def _compress(bodies: list[bytes], level: int) -> list[bytes]:
    return [gzip.compress(body, level) for body in bodies]
