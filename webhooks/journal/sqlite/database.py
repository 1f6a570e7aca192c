"""The tables of the SQLite journal."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from webhooks.errors import JournalUnavailable
from webhooks.journal import queries, records
from webhooks.journal.database import NamedParams
from webhooks.journal.encryption import Encryption
from webhooks.journal.filter import Filter
from webhooks.journal.former import ArrivingEvents
from webhooks.journal.group import GroupCommit
from webhooks.journal.model import (
    DROPPABLE,
    FORGOTTEN,
    HISTORY,
    AppendResult,
    AuditContext,
    Census,
    Cursor,
    ReencryptResult,
    State,
    Stats,
    Verification,
)
from webhooks.journal.records import Params, Record, micros
from webhooks.journal.sqlite import damage
from webhooks.journal.sqlite import queue as sqlite_queue
from webhooks.journal.sqlite.append import append_group, last_seq, load, prove
from webhooks.journal.sqlite.filter import Selection
from webhooks.journal.sqlite.journal_file import JournalFile
from webhooks.journal.sqlite.watch import AppendWatch

SQL: Final = queries.load("sqlite/queries")
FREE_FLOOR: Final = 32 * 1024 * 1024
PRUNE_CHUNK: Final = 500
"""Rows deleted in one transaction; `append` waits for it."""
_PAST_THE_END: Final = (1 << 63) - 1


class SqliteDatabase:
    """See `webhooks.journal.database.JournalDatabase`. Events are in the order of `seq`, that of the commits."""

    def __init__(self, file: JournalFile, path: Path, encryption: Encryption) -> None:
        self.file = file
        self.group: GroupCommit[ArrivingEvents, AppendResult] = GroupCommit(
            lambda group: append_group(file, group, encryption), file.run
        )
        self._path = path
        self._encryption = encryption

    @property
    def stats(self) -> Stats:
        """Return counts of this process's commits."""
        return self.file.stats

    # the queue

    def append(self, arrivals: ArrivingEvents) -> AppendResult:
        """Store events in one group commit with concurrent callers."""
        return self.group.submit(arrivals)

    def claim(self, limit: int, lease: str, *, now: datetime, length: timedelta) -> list[Record]:
        """Lease the oldest due events: first a fair share of each source."""
        start = time.monotonic()
        at = sqlite_queue.times(now, length)
        if limit < 1 or not self.file.read(lambda db: sqlite_queue.any_ready(db, at)):
            return []

        def claim(db: sqlite3.Connection) -> list[Record]:
            waited = timedelta(seconds=time.monotonic() - start)
            leased = {"lease": lease, "until": micros(now + length)}
            return sqlite_queue.claim(db, limit, sqlite_queue.times(now, length, waited), leased)

        return self.file.write(claim)

    def renew(self, leases: Sequence[tuple[int, str]], *, now: datetime, length: timedelta) -> set[int]:
        """Renew leases by (seq, lease); return the seqs renewed."""
        params = {"leases": records.json(leases), "until": micros(now + length)}
        return self.file.write(lambda db: {seq for (seq,) in db.execute(SQL["renew"], params)})

    def settle(self, ended: Sequence[dict[str, Any]], *, now: datetime) -> set[int]:
        """End claims; return the seqs settled."""
        del now  # each settlement has it
        params = {"ended": records.json(ended), "most": HISTORY}
        return self.file.write(lambda db: {seq for (seq,) in db.execute(SQL["settle"], params)})

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when another process has stored events; return a function that ends it."""
        return AppendWatch(self.end, wake).close

    # queries

    def get(self, seq: int) -> Record | None:
        """Return an event by its seq; also without its state, if only that is damaged."""
        try:
            return self.file.read(lambda db: db.execute(SQL["get"], (seq,)).fetchone())
        except JournalUnavailable as error:
            if error.__cause__ is None or not damage.is_damage(error.__cause__):
                raise
            return self.file.read(lambda db: db.execute(SQL["get_without_state"], (seq,)).fetchone())

    def find(self, source: str, key: str) -> Record | None:
        """Return an event by its source and key."""
        return self.file.read(lambda db: db.execute(SQL["find"], (source, key)).fetchone())

    def page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Record]:
        """Return records after a cursor, or before it if newest first."""
        place = _place(after) or (_PAST_THE_END if newest_first else 0)

        def work(db: sqlite3.Connection) -> list[Record]:
            seqs = Selection(db, filter).page(place, limit, newest_first=newest_first)
            return db.execute(SQL["rows_by_seq"], (records.json(seqs),)).fetchall()

        page = self.file.read(work)
        return page[::-1] if newest_first else page

    def cursor(self, record: Record) -> Cursor:
        """Return the event's seq."""
        return str(record["seq"])

    def count(self, filter: Filter) -> int:
        """Return the number of events that the filter selects."""
        return self.file.read(lambda db: Selection(db, filter).count())

    def seqs(self, filter: Filter) -> list[int]:
        """Return the seqs of these events, in order."""
        return self.file.read(lambda db: Selection(db, filter).seqs())

    def event_groups(self, filter: Filter) -> list[Record]:
        """Return these events by source, type, state and reason."""
        return self.file.read(lambda db: Selection(db, filter).event_groups())

    def end(self) -> Cursor:
        """Return the last seq assigned, even if its event was deleted."""
        return str(self.file.read(last_seq))

    def census(self) -> Census:
        """Return counts; only indexes are read."""
        settled, waiting, unsupported = self.file.read(
            lambda db: tuple(db.execute(SQL[name]).fetchall() for name in ("census", "waiting", "unsupported_types"))
        )
        counts = [(source, State(state), count) for state, source, count in settled]
        counts += [(source, State.PENDING, count) for source, count, _ in waiting]
        return records.census(
            counts,
            oldest={source: received for source, _, received in waiting},
            unsupported_types={(source, type_): count for source, type_, count in unsupported},
            size_bytes=self.file.size(),
        )

    # changes by an operator, and pruning

    def replay(self, seqs: Sequence[int], *, by: AuditContext, now: datetime, due_at: datetime, as_new: bool) -> int:
        """Make settled events pending again."""
        params = {"as_new": int(as_new), "due_at": micros(due_at)}
        return self._change("replay", seqs, params, by, now, {"as_new": as_new} if as_new else {})

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> int:
        """Drop events that are not delivered."""
        return self._change("drop", seqs, {"droppable": records.json(DROPPABLE)}, by, now, {})

    def _change(
        self,
        name: str,
        seqs: Sequence[int],
        params: Mapping[str, Any],
        by: AuditContext,
        now: datetime,
        detail: Mapping[str, Any],
    ) -> int:
        params = {**params, **records.audit_params(by), "seqs": records.json(seqs), "now": micros(now), "most": HISTORY}

        def work(db: sqlite3.Connection) -> int:
            changed = db.execute(SQL[name], params).fetchall()
            if changed:
                changed = db.execute(SQL["names"], (records.json([seq for (seq,) in changed]),)).fetchall()
                db.execute(SQL["audit"], records.audit_line(name, changed, detail, by, now))
            return len(changed)

        return self.file.write(work)

    def load(self, rows: Sequence[Params]) -> int:
        """Store rows of another journal; return how many were new."""
        return self.file.write(lambda db: load(db, rows))

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int) -> int:
        """Delete what is old enough, in short transactions."""
        old = micros(now - FORGOTTEN)
        self.file.write(
            lambda db: (db.execute(SQL["forget_tokens"], (micros(now),)), db.execute(SQL["forget_workers"], (old,)))
        )
        deleted = 0
        for source, by in self.census().by_source.items():
            for state in by.keys() & ages.keys() - {State.PENDING}:
                deleted += self._prune(state, source, micros(now - ages[state]), limit - deleted)
        return deleted

    def _prune(self, state: State, source: str, before: int, limit: int) -> int:
        total = 0
        while chunk := min(PRUNE_CHUNK, limit - total):
            params = (state, source, before, chunk)
            deleted = self.file.write(lambda db, params=params: _prune_some(db, params))  # type: ignore[misc]
            total += deleted
            if deleted < chunk:
                break
        return total

    def reencrypt(self, after: Cursor, limit: int, *, dry_run: bool) -> ReencryptResult:
        """Encrypt some rows again, in one transaction; their previous content is overwritten."""
        params = (_place(after), limit)
        if dry_run:
            return self.file.read(lambda db: _reencrypt(db, params, self._encryption, write=False))
        return self.file.write(lambda db: _reencrypt(db, params, self._encryption, write=True))

    # notes, counters, tokens and the audit log

    def read(self, name: str, params: NamedParams | None = None) -> list[Record]:
        """Return the records of a named query."""
        return self.file.read(lambda db: db.execute(SQL[name], params or {}).fetchall())

    def write(self, *statements: tuple[str, NamedParams]) -> list[Record]:
        """Run named statements in one transaction; return the records of the last."""

        def work(db: sqlite3.Connection) -> list[Record]:
            results = [db.execute(SQL[name], _values(name, params)).fetchall() for name, params in statements]
            return results[-1]

        return self.file.write(work)

    def write_many(self, *statements: tuple[str, Sequence[Params]]) -> None:
        """Run each named statement for all its parameters, in one transaction."""

        def work(db: sqlite3.Connection) -> None:
            for name, params in statements:
                db.executemany(SQL[name], params)

        self.file.write(work)

    # the file

    def check(self) -> None:
        """Make a durable write, and check the free disk space."""
        damage.refuse(os.path.realpath(self._path))
        free = self.file.free()
        if free < FREE_FLOOR:
            raise JournalUnavailable(
                f"only {free // 1024} KiB are free beside the journal", hint="Free disk space, or move SEGUE_DATABASE."
            )
        self.file.write(prove)

    def verify(self, *, full: bool, seconds: float) -> Verification:
        """Check the file. If all of it is intact, remove the note that it is damaged."""
        path = os.path.realpath(self._path)
        verification = self.file.read(lambda db: damage.verify(db, full=full, seconds=seconds))
        if verification.problems:
            damage.note(path, verification.problems[0])
        elif verification.complete:
            damage.forget(path)
        return verification

    def close(self) -> None:
        """Close the file."""
        self.file.close()

    def abandon(self) -> None:
        """In the child of a fork: do not touch the parent's connections."""
        self.file.abandon()


