"""Events, settlements and filters as PostgreSQL's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from webhooks.journal import records
from webhooks.journal.filter import Filter
from webhooks.journal.model import HISTORY, Cursor
from webhooks.journal.records import Params, micros

_STORED: Final = (
    "source", "event_key", "type", "occurred_at", "received_at", "clock", "trust", "headers", "envelope", "body",
    "problem", "state", "due_at", "settled_at", "reason", "attempts", "edition", "history",
)  # fmt: skip
"""In the order of `records.load_params`; `records.append_params` leaves out the last three."""
_NEW: Final = (0, 0, "[]")


def store_params(rows: Sequence[Params]) -> dict[str, list[Any]]:
    """Return a list for each column, for `store`. An event due at once is due since it was received."""
    whole = [row if len(row) == len(_STORED) else (*row, *_NEW) for row in rows]
    columns = {name: list(values) for name, values in zip(_STORED, zip(*whole, strict=True), strict=True)}
    columns["due_at"] = [
        due or received for due, received in zip(columns["due_at"], columns["received_at"], strict=True)
    ]
    for name in ("source", "event_key", "type", "clock", "trust"):
        for value in columns[name]:
            if not isinstance(value, str) or "\0" in value:
                raise ValueError(f"{str(value)[:80]!r} cannot be a text of PostgreSQL")
    for body in columns["body"]:
        if not isinstance(body, bytes):
            raise TypeError(f"{type(body).__name__} is no body")
    return columns


def settle_params(ended: Sequence[dict[str, Any]], now: datetime) -> dict[str, Any]:
    """Return a list for each column, for `settle`. What is due at once is due from now on."""
    due_at = [micros(now) if row["due_at"] == records.AT_ONCE else row["due_at"] for row in ended]
    return {name: [row[name] for row in ended] for name in ended[0]} | {"due_at": due_at, "most": HISTORY}


def filter_params(filter: Filter) -> dict[str, Any]:
    """Return the conditions of a filter without its text."""
    return records.filter_params(filter, pattern=_like, can_exist=is_text)


def is_text(value: str) -> bool:
    """Return whether PostgreSQL can store the text; if not, no row contains it."""
    return records.text(value) == value


def cursor_params(cursor: Cursor) -> Mapping[str, Any]:
    """Return `after_tx` and `after_seq` of a cursor."""
    tx, dash, seq = (cursor or "0-0").partition("-")
    if not (dash and records.is_position(tx) and records.is_position(seq)):
        raise records.foreign_cursor(cursor)
    return {"after_tx": tx, "after_seq": int(seq)}


def _like(pattern: str) -> str:
    """Return a LIKE pattern: of special characters a filter has only `*`."""
    for sign in ("\\", "%", "_"):
        pattern = pattern.replace(sign, "\\" + sign)
    return pattern.replace("*", "%")
