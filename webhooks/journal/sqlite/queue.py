"""The queue of the SQLite journal: the pending events that are due, and a fair share of each source for a claim."""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from webhooks.journal import queries, records
from webhooks.journal.records import micros

SQL: Final = queries.load("sqlite/queries")
LONGEST_DELAY: Final = timedelta(minutes=10)
"""The longest delay of a retry. A longer one was set by a clock that was ahead, and is due."""
Span = tuple[str, int, int, int]
"""A source, a phase, and a range of due times: a range of the index."""
_FIRST, _LAST = -(1 << 63), (1 << 63) - 1


def times(now: datetime, lease: timedelta, waited: timedelta = timedelta()) -> dict[str, int]:
    """Return the limits of due times at `now`, for the queries.

    `waited` is how long the caller has waited for its turn since `now`, perhaps longer than a lease: what began in that
    time is not of a clock that was ahead.
    """
    return {
        "now": micros(now),
        "beyond": micros(now + waited + 2 * lease),
        "far": micros(now + waited + LONGEST_DELAY),
        "first": _FIRST,
        "last": _LAST,
    }


def any_ready(db: sqlite3.Connection, at: Mapping[str, int]) -> bool:
    """Return whether there is an event to claim."""
    return db.execute(SQL["ready"], {**at, "limit": 1}).fetchone() is not None


def claim(db: sqlite3.Connection, limit: int, at: Mapping[str, int], lease: Mapping[str, Any]) -> list[Any]:
    """Lease up to `limit` events in order: first a fair share of each source, then any others."""
    spans: dict[str, list[Span]] = {}
    for span in db.execute(SQL["ready"], {**at, "limit": -1}):
        spans.setdefault(span["source"], []).append(tuple(span))
    seqs = _chosen(db, list(spans.values()), limit)
    params = {**lease, "seqs": records.json(sorted(seqs))}
    db.execute(SQL["claim"], params)
    return db.execute(SQL["claimed"], params).fetchall()


def _chosen(db: sqlite3.Connection, sources: list[list[Span]], limit: int) -> set[int]:
    """Return seqs: the share of each source; if some have fewer, the other sources fill the limit."""
    random.shuffle(sources)  # if there are more of them than events to claim, none is always the last
    share = -(-limit // max(1, len(sources)))
    chosen: set[int] = set()
    longer = []
    for spans in sources:
        seqs = _first(db, spans, min(share, limit - len(chosen)))
        chosen.update(seqs)
        if len(seqs) == share:
            longer.append(spans)
    for spans in longer:
        if left := limit - len(chosen):
            more = [seq for seq in _first(db, spans, share + left) if seq not in chosen]
            chosen.update(more[:left])
    return chosen


def _first(db: sqlite3.Connection, spans: Sequence[Span], limit: int) -> list[int]:
    """Return the oldest due events of one source."""
    seqs = [seq for span in spans for (seq,) in db.execute(SQL["first_ready"], (*span, limit))]
    return sorted(seqs)[:limit]
