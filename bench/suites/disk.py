"""Kilobytes written to the disk, and kept on it, for an event of 3 kB that is received and delivered."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from bench.context import Context
from bench.job import job
from bench.measure import Case, Column, Suite, Values
from bench.payloads import checkouts
from webhooks.journal import Settlement, State, open_journal

COLUMNS = (
    Column("received", "written until received, kB", ",.1f"),
    Column("delivered", "written until delivered, kB", ",.1f"),
    Column("kept", "on disk, kB", ",.2f"),
    Column("body", "body, kB", ",.2f"),
)
CALLERS = 16
IO = Path("/proc/self/io")


def suite(context: Context) -> Suite:
    """Return one row; nothing if this system does not count written bytes."""
    count = min(context.options.events, 10_000)
    unavailable = {} if IO.exists() else {"SQLite": "there is no /proc/self/io"}
    cases = [] if unavailable else [Case("SQLite", partial(measure, context, count), durable="yes")]
    return Suite("disk", "Bytes an event", COLUMNS, cases, rate="delivered", unavailable=unavailable)


def measure(context: Context, count: int) -> Values:
    """Return the kilobytes an event."""
    with context.scratch() as folder:
        return dict(job(write, folder, directory=str(folder), count=count))


def write(directory: str, count: int) -> dict[str, float]:
    """Append by concurrent callers, claim and settle; return kilobytes an event. In a process of its own."""
    path = Path(directory) / "segue.db"
    journal = open_journal(f"sqlite:///{path}")
    events = checkouts(count)
    before, now = written(), datetime.now(UTC)

    def append(first: int) -> None:
        for event in events[first::CALLERS]:
            journal.append([event], now=now)

    threads = [threading.Thread(target=append, args=(first,)) for first in range(CALLERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    received = written()
    later = now + timedelta(seconds=1)
    while claims := journal.claim(1000, worker="bench", now=later, lease=timedelta(minutes=1)):
        journal.settle([Settlement(claim=claim, state=State.DELIVERED) for claim in claims], now=later)
    journal.close()
    delivered = written()
    kilobytes = 1000 * count
    return {
        "received": (received - before) / kilobytes,
        "delivered": (delivered - before) / kilobytes,
        "kept": sum(file.stat().st_size for file in path.parent.glob("segue.db*")) / kilobytes,
        "body": sum(len(event.raw) for event in events) / kilobytes,
    }


def written() -> int:
    """Return the bytes that this process has caused to be written to disks."""
    lines = dict(line.split(": ") for line in IO.read_text().splitlines())
    return int(lines["write_bytes"])
