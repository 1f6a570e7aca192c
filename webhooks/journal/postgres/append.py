"""A group commit on PostgreSQL: one transaction for all who append, or for as many as can be stored."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import former, isolate, queries, records
from webhooks.journal.encryption import Encryption
from webhooks.journal.former import ArrivingEvents, FormerKeyQuery, StoredKey
from webhooks.journal.model import AppendResult
from webhooks.journal.postgres import columns
from webhooks.journal.postgres.connections import BAD_VALUE, Connection, Connections, is_outage, message
from webhooks.journal.postgres.operator import store

SQL: Final = queries.load("postgres/queries")


def append_group(
    connections: Connections, group: Sequence[ArrivingEvents], seal: Encryption, wall: Callable[[], int]
) -> Sequence[AppendResult | Exception]:
    """What each append did, or the error that concerns it alone. `wall` is this machine's clock."""
    stats = connections.stats

    def commit(some: Sequence[ArrivingEvents]) -> Sequence[AppendResult]:
        stored = connections.write(lambda db: _insert(db, some, wall(), seal))
        events = sum(len(arrivals.rows) for arrivals in some)
        stats.groups += 1
        stats.events += events
        stats.samples.append((events, stats.last_commit_seconds))
        return stored

    def available(error: Exception) -> bool:
        if is_outage(error.__cause__):
            return False
        try:
            connections.write(prove)
        except JournalUnavailable:
            return False
        return True

    return isolate.commit_all(group, commit, refused=_refusal, available=available)


def prove(db: Connection) -> None:
    """Store something small."""
    db.execute(SQL["note"], {"name": "readiness", "value": "{}", "at": 0})


def refused(what: str, error: Exception) -> JournalError:
    """What cannot be stored, in PostgreSQL's words."""
    return records.refused(what, ValueError(message(error)))


def _refusal(error: Exception) -> JournalError | None:
    return refused("an event", error) if isinstance(error, BAD_VALUE) else None


def _insert(db: Connection, group: Sequence[ArrivingEvents], clock: int, seal: Encryption) -> list[AppendResult]:
    everything = former.joined(group)
    repeated = _repeated(db, everything, seal) if everything.events else set()
    if not everything.events:
        db.execute(SQL["share_segments"])
    places = [place for place in range(len(everything.rows)) if place not in repeated]
    new: set[int] = set()
    if places:
        values = columns.stored([everything.rows[place] for place in places])
        new = {places[number - 1] for number in store(db, values, clock)}
    results: list[AppendResult] = []
    first = 0
    for arrivals in group:
        last = first + len(arrivals.rows)
        fresh = sum(first <= place < last for place in new)
        results.append(AppendResult(fresh, last - first - fresh))
        first = last
    return results


def _repeated(db: Connection, arrivals: ArrivingEvents, seal: Encryption) -> set[int]:
    """Those who bring each other's keys take turns: whoever waited sees what the other has stored."""
    buckets = former.buckets(arrivals)
    held = [(1, False), (999, buckets is None), *((1000 + bucket, True) for bucket in buckets or ())]
    numbers, alone = zip(*held, strict=True)
    db.execute(SQL["share_segments_and_hold_keys"], {"numbers": list(numbers), "alone": list(alone)})
    return former.stored_before(arrivals, lambda sought: _former(db, sought), seal)


def _former(db: Connection, sought: Sequence[FormerKeyQuery]) -> dict[int, StoredKey]:
    sources, keys, bodies = (list(column) for column in zip(*sought, strict=True)) if sought else ([], [], [])
    rows = db.all(SQL["former"], {"sources": sources, "keys": keys, "bodies": bodies})
    return {
        row["place"] - 1: StoredKey(row["type"], row["same"] is True, row["sealed"] and ("{}", "{}", row["sealed"]))
        for row in rows
    }
