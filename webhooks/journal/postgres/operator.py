"""What an operator asks of the PostgreSQL journal and does to it."""

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
_BEHIND_ALL: Final = (1 << 63) - 1
SETTLED: Final = tuple(state for state in State if state is not State.PENDING)
"""What `replay` changes."""


class PostgresOperations(TextSearch):
    """The half of `PostgresJournal` that is for people.

    Its order is that of the transactions that stored, and within one that of `seq`; a cursor is `transaction-seq`.
    """

    def _write(self, work: Any) -> Any:
        raise NotImplementedError

    def _read(self, work: Any) -> Any:
        raise NotImplementedError

    def _here(self) -> int:
        raise NotImplementedError

    def get(self, seq: int) -> Row | None:
        """One event."""
        return self._one("get", {"seq": seq})

    def find(self, source: str, key: str) -> Row | None:
        """One event."""
        if not (columns.is_text(source) and columns.is_text(key)):
            return None
        return self._one("find", {"source": source, "event_key": key})

    def end(self) -> Cursor:
        """The last place that cannot have another come to lie before it."""

        def work(db: Connection) -> Cursor:
            found: Cursor = db.one(SQL["end"], _horizon(db))["coalesce"]
            return found

        told: Cursor = self._read(work)
        return told

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
        told = self._told(seqs, by, now) | {"as_new": int(as_new), "due_at": micros(due_at or now)}

        def work(db: Connection) -> int:
            changed = _all_of(db, told, SETTLED, lambda some: db.all(SQL["replay"], some))
            _note_act(db, "replay", changed, {"as_new": as_new} if as_new else {}, by, now)
            return len(changed)

        changed = self._write(work)
        return ChangeResult(changed, len(set(seqs)) - changed)

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> ChangeResult:
        """Events that are not delivered become dropped."""
        told = self._told(seqs, by, now) | {"droppable": [state.value for state in DROPPABLE]}

        def drop(db: Connection, some: Mapping[str, Any]) -> list[Any]:
            changed = db.all(SQL["drop"], some)
            if changed:
                names = ("segment", "seq", "source", "state", "attempts", "edition", "history")
                db.execute(SQL["dropped"], {**some} | {name: [each[name] for each in changed] for name in names})
            return changed

        def work(db: Connection) -> int:
            changed = _all_of(db, told, DROPPABLE, lambda some: drop(db, some))
            _note_act(db, "drop", changed, {}, by, now)
            return len(changed)

        changed = self._write(work)
        return ChangeResult(changed, len(set(seqs)) - changed)

    def load(self, rows: Iterable[Row]) -> AppendResult:
        """Rows of another journal, as they stand."""
        try:
            given = [records.loaded(row, self._seal) for row in rows]
            told = columns.stored(given) if given else {}
        except BAD_VALUE as error:
            raise records.refused("an event", error) from error

        def work(db: Connection) -> int:
            db.execute(SQL["share_segments"])
            return len(store(db, told, self._here()))

        new = self._write(work) if given else 0
        return AppendResult(new, len(given) - new)

    def reencrypt(self, *, after: Cursor = "", limit: int = 500, dry_run: bool = False) -> ReencryptResult:
        """Seal some rows anew, in one transaction; what they held before goes with the next vacuum."""
        told = {"after_seq": columns.place(after)["after_seq"], "limit": limit}
        work = self._read if dry_run else self._write
        found: ReencryptResult = work(lambda db: _reseal(db, told, self._seal, write=not dry_run))
        return found

    def audit(self, action: str, detail: Mapping[str, Any], *, by: AuditContext, now: datetime) -> None:
        """Add a line to the audit log."""
        self._write(lambda db: _audit(db, action, (), detail, by, now))

    def audits(self, *, event: tuple[str, str] | None = None, before: int = 0, limit: int = 100) -> list[AuditEntry]:
        """The audit log, newest first."""
        told = {"event": "/".join(event or ()), "before": before, "limit": limit}
        return [records.audited(record) for record in self._read(lambda db: db.all(SQL["audits"], told))]

    def _told(self, seqs: Sequence[int], by: AuditContext, now: datetime) -> dict[str, Any]:
        given = {"seqs": list(seqs), "now": micros(now), "here": self._here(), "most": HISTORY}
        return given | records.acted(by)

    def _one(self, name: str, told: Mapping[str, Any]) -> Row | None:
        query = SQL[name].format(columns=SQL["columns"])
        found = self._read(lambda db: db.one(query, told))
        return self._row(found) if found else None

    def _row(self, record: Any) -> Row:
        return records.row(record, self._seal, record["cursor"])

    def _cursor(self, record: Any) -> Cursor:
        cursor: Cursor = record["cursor"]
        return cursor

    def _page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Any]:
        query, told = _query("rows_newest_first" if newest_first else "rows", filter)
        told |= {**columns.place(after), "limit": limit}
        told["before"] = told["after_seq"] or _BEHIND_ALL

        def work(db: Connection) -> Any:
            return db.all(query, told if newest_first else told | _horizon(db))

        found: list[Any] = self._read(work)
        return found

    def _all(self, name: str, filter: Filter) -> list[Any]:
        query, told = _query(name, filter)
        return [tuple(each.values()) for each in self._read(lambda db: db.all(query, told))]


