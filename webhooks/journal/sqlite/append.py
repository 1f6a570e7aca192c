"""A group commit on SQLite: one transaction for all appended events, or for those that can be stored."""

from __future__ import annotations

import sqlite3
import uuid
from collections.abc import Sequence
from typing import Final

from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import former, isolate, queries, records
from webhooks.journal.encryption import Encryption
from webhooks.journal.former import ArrivingEvents, FormerKeyQuery, StoredKey
from webhooks.journal.model import AppendResult
from webhooks.journal.notes import READINESS
from webhooks.journal.records import Params
from webhooks.journal.sqlite.file import BAD_VALUE
from webhooks.journal.sqlite.journal_file import JournalFile

SQL: Final = queries.load("sqlite/queries")
_NAME: Final = slice(0, 2)
_EVENT: Final = slice(0, 11)
_STATE: Final = slice(11, None)
_SETTLED_AT: Final = 13
"""Columns as `records.append_params` and `records.load_params` order them."""


def append_group(
    file: JournalFile, group: Sequence[ArrivingEvents], encryption: Encryption
) -> Sequence[AppendResult | Exception]:
    """Return the result of each append, or the error that concerns it alone."""

    def commit(some: Sequence[ArrivingEvents]) -> Sequence[AppendResult]:
        stored = file.transact(lambda db: insert(db, some, encryption))
        file.stats.count_group(sum(len(arrivals.rows) for arrivals in some))
        return stored

    def available(error: Exception) -> bool:
        if not _may_be_size(error.__cause__):
            return False
        try:
            file.transact(prove)
        except JournalUnavailable:
            return False
        return True

    return isolate.commit_all(group, commit, refused=_refused, available=available)


def _may_be_size(error: BaseException | None) -> bool:
    """Return whether one event may have been too large for the disk or for memory."""
    full = isinstance(error, sqlite3.Error) and getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_FULL
    return full or isinstance(error, MemoryError)


def prove(db: sqlite3.Connection) -> None:
    """Store a small note."""
    fresh = records.json({"proof": uuid.uuid4().hex})  # SQLite does not sync an unchanged value
    db.execute(SQL["note"], (READINESS, fresh, 0))


def insert(db: sqlite3.Connection, group: Sequence[ArrivingEvents], encryption: Encryption) -> list[AppendResult]:
    """Store the events of a group, in a transaction; return the result of each append."""
    repeated: set[int] = set()
    if any(arrivals.events for arrivals in group):
        repeated = former.stored_before(
            former.joined(group), lambda former_keys: _stored_keys(db, former_keys), encryption
        )
    end = last_seq(db)
    stored: list[AppendResult] = []
    first = 0
    for arrivals in group:
        before = db.total_changes
        rows = arrivals.rows
        db.executemany(SQL["append"], [row[_EVENT] for place, row in enumerate(rows, first) if place not in repeated])
        new = db.total_changes - before
        stored.append(AppendResult(new, len(rows) - new))
        first += len(rows)
    settled_at = max((row[_SETTLED_AT] or 0 for arrivals in group for row in arrivals.rows), default=0)
    db.execute(SQL["queue"], {"end": end, "due_at": records.AT_ONCE, "now": settled_at})
    return stored


def load(db: sqlite3.Connection, rows: Sequence[Params]) -> int:
    """Store rows by `records.load_params`, in a transaction; return how many were new."""
    end, before = last_seq(db), db.total_changes
    db.executemany(SQL["append"], [row[_EVENT] for row in rows])
    new = db.total_changes - before
    db.executemany(SQL["load"], [(*row[_STATE], *row[_NAME], end) for row in rows])
    return new


def last_seq(db: sqlite3.Connection) -> int:
    """Return the last seq assigned, even if its event was deleted."""
    last: int = db.execute(SQL["end"]).fetchone()[0]
    return last


def _stored_keys(db: sqlite3.Connection, former_keys: Sequence[FormerKeyQuery]) -> dict[int, StoredKey]:
    params = records.json(
        [(former_key.source, former_key.key, former_key.body is not None) for former_key in former_keys]
    )
    return {
        place: StoredKey(type_, content=None if body is None else (headers, envelope, body))
        for place, type_, headers, envelope, body in db.execute(SQL["former"], (params,)).fetchall()
    }


def _refused(error: Exception) -> JournalError | None:
    return records.unstorable("an event", error) if isinstance(error, BAD_VALUE) else None
