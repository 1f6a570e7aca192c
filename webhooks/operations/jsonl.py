"""The lines of an export: a head, an event a line, and a foot by which a truncated file is recognised.

    {"segue_export": 1, "segue": "0.1.0", "made_at": "2026-03-31T12:00:00.000Z"}
    {"source": "stripe", "key": "evt_1", "type": "invoice.paid", "state": "delivered", ...}
    {"segue_export_end": 1, "events": 1, "sha256": "..."}

The digest covers the lines of the events, each with its line feed. docs/operating.md lists the members.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta

from translators.kit import Event, to_iso
from webhooks.journal import HISTORY, Attempt, Row, State
from webhooks.logs import visible
from webhooks.operations.event_json import attempts, content, facts

FORMAT: Final = 1
HEAD_MARK: Final = b'{"segue_export":'
FOOT_MARK: Final = b'{"segue_export_end":'
_LOCAL_FIELDS: Final = {"seq", "cursor", "leased_until", "locked"}
"""Fields that are only valid in this journal."""
LONGEST: Final = 256 * 1024 * 1024
"""The longest line read, in bytes: the largest body in base64, its history, and a margin."""

NOT_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""The errors of a line that cannot be decoded. A text in another encoding than UTF-8 is no `DecodeError`."""

Time = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class BadLine(ValueError):
    """A line that is not a valid event; the message says why."""


class _Attempt(msgspec.Struct, forbid_unknown_fields=True):
    at: Time
    actor: str = msgspec.field(name="who")
    outcome: str
    reason: str = ""


class _Line(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    source: Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    key: Annotated[str, Meta(min_length=1)]
    type: Annotated[str, Meta(min_length=1)]
    state: State
    reason: str = ""
    occurred_at: Time
    received_at: Time
    clock: Literal["event", "record", "received"] = "event"
    trust: Literal["verified", "authenticated"] = "verified"
    problem: str = ""
    attempts: Count = 0
    edition: Count = 0
    due_at: Time | None = None
    settled_at: Time | None = None
    headers: dict[str, str] = {}
    envelope: dict[str, str] = {}
    body: str | None = None
    body_base64: str | None = None
    history: Annotated[list[_Attempt], Meta(max_length=HISTORY)] = []


class ExportHeader(msgspec.Struct):
    """The first line."""

    segue_export: int
    segue: str = ""
    made_at: str = ""


class Foot(msgspec.Struct):
    """The last line."""

    segue_export_end: int
    events: int
    sha256: str


_encode: Final = msgspec.json.Encoder().encode
_line: Final = msgspec.json.Decoder(_Line)
_head: Final = msgspec.json.Decoder(ExportHeader)
_foot: Final = msgspec.json.Decoder(Foot)


def head(now: datetime) -> bytes:
    """Return the first line."""
    return _encode({"segue_export": FORMAT, "segue": version("segue"), "made_at": to_iso(now)}) + b"\n"


def foot(events: int, sha256: str) -> bytes:
    """Return the last line."""
    return _encode({"segue_export_end": FORMAT, "events": events, "sha256": sha256}) + b"\n"


def line(row: Row) -> bytes:
    """Return an event as a line, without its number: another journal assigns its own."""
    fields = {name: value for name, value in facts(row).items() if name not in _LOCAL_FIELDS}
    fields |= {
        "due_at": None if row.due_at is None else to_iso(row.due_at),
        "problem": row.event.problem,
        "history": attempts(row.history),
    }
    return visible(_encode(fields | content(row)).decode()).encode() + b"\n"


def read(raw: bytes) -> Row:
    """Return the event of a line; raise `BadLine` with the reason."""
    try:
        fields = _line.decode(raw)
    except NOT_JSON as error:
        raise BadLine(str(error)) from None
    if (fields.settled_at is None) != (fields.state is State.PENDING):
        raise BadLine(f"it is {fields.state.value} and has {'no' if fields.settled_at is None else 'a'} settled_at")
    return Row(
        seq=0,
        event=Event(
            source=fields.source,
            id=fields.key,
            type=fields.type,
            occurred_at=fields.occurred_at,
            received_at=fields.received_at,
            clock=fields.clock,
            trust=fields.trust,
            problem=fields.problem,
            headers=fields.headers,
            envelope=fields.envelope,
            raw=_body(fields),
        ),
        state=fields.state,
        attempts=fields.attempts,
        due_at=fields.due_at,
        leased_until=None,
        settled_at=fields.settled_at,
        reason=fields.reason,
        replay_generation=fields.edition,
        history=tuple(Attempt(a.at, a.actor, a.outcome, a.reason) for a in fields.history),
    )


def read_head(raw: bytes) -> ExportHeader:
    """Return the first line; raise `BadLine` if it is not one, or has an unknown format."""
    try:
        header = _head.decode(raw)
    except NOT_JSON:
        raise BadLine("it does not begin as an export does") from None
    if header.segue_export != FORMAT:
        raise BadLine(f"it is of format {header.segue_export}, this version reads {FORMAT}")
    return header


def read_foot(raw: bytes) -> Foot:
    """Return the last line; raise `BadLine` if it is damaged."""
    try:
        return _foot.decode(raw)
    except NOT_JSON as error:
        raise BadLine(f"its last line is damaged: {error}") from None


def _body(fields: _Line) -> bytes:
    if (fields.body is None) == (fields.body_base64 is None):
        raise BadLine("it needs either a body or a body_base64")
    if fields.body_base64 is None:
        return (fields.body or "").encode()
    try:
        return b64decode(fields.body_base64, validate=True)
    except (binascii.Error, ValueError):
        raise BadLine("its body_base64 is not base64") from None
