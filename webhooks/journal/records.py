"""Convert events to rows and back. Times are integer microseconds since 1970, UTC."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from translators.kit import Event
from translators.kit.times import EPOCH
from webhooks.errors import JournalError
from webhooks.journal.encryption import Content, Encryption, Undecryptable, key_of
from webhooks.journal.filter import Filter
from webhooks.journal.model import (
    Attempt,
    AuditContext,
    AuditEntry,
    Census,
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
"""Due by any clock, even after a clock was an hour ahead."""
BAD_VALUE: Final = (ValueError, TypeError, OverflowError)
"""Errors of a value that no store can hold."""
_MICRO: Final = timedelta(microseconds=1)
_encode: Final = msgspec.json.Encoder().encode
_texts: Final = msgspec.json.Decoder(dict[str, str])
_entries: Final = msgspec.json.Decoder(list[tuple[int, str, str, str]])
_names: Final = msgspec.json.Decoder(tuple[str, ...])
LONGEST_KEY: Final = 2000
"""Bytes of an event's key: PostgreSQL holds up to 2,704 in a line of an index, with the source beside it."""
_TOKEN: Final = 200
HANDED_BACK: Final = "handed back"
"""The reason of an event that is postponed without one: it would count as not tried yet, scheduled by an operator."""
_REASON: Final = 500
"""Characters of a reason that the history keeps."""
_NOTHING: Final[Mapping[str, str]] = {}


def micros(moment: datetime) -> int:
    """Return a time as a column."""
    return (moment - EPOCH) // _MICRO


def moment(micros: int) -> datetime:
    """Return a column as a time."""
    return EPOCH + timedelta(microseconds=micros)


def json(value: Any) -> str:
    """Return a value as a JSON column."""
    return _encode(value).decode()


def due(at: datetime | None) -> int:
    """Return a due time as a column; None means at once."""
    return AT_ONCE if at is None else micros(at)


def append_params(event: Event, now: datetime, encryption: Encryption) -> Params:
    """Return the parameters of `append`. Raise `ValueError` for an event that not every store can hold."""
    for name in (event.source, event.id, event.type):
        if "\0" in name:
            raise ValueError(f"{name[:80]!r} contains a NUL")
    if len(event.id) > LONGEST_KEY // 4 and len(event.id.encode()) > LONGEST_KEY:
        raise ValueError(f"its key has {len(event.id.encode())} bytes, and at most {LONGEST_KEY} are stored")
    problem = text(event.problem)
    state = State.DEAD if event.problem else State.PENDING
    at = micros(now)
    return (
        event.source, event.id, event.type, micros(event.occurred_at), micros(event.received_at), event.clock,
        event.trust, *_encrypted(event, encryption), problem, state.value, AT_ONCE,
        at if problem else None, problem,
    )  # fmt: skip


def text(value: str) -> str:
    """Return a text that every store can hold: a traceback may quote any characters."""
    return value.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def token(value: str) -> str:
    """Return a one-time token that every store can hold: a digest if it is long or no plain text."""
    if len(value) <= _TOKEN and text(value) == value:
        return value
    return "sha256:" + hashlib.sha256(value.encode("utf-8", "surrogatepass")).hexdigest()


def unstorable(what: str, error: Exception) -> JournalError:
    """Return the error for a value that no store can hold."""
    return JournalError(
        f"{what} cannot be stored: {error}", hint="Correct its translator, which returned a value of a wrong type."
    )


def settle_params(settlement: Settlement, now: datetime, encryption: Encryption) -> dict[str, Any]:
    """Return the parameters of `settle`."""
    pending = settlement.state is State.PENDING
    reason = text(encryption.redact(settlement.reason))
    if pending and not reason and settlement.due_at is not None:
        reason = HANDED_BACK
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


def load_params(row: Row, encryption: Encryption) -> Params:
    """Return the parameters of `load`."""
    if row.locked:
        raise ValueError(f"event {row.event.id} of {row.event.source} is {row.locked}")
    event, received = row.event, micros(row.event.received_at)
    history = [
        (micros(entry.at), text(entry.actor), text(entry.outcome), text(encryption.redact(entry.reason)))
        for entry in row.history
    ]
    return (
        event.source, event.id, event.type, micros(event.occurred_at), received, event.clock, event.trust,
        *_encrypted(event, encryption), text(event.problem), row.state.value,
        received if row.due_at is None else micros(row.due_at),
        None if row.settled_at is None else micros(row.settled_at),
        text(encryption.redact(row.reason)), row.attempts, row.replay_generation, json(history),
    )  # fmt: skip


def audit_params(context: AuditContext) -> dict[str, Any]:
    """Return the audit parameters of `replay`, `drop` and `audit`."""
    return {"who": text(context.actor), "reason": text(context.reason), "operation": text(context.operation)}


def audit_line(
    action: str, changed: Iterable[Record], detail: Mapping[str, Any], context: AuditContext, now: datetime
) -> dict[str, Any]:
    """Return the parameters of `audit`. `changed` are the records of the changed events."""
    events = [f"{record['source']}/{record['event_key']}" for record in changed]
    line = {"at": micros(now), "action": action, "events": json(events), "detail": json(detail)}
    return line | audit_params(context)


def audit_entry(record: Record) -> AuditEntry:
    """Return a line of the audit log."""
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


