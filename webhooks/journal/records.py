"""An event as a row and back. Times are integer microseconds since 1970, UTC."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from sqlite3 import Row as Record
from typing import Any, Final

import msgspec

from translators.kit import Event
from translators.kit.times import EPOCH
from webhooks.journal.protocol import Row, Settlement, State

Params = tuple[Any, ...]
_MICRO: Final = timedelta(microseconds=1)
_encode: Final = msgspec.json.Encoder().encode
_texts: Final = msgspec.json.Decoder(dict[str, str])
_NOTHING: Final[Mapping[str, str]] = {}


def micros(moment: datetime) -> int:
    """To the column."""
    return (moment - EPOCH) // _MICRO


def moment(micros: int) -> datetime:
    """From the column."""
    return EPOCH + timedelta(microseconds=micros)


def json(value: Any) -> str:
    """To a column of JSON."""
    return _encode(value).decode()


def new(event: Event, now: datetime) -> Params:
    """For `append`."""
    state = State.DEAD if event.problem else State.PENDING
    at = micros(now)
    return (
        event.source, event.key, event.type, micros(event.occurred_at), micros(event.received_at), event.clock,
        event.trust, json(event.headers), json(event.envelope), event.raw, event.problem, state.value, at,
        at if event.problem else None, event.problem,
    )  # fmt: skip


def settled(settlement: Settlement, now: datetime) -> Params:
    """For `settle`."""
    pending = settlement.state is State.PENDING
    due = settlement.due_at or now
    return (
        settlement.state.value, settlement.reason, None if pending else micros(now), micros(due),
        int(settlement.attempt), settlement.claim.seq, settlement.claim.lease,
    )  # fmt: skip


def event(record: Record) -> Event:
    """The event that was given to `append`, without its options."""
    return Event(
        source=record["source"],
        key=record["event_key"],
        type=record["type"],
        occurred_at=moment(record["occurred_at"]),
        received_at=moment(record["received_at"]),
        clock=record["clock"],
        trust=record["trust"],
        raw=record["body"],
        headers=_kept(record["headers"]),
        envelope=_kept(record["envelope"]),
        problem=record["problem"],
    )


def row(record: Record) -> Row:
    """The event as it stands."""

    def maybe(name: str) -> datetime | None:
        return None if record[name] is None else moment(record[name])

    return Row(
        seq=record["seq"],
        event=event(record),
        state=State(record["state"]),
        attempts=record["attempts"],
        due_at=maybe("due_at"),
        leased_until=maybe("leased_until"),
        settled_at=maybe("settled_at"),
        reason=record["reason"],
    )


def _kept(text: str) -> Mapping[str, str]:
    return _texts.decode(text) if text != "{}" else _NOTHING
