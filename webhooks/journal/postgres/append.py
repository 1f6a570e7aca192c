"""A group commit on PostgreSQL: one transaction for all appended events, or for those that can be stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import former, isolate, queries, records
from webhooks.journal.encryption import Encryption
from webhooks.journal.former import ArrivingEvents, FormerKeyQuery, StoredKey
from webhooks.journal.model import AppendResult
from webhooks.journal.notes import READINESS
from webhooks.journal.postgres import columns
from webhooks.journal.postgres.connections import BAD_VALUE, Connection, Connections, is_outage, message

SQL: Final = queries.load("postgres/queries")


def append_group(
    connections: Connections, group: Sequence[ArrivingEvents], encryption: Encryption, wall: Callable[[], int]
) -> Sequence[AppendResult | Exception]:
    """Return the result of each append, or the error that concerns it alone. `wall` is this machine's clock."""

    def commit(some: Sequence[ArrivingEvents]) -> Sequence[AppendResult]:
        stored = connections.write(lambda db: _insert(db, some, wall(), encryption))
        connections.stats.count_group(sum(len(arrivals.rows) for arrivals in some))
        return stored

    def available(error: Exception) -> bool:
        if is_outage(error.__cause__):
            return False
        try:
            connections.write(prove)
        except JournalUnavailable:
            return False
        return True

    return isolate.commit_all(group, commit, refused=_unstorable, available=available)


def prove(db: Connection) -> None:
    """Store a small note."""
    db.execute(SQL["note"], {"name": READINESS, "value": "{}", "at": 0})


def store(db: Connection, params: Mapping[str, Any], wall: int) -> list[int]:
    """Store new events, in a transaction after `share_partitions`; return the places (from 1) of the new ones."""
    return sorted(record["place"] for record in db.all(SQL["store"], {**params, "wall": wall}))


def unstorable(what: str, error: Exception) -> JournalError:
    """Return the error for a value that cannot be stored, with PostgreSQL's message."""
    return records.unstorable(what, ValueError(message(error)))


def _unstorable(error: Exception) -> JournalError | None:
    return unstorable("an event", error) if isinstance(error, BAD_VALUE) else None


def _insert(db: Connection, group: Sequence[ArrivingEvents], clock: int, encryption: Encryption) -> list[AppendResult]:
    everything = former.joined(group)
    repeated = _repeated(db, everything, encryption) if everything.events else set()
    if not everything.events:
        db.execute(SQL["share_partitions"])
    places = [place for place in range(len(everything.rows)) if place not in repeated]
    new: set[int] = set()
    if places:
        values = columns.store_params([everything.rows[place] for place in places])
        new = {places[number - 1] for number in store(db, values, clock)}
    results: list[AppendResult] = []
    first = 0
    for arrivals in group:
        last = first + len(arrivals.rows)
        fresh = sum(first <= place < last for place in new)
        results.append(AppendResult(fresh, last - first - fresh))
        first = last
    return results


def _repeated(db: Connection, arrivals: ArrivingEvents, encryption: Encryption) -> set[int]:
    """Return the places of repeated events. Transactions with each other's keys take turns, so the second sees them."""
    buckets = former.buckets(arrivals)
    held = [(1, False), (999, buckets is None), *((1000 + bucket, True) for bucket in buckets or ())]
    numbers, alone = zip(*held, strict=True)
    db.execute(SQL["share_partitions_and_hold_keys"], {"numbers": list(numbers), "alone": list(alone)})
    return former.stored_before(arrivals, lambda former_keys: _stored_keys(db, former_keys), encryption)


def _stored_keys(db: Connection, former_keys: Sequence[FormerKeyQuery]) -> dict[int, StoredKey]:
    sources, keys, bodies = (list(column) for column in zip(*former_keys, strict=True)) if former_keys else ([], [], [])
    rows = db.all(SQL["former"], {"sources": sources, "keys": keys, "bodies": bodies})
    return {
        row["place"] - 1: StoredKey(row["type"], row["same"] is True, row["record"] and ("{}", "{}", row["record"]))
        for row in rows
    }