def note_params(name: str, value: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """Return the parameters of `note` and `note_first`."""
    return {"name": text(name), "value": json(value), "at": micros(now)}


def census(
    counts: Iterable[tuple[str, State, int]],
    *,
    oldest: Mapping[str, int],
    unsupported_types: Mapping[tuple[str, str], int],
    size_bytes: int,
) -> Census:
    """Return the sums of counts by source and state. `oldest` is the receipt of each source's oldest pending event."""
    by_state: Counter[State] = Counter()
    by_source: dict[str, Counter[State]] = {}
    for source, state, count in counts:
        by_state[state] += count
        by_source.setdefault(source, Counter())[state] += count
    return Census(
        by_state=dict(by_state),
        by_source={source: dict(states) for source, states in by_source.items()},
        oldest_pending=moment(min(oldest.values())) if oldest else None,
        oldest_by_source={source: moment(received) for source, received in oldest.items()},
        unsupported_types=unsupported_types,
        size_bytes=size_bytes,
    )


def filter_params(
    filter: Filter, *, pattern: Callable[[str], str], can_exist: Callable[[str], bool] = lambda _: True
) -> dict[str, Any]:
    """Return the conditions of a filter without its text: lists of values, and the limits of time ranges.

    pattern    returns the store's pattern for a text in which only `*` has a meaning
    can_exist  returns whether the store can hold a text; if not, no event has it
    """
    params: dict[str, Any] = {}
    if filter.states:
        params["states"] = [state.value for state in filter.states]
    if filter.sources:
        params["sources"] = [pattern(source) for source in filter.sources if can_exist(source)]
    if filter.types:
        params["types"] = [pattern(type_) for type_ in filter.types if can_exist(type_)]
    if filter.keys:
        params["keys"] = [key for key in filter.keys if can_exist(key)]
    if filter.seqs is not None:
        params["seqs"] = list(filter.seqs)
    names = [f"{part}_{end}" for part in ("received", "occurred", "settled") for end in ("since", "until")]
    return params | {name: micros(at) for name in names if (at := getattr(filter, name)) is not None}


def is_position(text: str) -> bool:
    """Return whether a part of a cursor is a number of a row or transaction."""
    return text.isascii() and text.isdigit() and len(text) < 19


def foreign_cursor(cursor: Cursor) -> JournalError:
    """Return the error for a cursor of another store."""
    return JournalError(f"{cursor!r} is no cursor of this journal", hint="Give a cursor that this journal returned.")


def _encrypted(event: Event, encryption: Encryption) -> Content:
    return encryption.encrypt(event.source, event.id, (json(event.headers), json(event.envelope), event.raw))


def _columns(record: Record) -> Content:
    return record["headers"], record["envelope"], record["body"]


def event(record: Record, encryption: Encryption) -> tuple[Event, str]:
    """Return the stored event without its options, and why its content cannot be decrypted, if so."""
    try:
        headers, envelope, raw = encryption.decrypt(record["source"], record["event_key"], _columns(record))
        locked = ""
    except Undecryptable as error:
        (headers, envelope, raw), locked = ("{}", "{}", b""), error.message
    event = Event(
        source=record["source"],
        id=record["event_key"],
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
    return event, locked


def body(record: Record, encryption: Encryption) -> bytes:
    """Return the event's body; empty if it cannot be decrypted."""
    try:
        return encryption.decrypt(record["source"], record["event_key"], _columns(record))[2]
    except Undecryptable:
        return b""


def claim(record: Record, worker: str, encryption: Encryption) -> Claim:
    """Return the event as a claim of a worker."""
    event_, locked = event(record, encryption)
    return Claim(
        seq=record["seq"],
        event=event_,
        attempts=record["attempts"],
        lease=record["lease"],
        worker=worker,
        replay_generation=record["edition"],
        locked=locked,
    )


def reencrypt_params(record: Record, encryption: Encryption) -> Params | None:
    """Return the parameters of `reencrypt`; None if the record has the current key. Raise `Undecryptable`."""
    if key_of(record["body"]) == encryption.current:
        return None
    source, key = record["source"], record["event_key"]
    history = [
        (at, actor, outcome, encryption.redact(why)) for at, actor, outcome, why in _entries.decode(record["history"])
    ]
    content = encryption.encrypt(source, key, encryption.decrypt(source, key, _columns(record)))
    return *content, encryption.redact(record["reason"]), json(history), record["seq"]


def reencrypt(
    page: Sequence[Record], encryption: Encryption, write: Callable[[Record, Params], None], *, limit: int, after: str
) -> ReencryptResult:
    """Call `write` for each record of a page that changes; return the counts. `after` is the page's last cursor."""
    by_key: Counter[str] = Counter()
    changed = locked = 0
    for record in page:
        by_key[key_of(record["body"])] += 1
        try:
            params = reencrypt_params(record, encryption)
        except Undecryptable:
            locked += 1
            continue
        if params is not None:
            changed += 1
            write(record, params)
    return ReencryptResult(after if len(page) == limit else "", by_key, changed, locked)


def row(record: Record, encryption: Encryption, cursor: Cursor) -> Row:
    """Return the event with its state."""
    event_, locked = event(record, encryption)

    def maybe(name: str) -> datetime | None:
        return None if record[name] is None else moment(record[name])

    return Row(
        seq=record["seq"],
        event=event_,
        state=State(record["state"]),
        attempts=record["attempts"],
        due_at=moment(max(record["due_at"], record["received_at"])),
        leased_until=maybe("leased_until"),
        settled_at=maybe("settled_at"),
        reason=record["reason"],
        replay_generation=record["edition"],
        history=_history(record["history"]),
        cursor=cursor,
        locked=locked,
    )


def _history(text: str) -> tuple[Attempt, ...]:
    if text == "[]":
        return ()
    return tuple(Attempt(moment(at), actor, outcome, reason) for at, actor, outcome, reason in _entries.decode(text))


def _kept(text: str) -> Mapping[str, str]:
    return _texts.decode(text) if text != "{}" else _NOTHING