def store(db: Connection, told: Mapping[str, Any], here: int) -> list[int]:
    """Store new events, in this transaction behind `share_segments`; the places (from 1) of those that were new."""
    return sorted(record["place"] for record in db.all(SQL["store"], {**told, "here": here}))


def _horizon(db: Connection) -> dict[str, str]:
    found: dict[str, str] = db.one(SQL["horizon"])
    return found


def _query(name: str, filter: Filter) -> tuple[str, dict[str, Any]]:
    told = columns.chosen(filter)
    where = " AND ".join(SQL[f"where {part}"] for part in told) or SQL["where"]
    return SQL[name].format(where=where, columns=SQL["columns"]), told


def _all_of(
    db: Connection, told: Mapping[str, Any], states: Sequence[State], change: Callable[[Mapping[str, Any]], list[Any]]
) -> list[Any]:
    """Change all that is in one of `states`. A statement that waited for another transaction still looks at the tables
    as they were before it, and so misses what that one moved: it is asked again, until nothing is missed.
    """
    changed: list[Any] = []
    left = told["seqs"]
    while left:
        changed += change({**told, "seqs": left})
        missed = db.all(SQL["missed"], {"seqs": told["seqs"], "states": [state.value for state in states]})
        left = [each["seq"] for each in missed]
    return sorted(changed, key=lambda each: each["seq"])


def _note_act(
    db: Connection, action: str, changed: Sequence[Any], detail: Mapping[str, Any], by: AuditContext, now: datetime
) -> None:
    if changed:
        _audit(db, action, [f"{each['source']}/{each['event_key']}" for each in changed], detail, by, now)


def _audit(
    db: Connection, action: str, events: Sequence[str], detail: Mapping[str, Any], by: AuditContext, now: datetime
) -> None:
    told = {"at": micros(now), "action": action, "events": records.json(events), "detail": records.json(detail)}
    db.execute(SQL["audit"], told | records.acted(by))


def _reseal(db: Connection, told: Mapping[str, Any], seal: Encryption, *, write: bool) -> ReencryptResult:
    found = db.all(SQL["sealed"].format(columns=SQL["columns"]), told)

    def change(record: Any, params: records.Params) -> None:
        if write:
            _resealed(db, record, params)

    after = f"0-{found[-1]['seq']}" if found else ""
    return records.reseal(found, seal, change, limit=told["limit"], after=after)


def _resealed(db: Connection, record: Any, params: records.Params) -> None:
    names = ("headers", "envelope", "body", "reason", "history", "seq")
    told = dict(zip(names, params, strict=True)) | {"segment": record["segment"]}
    for name in ("reseal_event", "reseal_waiting", "reseal_settled"):
        db.execute(SQL[name], told)
