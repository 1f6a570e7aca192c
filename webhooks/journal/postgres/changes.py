"""Changes of stored events on PostgreSQL by an operator, each in a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from webhooks.journal import queries, records
from webhooks.journal.encryption import Encryption
from webhooks.journal.model import DROPPABLE, HISTORY, AuditContext, ReencryptResult, State
from webhooks.journal.postgres.connections import Connection
from webhooks.journal.records import micros

SQL: Final = queries.load("postgres/queries")
SETTLED: Final = tuple(state for state in State if state is not State.PENDING)
"""The states that `replay` changes."""


def params(seqs: Sequence[int], by: AuditContext, now: datetime, wall: int) -> dict[str, Any]:
    """Return the parameters that `replay` and `drop` share. `wall` is this machine's clock."""
    params = {"seqs": list(seqs), "now": micros(now), "wall": wall, "most": HISTORY}
    return params | records.audit_params(by)


def replay(db: Connection, params: Mapping[str, Any], by: AuditContext, now: datetime, *, as_new: bool) -> int:
    """Make settled events pending again; return how many."""
    changed = _change_all(db, params, SETTLED, lambda some: db.all(SQL["replay"], some))
    _audit_change(db, "replay", changed, {"as_new": as_new} if as_new else {}, by, now)
    return len(changed)


def drop(db: Connection, params: Mapping[str, Any], by: AuditContext, now: datetime) -> int:
    """Drop events that are not delivered; return how many."""
    droppable = {"droppable": [state.value for state in DROPPABLE]}
    changed = _change_all(db, {**params, **droppable}, DROPPABLE, lambda some: _drop(db, some))
    _audit_change(db, "drop", changed, {}, by, now)
    return len(changed)


def _drop(db: Connection, params: Mapping[str, Any]) -> list[Any]:
    changed = db.all(SQL["drop"], params)
    if changed:
        names = ("segment", "seq", "source", "state", "attempts", "edition", "history")
        db.execute(SQL["dropped"], {**params} | {name: [record[name] for record in changed] for name in names})
    return changed


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
        db.execute(SQL["audit"], records.audit_line(action, changed, detail, by, now))


def reencrypt(db: Connection, params: Mapping[str, Any], encryption: Encryption, *, write: bool) -> ReencryptResult:
    """Encrypt a page of rows again, unless it only counts them."""
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