def _place(cursor: Cursor) -> int:
    if not cursor:
        return 0
    if not records.is_position(cursor):
        raise records.foreign_cursor(cursor)
    return int(cursor)


def _values(name: str, params: NamedParams) -> NamedParams | tuple[Any, ...]:
    """Return parameters as their statement has them: by name or in order."""
    return tuple(params.values()) if "?" in SQL[name] else params


def _prune_some(db: sqlite3.Connection, params: Params) -> int:
    seqs = [seq for (seq,) in db.execute(SQL["prune"], params)]
    db.execute(SQL["prune_events"], (records.json(seqs),))
    return len(seqs)


def _reencrypt(
    db: sqlite3.Connection, params: tuple[int, int], encryption: Encryption, *, write: bool
) -> ReencryptResult:
    if write:
        db.execute("PRAGMA secure_delete = ON")
    page = db.execute(SQL["page_to_reencrypt"], params).fetchall()

    def change(_: Any, params: records.Params) -> None:
        if write:
            *content, reason, history, seq = params
            db.execute(SQL["reencrypt"], (*content, seq))
            db.execute(SQL["reencrypt_state"], (reason, history, seq))

    after = str(page[-1]["seq"]) if page else ""
    return records.reencrypt(page, encryption, change, limit=params[1], after=after)
