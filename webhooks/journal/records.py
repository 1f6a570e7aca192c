"""An event as a row and back. Times are integer microseconds since 1970, UTC."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from translators.kit import Event
from translators.kit.times import EPOCH
from webhooks.errors import JournalError
from webhooks.journal.encryption import Content, Encryption, Undecryptable, sealed_with
from webhooks.journal.filter import Filter
from webhooks.journal.model import (
    Attempt,
    AuditContext,
    AuditEntry,
    Claim,
    Cursor,
    ReencryptResult,
    Row,
    Settlement,
    State,
)

Params = tuple[Any, ...]
Record = Any
"""A row of a store: `record[name]`."""
AT_ONCE: Final = 0
"""Due by any clock, one that was an hour ahead for a while too."""
_MICRO: Final = timedelta(microseconds=1)
_encode: Final = msgspec.json.Encoder().encode
_texts: Final = msgspec.json.Decoder(dict[str, str])
_entries: Final = msgspec.json.Decoder(list[tuple[int, str, str, str]])
_names: Final = msgspec.json.Decoder(tuple[str, ...])
LONGEST_KEY: Final = 2000
"""Bytes of an event's key: PostgreSQL holds up to 2,704 in a line of an index, with the source beside it."""
_TOKEN: Final = 200
_REASON: Final = 500
"""Characters of a reason that the history keeps."""
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


def due(at: datetime | None) -> int:
    """To the column; None is at once."""
    return AT_ONCE if at is None else micros(at)


def new(event: Event, now: datetime, seal: Encryption) -> Params:
    """For `append`. `ValueError` for what not every store could hold."""
    for name in (event.source, event.key, event.type):
        if "\0" in name:
            raise ValueError(f"{name[:80]!r} holds a NUL")
    if len(event.key) > LONGEST_KEY // 4 and len(event.key.encode()) > LONGEST_KEY:
        raise ValueError(f"its key has {len(event.key.encode())} bytes, and at most {LONGEST_KEY} are stored")
    problem = text(event.problem)
    state = State.DEAD if event.problem else State.PENDING
    at = micros(now)
    return (
        event.source, event.key, event.type, micros(event.occurred_at), micros(event.received_at), event.clock,
        event.trust, *_shut(event, seal), problem, state.value, AT_ONCE,
        at if problem else None, problem,
    )  # fmt: skip


def text(value: str) -> str:
    """A reason as every store can hold it: a traceback may quote anything."""
    return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def token(value: str) -> str:
    """A one-time token as every store can hold it: one that is long, or no plain text, by its digest."""
    if len(value) <= _TOKEN and text(value) == value:
        return value
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def refused(what: str, error: Exception) -> JournalError:
    """What cannot be stored, whatever becomes of the store."""
    return JournalError(f"{what} cannot be stored: {error}", hint="Its translator gave a value of a wrong kind.")


def settled(settlement: Settlement, now: datetime, seal: Encryption) -> dict[str, Any]:
    """For `settle`."""
    pending = settlement.state is State.PENDING
    reason = text(seal.quiet(settlement.reason))
    entry = (micros(now), text(settlement.claim.worker), settlement.state.value, reason[:_REASON])
    return {
        "seq": settlement.claim.seq,
        "lease": settlement.claim.lease,
        "state": settlement.state.value,
        "reason": reason,
        "settled_at": None if pending else micros(now),
        "due_at": due(settlement.due_at),
        "attempt": int(settlement.attempt),
        "eventful": int(settlement.eventful),
        "entry": json(entry) if settlement.attempt else "[]",
    }


def loaded(row: Row, seal: Encryption) -> Params:
    """For `load`."""
    if row.locked:
        raise ValueError(f"event {row.event.key} of {row.event.source} is {row.locked}")
    event, received = row.event, micros(row.event.received_at)
    history = [
        (micros(entry.at), text(entry.actor), text(entry.outcome), text(seal.quiet(entry.reason)))
        for entry in row.history
    ]
    return (
        event.source, event.key, event.type, micros(event.occurred_at), received, event.clock, event.trust,
        *_shut(event, seal), text(event.problem), row.state.value,
        received if row.due_at is None else micros(row.due_at),
        None if row.settled_at is None else micros(row.settled_at),
        text(seal.quiet(row.reason)), row.attempts, row.replay_generation, json(history),
    )  # fmt: skip


def acted(act: AuditContext) -> dict[str, Any]:
    """Who and why, for `replay`, `drop` and `audit`."""
    return {"who": text(act.actor), "reason": text(act.reason), "operation": text(act.operation)}


def audited(record: Record) -> AuditEntry:
    """A line of the audit log."""
    return AuditEntry(
        id=record["id"],
        at=moment(record["at"]),
        actor=record["who"],
        action=record["action"],
        reason=record["reason"],
        operation=record["operation"],
        events=_names.decode(record["events"]),
        detail=msgspec.json.decode(record["detail"]),
    )


