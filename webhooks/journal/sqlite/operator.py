"""Queries and changes of the SQLite journal by an operator: select, read, replay, drop, load, audit."""

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
_PAST_THE_END: Final = (1 << 63) - 1


class JournalFile(Protocol):
    """The file interface that the journal uses."""

    stats: Stats
    run: Runner

    def read(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Return the result of some queries."""
        ...

    def write(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run one durable transaction in a thread that may block."""
        ...

    def transact(self, work: Callable[[sqlite3.Connection], R]) -> R:
        """Run one durable transaction in the calling thread."""
        ...

    def free(self) -> int:
        """Return the free bytes on its disk."""
        ...

    def size(self) -> int:
        """Return its size in bytes."""
        ...

    def close(self) -> None:
        """Close the file; it may be used again."""
        ...

    def abandon(self) -> None:
        """In the child of a fork: do not touch the parent's connections."""
        ...


class SqliteOperations(TextSearch):
    """The methods of `SqliteJournal` for operators. Events are in the order of `seq`, which is that of the commits."""

    @property
    def _file(self) -> JournalFile:
        raise NotImplementedError

    def get(self, seq: int) -> Row | None:
        """Return an event."""
        record = self._file.read(lambda db: db.execute(SQL["get"], (seq,)).fetchone())
        return self._row(record) if record else None

    def end(self) -> Cursor:
        """Return the last seq assigned, even if its event was deleted."""
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
        """Make settled events pending again."""
        params = {"as_new": int(as_new), "due_at": micros(due_at or now)}
        return self._change("replay", seqs, params, by, now, {"as_new": as_new} if as_new else {})

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> ChangeResult:
        """Drop events that are not delivered."""
        return self._change("drop", seqs, {"droppable": records.json(DROPPABLE)}, by, now, {})

    def load(self, rows: Iterable[Row]) -> AppendResult:
        """Store rows of another journal unchanged."""
        try:
            params = [records.load_params(row, self._encryption) for row in rows]
        except BAD_VALUE as error:
            raise records.unstorable("an event", error) from error
        before, after = self._file.write(lambda db: _insert_all(db, params))
        return AppendResult(after - before, len(params) - (after - before))

    def reencrypt(self, *, after: Cursor = "", limit: int = 500, dry_run: bool = False) -> ReencryptResult:
        """Encrypt some rows again, in one transaction; their previous content is overwritten."""
        params = (_place(after), limit)
        if dry_run:
            return self._file.read(lambda db: _reencrypt(db, params, self._encryption, write=False))
        return self._file.write(lambda db: _reencrypt(db, params, self._encryption, write=True))

    def audit(self, action: str, detail: Mapping[str, Any], *, by: AuditContext, now: datetime) -> None:
        """Add a line to the audit log."""
        self._file.write(lambda db: _audit(db, action, (), detail, by, now))

    def audits(self, *, event: tuple[str, str] | None = None, before: int = 0, limit: int = 100) -> list[AuditEntry]:
        """Return the audit log, newest first."""
        params = {"event": "/".join(event or ()), "before": before, "limit": limit}
        lines = self._file.read(lambda db: db.execute(SQL["audits"], params).fetchall())
        return [records.audit_entry(record) for record in lines]

    def _change(
        self,
        name: str,
        seqs: Sequence[int],
        params: dict[str, Any],
        by: AuditContext,
        now: datetime,
        detail: Mapping[str, Any],
    ) -> ChangeResult:
        params = {**params, **records.audit_params(by), "seqs": records.json(seqs), "now": micros(now), "most": HISTORY}

        def work(db: sqlite3.Connection) -> int:
            changed = sorted(db.execute(SQL[name], params).fetchall(), key=lambda record: record["seq"])
            if changed:
                names = [f"{record['source']}/{record['event_key']}" for record in changed]
                _audit(db, name, names, detail, by, now)
            return len(changed)

        changed = self._file.write(work)
        return ChangeResult(changed, len(set(seqs)) - changed)

    def _page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Any]:
        place = _place(after) or (_PAST_THE_END if newest_first else 0)

        def work(db: sqlite3.Connection) -> list[Any]:
            seqs = Selection(db, filter).page(place, limit, newest_first=newest_first)
            return db.execute(SQL["rows_by_seq"], (records.json(seqs),)).fetchall()

        page = self._file.read(work)
        return page[::-1] if newest_first else page

    def _row(self, record: Any) -> Row:
        return records.row(record, self._encryption)

    def _cursor(self, record: Any) -> Cursor:
        return str(record["seq"])

    def _all(self, name: str, filter: Filter) -> list[Any]:
        def work(db: sqlite3.Connection) -> list[Any]:
            selection = Selection(db, filter)
            if name == "event_groups":
                return selection.event_groups()
            return [(value,) for value in ([selection.count()] if name == "count" else selection.seqs())]

        return self._file.read(work)


def _place(cursor: Cursor) -> int:
    if not cursor:
        return 0
    if cursor.isascii() and cursor.isdigit() and len(cursor) < 19:
        return int(cursor)
    raise JournalError(f"{cursor!r} is no cursor of this journal", hint="Give a cursor that this journal returned.")


def _insert_all(db: sqlite3.Connection, params: Sequence[records.Params]) -> tuple[int, int]:
    before = db.total_changes
    db.executemany(SQL["load"], params)
    return before, db.total_changes


def _audit(
    db: sqlite3.Connection,
    action: str,
    events: Sequence[str],
    detail: Mapping[str, Any],
    by: AuditContext,
    now: datetime,
) -> None:
    params = {"at": micros(now), "action": action, "events": records.json(events), "detail": records.json(detail)}
    db.execute(SQL["audit"], {**params, **records.audit_params(by)})


def _reencrypt(
    db: sqlite3.Connection, params: tuple[int, int], encryption: Encryption, *, write: bool
) -> ReencryptResult:
    if write:
        db.execute("PRAGMA secure_delete = ON")
    page = db.execute(SQL["page_to_reencrypt"], params).fetchall()

    def change(_: Any, params: records.Params) -> None:
        if write:
            db.execute(SQL["reencrypt"], params)

    after = str(page[-1]["seq"]) if page else ""
    return records.reencrypt(page, encryption, change, limit=params[1], after=after)
