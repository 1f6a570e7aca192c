"""Segments: partitions of events by the time of their arrival, given up whole when what is in them is old enough.

One is open and takes what arrives. The event's key is unique in it, and looked up in the closed ones, which take no
more events: that is exact since every append holds a shared lock and opening a new segment the exclusive one.
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
"""How long one is open."""
TRIES: Final = 50
PAUSE: Final = 0.01
FEW: Final = 500
SHARE: Final = 0.1
"""What must outlive its segment is moved, where it is few rows or a small part."""
COUNTS: Final = 2000
"""Lines of counts after which they are added up."""


def rotate(db: Connection, span: timedelta, told: Mapping[str, int]) -> None:
    """In a transaction: open the next segment where the open one has lasted; `told` has the time, `now` and `here`."""
    last = db.one(SQL["open"])
    lasted = timedelta(microseconds=told["now"] - last["opened_at"])
    if not last["used"] or (span and lasted < span):
        return
    new = {"id": last["id"] + 1, **told}
    db.execute(SQL["make"], new)
    db.execute(STORE["hold_segments"])  # nobody is storing now
    db.execute(SQL["close"], {"id": last["id"]})
    db.execute(SQL["begin"], new)


def closed(db: Connection) -> list[Any]:
    """Those that take no more, oldest first."""
    return db.all(SQL["closed"])


def is_worth_a_look(db: Connection, segment: Any, before: Mapping[State, int]) -> bool:
    """Whether few of its rows can have to stay, by the counts alone."""
    stay = segment["pending"] + sum(
        count["amount"]
        for count in db.all(SQL["counts"], {"id": segment["id"]})
        if segment["newest_at"] >= before.get(State(count["state"]), 0)
    )
    return _is_few(stay, segment["settled"] + segment["pending"])


def retire(db: Connection, id: int, before: Mapping[State, int]) -> int:
    """In a transaction: move what stays into segment 0 and drop the rest; how many events are gone.

    It is rolled back where somebody is at work on its events, or too many must stay: it is tried again later.
    """
    told: dict[str, Any] = {"id": id, "states": [state.value for state in before], "before": list(before.values())}
    db.execute(STORE["hold_segments"])
    try:
        _lock(db)
        pending = len(db.all(SQL["lock_waiting"], told))
    except psycopg.errors.LockNotAvailable:
        raise psycopg.Rollback from None
    total = pending + db.one(SQL["total"], told)["count"]
    stay = pending + db.one(SQL["stay"].format(id=id), told)["count"]
    if not _is_few(stay, total):
        raise psycopg.Rollback
    for name in ("recount", "move_outcomes", "move_events", "move_waiting", "give_up"):
        db.execute(SQL[name].format(id=id).encode(), told)
    return int(total - stay)


def _is_few(stay: int, total: int) -> bool:
    return stay < total and stay <= max(FEW, SHARE * total)


def _lock(db: Connection) -> None:
    """The tables, as soon as nobody uses them; nobody stores meanwhile, so that is soon."""
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
    """In a transaction: delete old rows of segment 0, which holds what outlived its own."""
    told = {"states": [state.value for state in before], "before": list(before.values()), "limit": limit}
    found: int = db.one(SQL["prune_kept"], told)["count"]
    return found


def add_up(db: Connection) -> None:
    """In a transaction: one line for each count, where there are many."""
    if db.one(SQL["counted"])["count"] > COUNTS:
        db.execute(SQL["add_up"])
