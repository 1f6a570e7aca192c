"""Partitions of events by the time of their arrival, dropped as a whole when their events are old enough.

One partition is open and takes new events. An event's key is unique in it, and is looked up in the closed ones, which
take no more events. This is exact because every append holds a shared lock, and opening a partition the exclusive one.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import psycopg

from webhooks.journal import queries
from webhooks.journal.model import State
from webhooks.journal.postgres.connections import Connection

SQL: Final = queries.load("postgres/partitions")
STORE: Final = queries.load("postgres/queries")
SPAN: Final = timedelta(days=1)
"""How long a partition is open."""
TRIES: Final = 50
PAUSE: Final = 0.01
FEW: Final = 500
SHARE: Final = 0.1
"""Rows that must outlive their partition are moved if they are at most `FEW`, or at most this share of it."""
COUNTS: Final = 2000
"""Lines of counts after which they are summed."""


def rotate(db: Connection, span: timedelta, params: Mapping[str, int]) -> None:
    """In a transaction: open the next partition if the open one is old enough; `params` has `now` and `wall`."""
    last = db.one(SQL["open"])
    lasted = timedelta(microseconds=params["now"] - last["opened_at"])
    if not last["used"] or (span and lasted < span):
        return
    new = {"id": last["id"] + 1, **params}
    db.execute(SQL["make"], new)
    db.execute(STORE["hold_partitions"])  # no transaction is storing events now
    db.execute(SQL["close"], {"id": last["id"]})
    db.execute(SQL["begin"], new)


def closed(db: Connection) -> list[Any]:
    """Return the closed partitions, oldest first."""
    return db.all(SQL["closed"])


def may_retire(db: Connection, partition: Any, before: Mapping[State, int]) -> bool:
    """Return whether, by the counts alone, few of its rows may have to stay."""
    stay = partition["pending"] + sum(
        count["amount"]
        for count in db.all(SQL["counts"], {"id": partition["id"]})
        if partition["newest_at"] >= before.get(State(count["state"]), 0)
    )
    return _is_few(stay, partition["settled"] + partition["pending"])


def retire(db: Connection, id: int, before: Mapping[State, int]) -> int:
    """In a transaction: move the rows that stay to partition 0 and drop the rest; return how many were dropped.

    If other transactions use its events, or too many must stay, roll back; a later call tries again.
    """
    params: dict[str, Any] = {"id": id, "states": [state.value for state in before], "before": list(before.values())}
    db.execute(STORE["hold_partitions"])
    try:
        _lock(db)
        pending = len(db.all(SQL["lock_waiting"], params))
    except psycopg.errors.LockNotAvailable:
        raise psycopg.Rollback from None
    total = pending + db.one(SQL["total"], params)["count"]
    stay = pending + db.one(SQL["stay"].format(id=id), params)["count"]
    if not _is_few(stay, total):
        raise psycopg.Rollback
    for name in ("recount", "move_outcomes", "move_events", "move_waiting", "give_up"):
        db.execute(SQL[name].format(id=id).encode(), params)
    return int(total - stay)


def _is_few(stay: int, total: int) -> bool:
    return stay < total and stay <= max(FEW, SHARE * total)


def _lock(db: Connection) -> None:
    """Lock the tables as soon as they are not in use. No transaction stores events meanwhile, so this is soon."""
    for _ in range(TRIES):
        try:
            with db.transaction():
                db.execute(SQL["lock"])
        except psycopg.errors.LockNotAvailable:
            time.sleep(PAUSE)
        else:
            return
    raise psycopg.errors.LockNotAvailable


def prune_kept(db: Connection, before: Mapping[State, int], limit: int) -> int:
    """In a transaction: delete old rows of partition 0, which has the rows that outlived their partition."""
    params = {"states": [state.value for state in before], "before": list(before.values()), "limit": limit}
    deleted: int = db.one(SQL["prune_kept"], params)["count"]
    return deleted


def sum_counts(db: Connection) -> None:
    """In a transaction: replace many lines of counts by one for each count."""
    if db.one(SQL["counted"])["count"] > COUNTS:
        db.execute(SQL["sum_counts"])
