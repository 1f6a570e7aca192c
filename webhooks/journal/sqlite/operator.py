"""What an operator asks of the SQLite journal and does to it: choose, look, replay, drop, load, audit."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from webhooks.errors import JournalError
from webhooks.journal import queries, records
from webhooks.journal.encryption import Encryption
from webhooks.journal.filter import Filter
from webhooks.journal.model import (
    DROPPABLE,
    HISTORY,
    AppendResult,
    AuditContext,
    AuditEntry,
    ChangeResult,
    Cursor,
    ReencryptResult,
    Row,
    Stats,
)
from webhooks.journal.records import micros
from webhooks.journal.runners import Runner
from webhooks.journal.sqlite.file import BAD_VALUE
from webhooks.journal.sqlite.filter import Selection
from webhooks.journal.text_search import TextSearch

R = TypeVar("R")
SQL: Final = queries.load("sqlite/queries")
_BEHIND_ALL: Final = (1 << 63) - 1


class File(Protocol):
    """What the journal needs of a file."""

    stats: Stats
    run: Runner

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """The result of some queries."""
        ...

    def write(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """One durable transaction, where it may block."""
        ...

    def transact(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """One durable transaction, here."""
        ...

    def free(self) -> int:
        """Bytes free on its disk."""
        ...

    def size(self) -> int:
        """Bytes it takes."""
        ...

    def close(self) -> None:
        """Close it; it may be used again."""
        ...

    def leave_behind(self) -> None:
        """In the child of a fork: leave the parent's connections alone."""
        ...


class SqliteOperations(TextSearch):
    """The half of `SqliteJournal` that is for people. Its order is that of `seq`, which is the order of the commits."""

    @property
    def _file(self) -> File:
        raise NotImplementedError

    def get(self, seq: int) -> Row | None:
        """One event."""
        found = self._file.read(lambda db: db.execute(SQL["get"], (seq,)).fetchone())
        return self._row(found) if found else None

    def end(self) -> Cursor:
        """The last seq that was given, whether or not its event is still there."""
        last: int = self._file.read(lambda db: db.execute(SQL["end"]).fetchone())[0]
        return str(last)

    def replay(
        self,
        seqs: Sequence[int],
        *,
        by: AuditContext,
        as_new: bool = False,
        now: datetime,
        due_at: datetime | None = None,
    ) -> ChangeResult:
        """Settled events become pending again."""
        told = {"as_new": int(as_new), "due_at": micros(due_at or now)}
        return self._change("replay", seqs, told, by, now, {"as_new": as_new} if as_new else {})

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> ChangeResult:
        """Events that are not delivered become dropped."""
        return self._change("drop", seqs, {"droppable": records.json(DROPPABLE)}, by, now, {})

    def load(self, rows: Iterable[Row]) -> AppendResult:
        """Rows of another journal, as they stand."""
        try:
            told = [records.loaded(row, self._seal) for row in rows]
        except BAD_VALUE as error:
            raise records.refused("an event", error) from error
        before, after = self._file.write(lambda db: _insert_all(db, told))
        return AppendResult(after - before, len(told) - (after - before))

    def reencrypt(self, *, after: Cursor = "", limit: int = 500, dry_run: bool = False) -> ReencryptResult:
        """Seal some rows anew, in one transaction; what they held before is overwritten."""
        told = (_place(after), limit)
        if dry_run:
            return self._file.read(lambda db: _reseal(db, told, self._seal, write=False))
        return self._file.write(lambda db: _reseal(db, told, self._seal, write=True))

    def audit(self, action: str, detail: Mapping[str, Any], *, by: AuditContext, now: datetime) -> None:
        """Add a line to the audit log."""
        self._file.write(lambda db: _audit(db, action, (), detail, by, now))

    def audits(self, *, event: tuple[str, str] | None = None, before: int = 0, limit: int = 100) -> list[AuditEntry]:
        """The audit log, newest first."""
        told = {"event": "/".join(event or ()), "before": before, "limit": limit}
        found = self._file.read(lambda db: db.execute(SQL["audits"], told).fetchall())
        return [records.audited(record) for record in found]

    def _change(
        self,
        name: str,
        seqs: Sequence[int],
        told: dict[str, Any],
        by: AuditContext,
        now: datetime,
        detail: Mapping[str, Any],
    ) -> ChangeResult:
        told = {**told, **records.acted(by), "seqs": records.json(seqs), "now": micros(now), "most": HISTORY}

        def work(db: sqlite3.Connection) -> int:
            changed = sorted(db.execute(SQL[name], told).fetchall(), key=lambda record: record["seq"])
            if changed:
                names = [f"{record['source']}/{record['event_key']}" for record in changed]
                _audit(db, name, names, detail, by, now)
            return len(changed)

        changed = self._file.write(work)
        return ChangeResult(changed, len(set(seqs)) - changed)

    def _page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Any]:
        place = _place(after) or (_BEHIND_ALL if newest_first else 0)

        def work(db: sqlite3.Connection) -> list[Any]:
            seqs = Selection(db, filter).page(place, limit, newest_first=newest_first)
            return db.execute(SQL["those"], (records.json(seqs),)).fetchall()

        found = self._file.read(work)
        return found[::-1] if newest_first else found

    def _row(self, record: Any) -> Row:
        return records.row(record, self._seal)

    def _cursor(self, record: Any) -> Cursor:
        return str(record["seq"])

    def _all(self, name: str, filter: Filter) -> list[Any]:
        def work(db: sqlite3.Connection) -> list[Any]:
            selection = Selection(db, filter)
            if name == "kinds":
                return selection.event_groups()
            return [(found,) for found in ([selection.count()] if name == "count" else selection.seqs())]

        return self._file.read(work)


def _place(cursor: Cursor) -> int:
    if not cursor:
        return 0
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        return int(cursor)
    raise JournalError(f"{cursor!r} is no cursor of this journal", hint="Give one that this journal printed.")


def _insert_all(db: sqlite3.Connection, told: Sequence[records.Params]) -> tuple[int, int]:
    before = db.total_changes
    db.executemany(SQL["load"], told)
    return before, db.total_changes


def _audit(
    db: sqlite3.Connection,
    action: str,
    events: Sequence[str],
    detail: Mapping[str, Any],
    by: AuditContext,
    now: datetime,
) -> None:
    told = {"at": micros(now), "action": action, "events": records.json(events), "detail": records.json(detail)}
    db.execute(SQL["audit"], {**told, **records.acted(by)})


def _reseal(db: sqlite3.Connection, told: tuple[int, int], seal: Encryption, *, write: bool) -> ReencryptResult:
    if write:
        db.execute("PRAGMA secure_delete = ON")
    found = db.execute(SQL["sealed"], told).fetchall()

    def change(_: Any, params: records.Params) -> None:
        if write:
            db.execute(SQL["reseal"], params)

    after = str(found[-1]["seq"]) if found else ""
    return records.reseal(found, seal, change, limit=told[1], after=after)
