"""Queries and changes of the PostgreSQL journal by an operator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

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
    State,
)
from webhooks.journal.postgres import columns
from webhooks.journal.postgres.connections import BAD_VALUE, Connection
from webhooks.journal.records import micros
from webhooks.journal.text_search import TextSearch

SQL: Final = queries.load("postgres/queries")
_PAST_THE_END: Final = (1 << 63) - 1
SETTLED: Final = tuple(state for state in State if state is not State.PENDING)
"""The states that `replay` changes."""


class PostgresOperations(TextSearch):
    """The methods of `PostgresJournal` for operators.

    Events are in the order of the transactions that stored them, then of `seq`; a cursor is `transaction-seq`.
    """

    def _write(self, work: Any) -> Any:
        raise NotImplementedError

    def _read(self, work: Any) -> Any:
        raise NotImplementedError

    def _wall(self) -> int:
        raise NotImplementedError

    def get(self, seq: int) -> Row | None:
        """Return an event."""
        return self._one("get", {"seq": seq})

    def find(self, source: str, key: str) -> Row | None:
        """Return an event."""
        if not (columns.is_text(source) and columns.is_text(key)):
            return None
        return self._one("find", {"source": source, "event_key": key})

    def end(self) -> Cursor:
        """Return the last position before which no event can be added."""

        def work(db: Connection) -> Cursor:
            cursor: Cursor = db.one(SQL["end"], _horizon(db))["coalesce"]
            return cursor

        end: Cursor = self._read(work)
        return end

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
        params = self._change_params(seqs, by, now) | {"as_new": int(as_new), "due_at": micros(due_at or now)}

        def work(db: Connection) -> int:
            changed = _change_all(db, params, SETTLED, lambda some: db.all(SQL["replay"], some))
            _audit_change(db, "replay", changed, {"as_new": as_new} if as_new else {}, by, now)
            return len(changed)

        changed = self._write(work)
        return ChangeResult(changed, len(set(seqs)) - changed)

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> ChangeResult:
        """Drop events that are not delivered."""
        params = self._change_params(seqs, by, now) | {"droppable": [state.value for state in DROPPABLE]}

        def drop(db: Connection, some: Mapping[str, Any]) -> list[Any]:
            changed = db.all(SQL["drop"], some)
            if changed:
                names = ("segment", "seq", "source", "state", "attempts", "edition", "history")
                db.execute(SQL["dropped"], {**some} | {name: [record[name] for record in changed] for name in names})
            return changed

        def work(db: Connection) -> int:
            changed = _change_all(db, params, DROPPABLE, lambda some: drop(db, some))
            _audit_change(db, "drop", changed, {}, by, now)
            return len(changed)

        changed = self._write(work)
        return ChangeResult(changed, len(set(seqs)) - changed)

    def load(self, rows: Iterable[Row]) -> AppendResult:
        """Store rows of another journal unchanged."""
        try:
            loaded = [records.load_params(row, self._encryption) for row in rows]
            params = columns.store_params(loaded) if loaded else {}
        except BAD_VALUE as error:
            raise records.unstorable("an event", error) from error

        def work(db: Connection) -> int:
            db.execute(SQL["share_partitions"])
            return len(store(db, params, self._wall()))

        new = self._write(work) if loaded else 0
        return AppendResult(new, len(loaded) - new)

    def reencrypt(self, *, after: Cursor = "", limit: int = 500, dry_run: bool = False) -> ReencryptResult:
        """Encrypt some rows again, in one transaction; the next vacuum removes the previous versions."""
        params = {"after_seq": columns.cursor_params(after)["after_seq"], "limit": limit}
        work = self._read if dry_run else self._write
        result: ReencryptResult = work(lambda db: _reencrypt(db, params, self._encryption, write=not dry_run))
        return result

    def audit(self, action: str, detail: Mapping[str, Any], *, by: AuditContext, now: datetime) -> None:
        """Add a line to the audit log."""
        self._write(lambda db: _audit(db, action, (), detail, by, now))

    def audits(self, *, event: tuple[str, str] | None = None, before: int = 0, limit: int = 100) -> list[AuditEntry]:
        """Return the audit log, newest first."""
        params = {"event": "/".join(event or ()), "before": before, "limit": limit}
        return [records.audit_entry(record) for record in self._read(lambda db: db.all(SQL["audits"], params))]

    def _change_params(self, seqs: Sequence[int], by: AuditContext, now: datetime) -> dict[str, Any]:
        params = {"seqs": list(seqs), "now": micros(now), "wall": self._wall(), "most": HISTORY}
        return params | records.audit_params(by)

    def _one(self, name: str, params: Mapping[str, Any]) -> Row | None:
        query = SQL[name].format(columns=SQL["columns"])
        record = self._read(lambda db: db.one(query, params))
        return self._row(record) if record else None

    def _row(self, record: Any) -> Row:
        return records.row(record, self._encryption, record["cursor"])

    def _cursor(self, record: Any) -> Cursor:
        cursor: Cursor = record["cursor"]
        return cursor

    def _page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Any]:
        query, params = _query("rows_newest_first" if newest_first else "rows", filter)
        params |= {**columns.cursor_params(after), "limit": limit}
        params["before"] = params["after_seq"] or _PAST_THE_END

        def work(db: Connection) -> Any:
            return db.all(query, params if newest_first else params | _horizon(db))

        page: list[Any] = self._read(work)
        return page

    def _all(self, name: str, filter: Filter) -> list[Any]:
        query, params = _query(name, filter)
        return [tuple(record.values()) for record in self._read(lambda db: db.all(query, params))]


def store(db: Connection, params: Mapping[str, Any], wall: int) -> list[int]:
    """Store new events, in a transaction after `share_partitions`; return the places (from 1) of the new ones."""
    return sorted(record["place"] for record in db.all(SQL["store"], {**params, "wall": wall}))


def _horizon(db: Connection) -> dict[str, str]:
    horizon: dict[str, str] = db.one(SQL["horizon"])
    return horizon


def _query(name: str, filter: Filter) -> tuple[str, dict[str, Any]]:
    params = columns.filter_params(filter)
    where = " AND ".join(SQL[f"where {part}"] for part in params) or SQL["where"]
    return SQL[name].format(where=where, columns=SQL["columns"]), params


def _change_all(
    db: Connection, params: Mapping[str, Any], states: Sequence[State], change: Callable[[Mapping[str, Any]], list[Any]]
) -> list[Any]:
    """Change all events in one of `states`. A statement that waited for another transaction still sees the tables as
    they were before it, and so misses events that the other one moved: repeat until none is missed.
    """
    changed: list[Any] = []
    left = params["seqs"]
    while left:
        changed += change({**params, "seqs": left})
        missed = db.all(SQL["missed"], {"seqs": params["seqs"], "states": [state.value for state in states]})
        left = [record["seq"] for record in missed]
    return sorted(changed, key=lambda record: record["seq"])


def _audit_change(
    db: Connection, action: str, changed: Sequence[Any], detail: Mapping[str, Any], by: AuditContext, now: datetime
) -> None:
    if changed:
        _audit(db, action, [f"{record['source']}/{record['event_key']}" for record in changed], detail, by, now)


def _audit(
    db: Connection, action: str, events: Sequence[str], detail: Mapping[str, Any], by: AuditContext, now: datetime
) -> None:
    params = {"at": micros(now), "action": action, "events": records.json(events), "detail": records.json(detail)}
    db.execute(SQL["audit"], params | records.audit_params(by))


def _reencrypt(db: Connection, params: Mapping[str, Any], encryption: Encryption, *, write: bool) -> ReencryptResult:
    page = db.all(SQL["page_to_reencrypt"].format(columns=SQL["columns"]), params)

    def change(record: Any, params: records.Params) -> None:
        if write:
            _write_reencrypted(db, record, params)

    after = f"0-{page[-1]['seq']}" if page else ""
    return records.reencrypt(page, encryption, change, limit=params["limit"], after=after)


def _write_reencrypted(db: Connection, record: Any, params: records.Params) -> None:
    names = ("headers", "envelope", "body", "reason", "history", "seq")
    columns_ = dict(zip(names, params, strict=True)) | {"segment": record["segment"]}
    for name in ("reencrypt_event", "reencrypt_waiting", "reencrypt_settled"):
        db.execute(SQL[name], columns_)