def chosen(filter: Filter) -> dict[str, Any]:
    """The parts of a filter that are given, but the text."""
    lists = {
        "states": filter.states,
        "sources": [_glob(each) for each in filter.sources],
        "types": [_glob(each) for each in filter.types],
        "keys": filter.keys,
    }
    told: dict[str, Any] = {name: json(value) for name, value in lists.items() if value}
    if filter.seqs is not None:
        told["seqs"] = json(filter.seqs)
    return told | spans(filter)


def spans(filter: Filter) -> dict[str, int]:
    """The ends of time that a filter gives."""
    names = [f"{part}_{end}" for part in ("received", "occurred", "settled") for end in ("since", "until")]
    return {name: micros(at) for name in names if (at := getattr(filter, name)) is not None}


def _glob(pattern: str) -> str:
    """`*` is the only sign of SQLite's GLOB that a filter knows."""
    return pattern.replace("[", "[[]").replace("?", "[?]")


def _shut(event: Event, seal: Encryption) -> Content:
    return seal.shut(event.source, event.key, (json(event.headers), json(event.envelope), event.raw))


def _columns(record: Record) -> Content:
    return record["headers"], record["envelope"], record["body"]


def event(record: Record, seal: Encryption) -> tuple[Event, str]:
    """The event that was given to `append`, without its options; and why it is without content, where it is locked."""
    try:
        (headers, envelope, raw), locked = seal.open(record["source"], record["event_key"], _columns(record)), ""
    except Undecryptable as error:
        (headers, envelope, raw), locked = ("{}", "{}", b""), error.message
    found = Event(
        source=record["source"],
        key=record["event_key"],
        type=record["type"],
        occurred_at=moment(record["occurred_at"]),
        received_at=moment(record["received_at"]),
        clock=record["clock"],
        trust=record["trust"],
        raw=raw,
        headers=_kept(headers),
        envelope=_kept(envelope),
        problem=record["problem"],
    )
    return found, locked


def body(record: Record, seal: Encryption) -> bytes:
    """The event's bytes; none if it is locked."""
    try:
        return seal.open(record["source"], record["event_key"], _columns(record))[2]
    except Undecryptable:
        return b""


def claim(record: Record, worker: str, seal: Encryption) -> Claim:
    """The event as a worker takes it."""
    found, locked = event(record, seal)
    return Claim(
        seq=record["seq"],
        event=found,
        attempts=record["attempts"],
        lease=record["lease"],
        worker=worker,
        replay_generation=record["edition"],
        locked=locked,
    )


def resealed(record: Record, seal: Encryption) -> Params | None:
    """For `reseal`; None where its key is that of today already. `Locked` where it does not open."""
    if sealed_with(record["body"]) == seal.current:
        return None
    source, key = record["source"], record["event_key"]
    history = [(at, who, outcome, seal.quiet(why)) for at, who, outcome, why in _entries.decode(record["history"])]
    shut = seal.shut(source, key, seal.open(source, key, _columns(record)))
    return *shut, seal.quiet(record["reason"]), json(history), record["seq"]


def reseal(
    found: Sequence[Record], seal: Encryption, write: Callable[[Record, Params], None], *, limit: int, after: str
) -> ReencryptResult:
    """What `reseal` saw in a page of records, each that changes given to `write`; `after` is the page's last cursor."""
    by_key: Counter[str] = Counter()
    changed = locked = 0
    for record in found:
        by_key[sealed_with(record["body"])] += 1
        try:
            params = resealed(record, seal)
        except Undecryptable:
            locked += 1
            continue
        if params is not None:
            changed += 1
            write(record, params)
    return ReencryptResult(after if len(found) == limit else "", by_key, changed, locked)


def row(record: Record, seal: Encryption, cursor: Cursor = "") -> Row:
    """The event as it stands; its place is its number where no other cursor is given."""
    found, locked = event(record, seal)

    def maybe(name: str) -> datetime | None:
        return None if record[name] is None else moment(record[name])

    return Row(
        seq=record["seq"],
        event=found,
        state=State(record["state"]),
        attempts=record["attempts"],
        due_at=moment(max(record["due_at"], record["received_at"])),
        leased_until=maybe("leased_until"),
        settled_at=maybe("settled_at"),
        reason=record["reason"],
        replay_generation=record["edition"],
        history=_history(record["history"]),
        cursor=cursor or str(record["seq"]),
        locked=locked,
    )


def _history(text: str) -> tuple[Attempt, ...]:
    if text == "[]":
        return ()
    return tuple(Attempt(moment(at), who, outcome, reason) for at, who, outcome, reason in _entries.decode(text))


def _kept(text: str) -> Mapping[str, str]:
    return _texts.decode(text) if text != "{}" else _NOTHING
