"""Milliseconds from an append in another process to its claim by an idle worker, and what waiting costs.

    python bench/wake.py --events 200 --interval 0.1
    python bench/wake.py --postgres [URL]        # on that store too; without a URL on a server of its own

The worker waits for `watch` only, as one with a long poll. The order of the figures carries, not their digits.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import database

from translators.kit import Event
from webhooks.journal import Journal, open_journal


def main() -> None:
    """Measure and print a line for each store."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=200)
    parser.add_argument("--interval", type=float, default=0.1, help="seconds between two events (default 0.1)")
    parser.add_argument("--postgres", nargs="?", const=database.OWN, metavar="URL", help=database.HELP)
    parser.add_argument("--append", metavar="URL", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.append:
        append(open_journal(arguments.append), arguments.events, arguments.interval)
        return
    print(f"{'store':<10} {'p50 ms':>8} {'p99 ms':>8} {'idle, % of a core':>18}")
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        urls = {"sqlite": f"sqlite:///{folder}/bench.db"}
        if arguments.postgres:
            urls["postgres"] = stack.enter_context(database.postgres(arguments.postgres))
        for store, url in urls.items():
            print(f"{store:<10} {measure(url, arguments.events, arguments.interval)}", flush=True)


def append(journal: Journal, events: int, interval: float) -> None:
    """Store an event at a time."""
    for number in range(events):
        now = datetime.now(UTC)
        journal.append(
            [Event(source="bench", id=str(number), type="t", raw=b"{}", occurred_at=now, received_at=now)], now=now
        )
        time.sleep(interval)
    journal.close()


def measure(url: str, events: int, interval: float) -> str:
    """Return the median, the 99th percentile, and the CPU of a second without events."""
    journal, woken = open_journal(url), threading.Event()
    taken: list[float] = []
    unwatch = journal.watch(woken.set)
    time.sleep(0.2)
    cpu = time.process_time()
    time.sleep(1)
    cpu = time.process_time() - cpu
    options = ["--append", url, "--events", str(events), "--interval", str(interval)]
    child = subprocess.Popen([sys.executable, __file__, *options])
    while len(taken) < events:
        woken.wait(10)
        woken.clear()
        now = datetime.now(UTC)
        claims = journal.claim(100, worker="bench", now=now, lease=timedelta(minutes=5))
        claimed = datetime.now(UTC)
        taken += [(claimed - claim.event.received_at).total_seconds() * 1000 for claim in claims]
    child.wait()
    unwatch()
    journal.close()
    taken.sort()
    return f"{taken[len(taken) // 2]:8.1f} {taken[int(len(taken) * 0.99)]:8.1f} {cpu * 100:18.2f}"


if __name__ == "__main__":
    main()
