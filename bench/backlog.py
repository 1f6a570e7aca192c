"""What a long backlog costs the SQLite journal: claims, counts, pages, and an append beside them.

    python bench/backlog.py                  at 10,000, 100,000 and 1,000,000 pending events
    python bench/backlog.py --events 200000

The events are written by SQL, each with a body of 1,000 bytes; the best of three tries is printed, in milliseconds.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from translators.kit import Event
from webhooks.journal import Claim, Filter, Settlement, SqliteJournal, State

NOW = datetime(2026, 1, 1, tzinfo=UTC)
FILL = """
WITH RECURSIVE numbers (n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM numbers WHERE n < ?)
INSERT INTO events (source, event_key, type, occurred_at, received_at, clock, trust, headers, envelope, body, problem,
                    state, due_at)
SELECT 'stripe', 'evt_' || n, 'thing.done', 1, n, 'event', 'verified', '{}', '{}', randomblob(1000), '', 'pending', 0
FROM numbers
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    for events in parser.parse_args().events:
        print(f"{events:,} pending")
        with tempfile.TemporaryDirectory() as folder:
            journal = SqliteJournal(Path(folder) / "segue.db")
            journal.database.file.write(lambda db, events=events: db.execute(FILL, (events,)))  # type: ignore[misc]
            measure(journal, events)
            journal.close()


def measure(journal: SqliteJournal, events: int) -> None:
    claims: list[Claim] = []
    best("claim of 1,000", lambda: claims.extend(journal.claim(1000, worker="b", now=NOW, lease=timedelta(minutes=1))))
    done = [Settlement(claim=claim, state=State.DELIVERED) for claim in claims]
    best("settlement of 1,000", lambda: journal.settle([done.pop() for _ in range(min(1000, len(done)))], now=NOW))
    best("counts", journal.census)
    number = iter(range(1000))
    best("append of 100", lambda: journal.append([event(f"{next(number)}-{place}") for place in range(100)], now=NOW))
    best("page, far back", lambda: journal.rows(after=str(events // 100), newest_first=True, limit=50))
    text = Filter(text="nowhere")
    best("search for a text", lambda: journal.search(text, newest_first=True))


def best(name: str, work: Callable[[], object], tries: int = 3) -> None:
    times = []
    for _ in range(tries):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    print(f"  {name:22} {min(times) * 1000:9.2f} ms", flush=True)


def event(key: str) -> Event:
    return Event(source="stripe", id=key, type="thing.done", occurred_at=NOW, received_at=NOW, raw=b"x" * 1000)


if __name__ == "__main__":
    main()
