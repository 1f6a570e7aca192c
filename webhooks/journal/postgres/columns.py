"""Events, settlements and filters as PostgreSQL's parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from webhooks.errors import JournalError
from webhooks.journal import records
from webhooks.journal.encryption import Encryption
from webhooks.journal.filter import Filter
from webhooks.journal.model import HISTORY, Cursor, Settlement
from webhooks.journal.records import Params, micros

_STORED: Final = (
    "source", "event_key", "type", "occurred_at", "received_at", "clock", "trust", "headers", "envelope", "body",
    "problem", "state", "due_at", "settled_at", "reason", "attempts", "edition", "history",
)  # fmt: skip
"""In the order of `records.loaded`; `records.new` leaves out the last three."""
_NEW: Final = (0, 0, "[]")


def stored(rows: Sequence[Params]) -> dict[str, list[Any]]:
    """For `store`: a list for each column. What is due at once has been due since it was received."""
    whole = [row if len(row) == len(_STORED) else (*row, *_NEW) for row in rows]
    told = {name: list(values) for name, values in zip(_STORED, zip(*whole, strict=True), strict=True)}
    told["due_at"] = [due or received for due, received in zip(told["due_at"], told["received_at"], strict=True)]
    for name in ("source", "event_key", "type", "clock", "trust"):
        for value in told[name]:
            if not isinstance(value, str) or "\0" in value:
                raise ValueError(f"{str(value)[:80]!r} cannot be a text of PostgreSQL")
    for body in told["body"]:
        if not isinstance(body, bytes):
            raise TypeError(f"{type(body).__name__} is no body")
    return told


def settled(settlements: Iterable[Settlement], now: Any, seal: Encryption) -> dict[str, Any]:
    """For `settle`."""
    told = [records.settled(settlement, now, seal) for settlement in settlements]
    for each in told:
        each["due_at"] = micros(now) if each["due_at"] == records.AT_ONCE else each["due_at"]
    return {**{name: [each[name] for each in told] for name in (told[0] if told else ())}, "most": HISTORY}


def chosen(filter: Filter) -> dict[str, Any]:
    """The parts of a filter that are given, but the text."""
    told: dict[str, Any] = {}
    if filter.states:
        told["states"] = [state.value for state in filter.states]
    if filter.sources:
        told["sources"] = [_like(each) for each in filter.sources if is_text(each)]
    if filter.types:
        told["types"] = [_like(each) for each in filter.types if is_text(each)]
    if filter.keys:
        told["keys"] = [each for each in filter.keys if is_text(each)]
    if filter.seqs is not None:
        told["seqs"] = list(filter.seqs)
    return told | records.spans(filter)


def is_text(value: str) -> bool:
    """Whether PostgreSQL can hold it: what it cannot hold is not there."""
    return records.text(value) == value


def place(cursor: Cursor) -> Mapping[str, Any]:
    """`after_tx` and `after_seq` of a cursor."""
    tx, dash, seq = (cursor or "0-0").partition("-")
    if dash and _whole(tx) and _whole(seq):
        return {"after_tx": tx, "after_seq": int(seq)}
    raise JournalError(f"{cursor!r} is no cursor of this journal", hint="Give one that this journal printed.")


def _whole(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _like(pattern: str) -> str:
    """`*` is the only sign that a filter knows."""
    for sign in ("\\", "%", "_"):
        pattern = pattern.replace(sign, "\\" + sign)
    return pattern.replace("*", "%")
