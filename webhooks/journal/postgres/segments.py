"""Segments: partitions of events by the time of their arrival, given up whole when what is in them is old enough.

One is open and takes what arrives. The event's key is unique in it, and looked up in the closed ones, which take no
more events: that is exact since every append holds a shared lock and opening a new segment the exclusive one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final

import psycopg

from webhooks.journal import queries
from webhooks.journal.model import State
from webhooks.journal.postgres.connections import Connection

SQL: Final = queries.load("postgres_segments")
STORE: Final = queries.load("postgres")
SPAN: Final = timedelta(days=1)
"""How long one is open."""
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
    db.execute(SQL["make"].format(id=new["id"]).encode())
    db.execute(STORE["hold_segments"])  # nobody is storing now
    db.execute(SQL["close"], {"id": last["id"]})
    db.execute(SQL["begin"], new)


def closed(db: Connection) -> list[Any]:
    """Those that take no more, oldest first."""
    return db.all(SQL["closed"])


def is_worth_a_look(db: Connection, segment: Any, before: Mapping[State, int]) -> bool:
    """Whether few of its rows can have to stay, by the counts alone."""
    total = segment["settled"] + segment["pending"]
    stay = segment["pending"] + sum(
        count["amount"]
        for count in db.all(SQL["counts"], {"id": segment["id"]})
        if segment["newest_at"] >= before.get(State(count["state"]), 0)
    )
    return bool(stay <= max(FEW, SHARE * total))


def retire(db: Connection, id: int, before: Mapping[State, int]) -> int:
    """In a transaction: move what stays into segment 0 and drop the rest; how many events are gone.

    0 where somebody is at work on its events, or too many must stay: it is tried again later.
    """
    told: dict[str, Any] = {"id": id, "states": [state.value for state in before], "before": list(before.values())}
    try:
        db.execute("SELECT set_config('lock_timeout', '2s', true)")
        db.execute(SQL["lock_waiting"], told)  # first those who settle, then the tables: no circle of waiting
        db.execute(SQL["lock"].format(id=id).encode())
        db.execute(SQL["lock_waiting"], told)  # and those that a replay brought back meanwhile
    except psycopg.errors.LockNotAvailable:
        raise psycopg.Rollback from None
    total = db.one(SQL["total"].format(id=id))["count"]
    pending = len(db.all(SQL["lock_waiting"], told))
    stay = pending + db.one(SQL["stay"].format(id=id), told)["count"]
    if stay > max(FEW, SHARE * total):
        raise psycopg.Rollback
    for name in ("recount", "move_outcomes", "move_events"):
        db.execute(SQL[name].format(id=id), told)
    db.execute(SQL["move_waiting"], told)
    db.execute(SQL["give_up"].format(id=id).encode())
    return int(total - stay)


def prune_kept(db: Connection, before: Mapping[State, int], limit: int) -> int:
    """In a transaction: delete old rows of segment 0, which holds what outlived its own."""
    told = {"states": [state.value for state in before], "before": list(before.values()), "limit": limit}
    found: int = db.one(SQL["prune_kept"], told)["count"]
    return found


def add_up(db: Connection) -> None:
    """In a transaction: one line for each count, where there are many."""
    if db.one(SQL["counted"])["count"] > COUNTS:
        db.execute(SQL["add_up"])
