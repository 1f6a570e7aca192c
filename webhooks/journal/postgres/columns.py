"""Events, settlements and filters as PostgreSQL's parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from webhooks.errors import JournalError
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
    params: dict[str, Any] = {}
    if filter.states:
        params["states"] = [state.value for state in filter.states]
    if filter.sources:
        params["sources"] = [_like(source) for source in filter.sources if is_text(source)]
    if filter.types:
        params["types"] = [_like(type_) for type_ in filter.types if is_text(type_)]
    if filter.keys:
        params["keys"] = [key for key in filter.keys if is_text(key)]
    if filter.seqs is not None:
        params["seqs"] = list(filter.seqs)
    return params | records.time_params(filter)


def is_text(value: str) -> bool:
    """Return whether PostgreSQL can store the text; if not, no row contains it."""
    return records.text(value) == value


def cursor_params(cursor: Cursor) -> Mapping[str, Any]:
    """Return `after_tx` and `after_seq` of a cursor."""
    tx, dash, seq = (cursor or "0-0").partition("-")
    if dash and _whole(tx) and _whole(seq):
        return {"after_tx": tx, "after_seq": int(seq)}
    raise JournalError(f"{cursor!r} is no cursor of this journal", hint="Give a cursor that this journal returned.")


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _like(pattern: str) -> str:
    """Return a LIKE pattern: of special characters a filter has only `*`."""
    for sign in ("\\", "%", "_"):
        pattern = pattern.replace(sign, "\\" + sign)
    return pattern.replace("*", "%")
