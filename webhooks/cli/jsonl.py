"""The lines of an export: a head, an event a line, and a foot that tells a whole file from one cut short.

    {"segue_export": 1, "segue": "0.1.0", "made_at": "2026-03-31T12:00:00.000Z"}
    {"source": "stripe", "key": "evt_1", "type": "invoice.paid", "state": "delivered", ...}
    {"segue_export_end": 1, "events": 1, "sha256": "..."}

The digest is over the lines of the events, each with its line feed. docs/operating.md lists the members.
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
from webhooks.cli.rows import attempts, content, facts
from webhooks.journal import HISTORY, Attempt, Row, State
from webhooks.logs import visible

FORMAT: Final = 1
HEAD_MARK: Final = b'{"segue_export":'
FOOT_MARK: Final = b'{"segue_export_end":'
_HERE: Final = {"seq", "cursor", "leased_until", "locked"}
"""What is so in this journal alone."""
LONGEST: Final = 256 * 1024 * 1024
"""Bytes of a line that is read at all: the largest body in base64, its history and room to spare."""

Time = Annotated[datetime, Meta(tz=True)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]


class BadLine(ValueError):
    """A line that is no event; says what is wrong with it."""


class _Attempt(msgspec.Struct, forbid_unknown_fields=True):
    at: Time
    who: str
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
    """The first line."""
    return _encode({"segue_export": FORMAT, "segue": version("segue"), "made_at": to_iso(now)}) + b"\n"


def foot(events: int, sha256: str) -> bytes:
    """The last line."""
    return _encode({"segue_export_end": FORMAT, "events": events, "sha256": sha256}) + b"\n"


def line(row: Row) -> bytes:
    """An event with everything that makes it what it is; not its number, which another journal gives anew."""
    told = {name: value for name, value in facts(row).items() if name not in _HERE}
    told |= {
        "due_at": None if row.due_at is None else to_iso(row.due_at),
        "problem": row.event.problem,
        "history": attempts(row.history),
    }
    return visible(_encode(told | content(row)).decode()).encode() + b"\n"


def read(raw: bytes) -> Row:
    """The event of a line; `Broken` with what is wrong."""
    try:
        told = _line.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadLine(str(error)) from None
    if (told.settled_at is None) != (told.state is State.PENDING):
        raise BadLine(f"it is {told.state.value} and has {'no' if told.settled_at is None else 'a'} settled_at")
    return Row(
        seq=0,
        event=Event(
            source=told.source,
            key=told.key,
            type=told.type,
            occurred_at=told.occurred_at,
            received_at=told.received_at,
            clock=told.clock,
            trust=told.trust,
            problem=told.problem,
            headers=told.headers,
            envelope=told.envelope,
            raw=_body(told),
        ),
        state=told.state,
        attempts=told.attempts,
        due_at=told.due_at,
        leased_until=None,
        settled_at=told.settled_at,
        reason=told.reason,
        replay_generation=told.edition,
        history=tuple(Attempt(each.at, each.who, each.outcome, each.reason) for each in told.history),
    )


def read_head(raw: bytes) -> ExportHeader:
    """The first line; `Broken` where it is none, or of a format that this version does not know."""
    try:
        found = _head.decode(raw)
    except (msgspec.DecodeError, RecursionError):
        raise BadLine("it does not begin as an export does") from None
    if found.segue_export != FORMAT:
        raise BadLine(f"it is of format {found.segue_export}, this version reads {FORMAT}")
    return found


def read_foot(raw: bytes) -> Foot:
    """The last line; `Broken` where it is damaged."""
    try:
        return _foot.decode(raw)
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadLine(f"its last line is damaged: {error}") from None


def _body(told: _Line) -> bytes:
    if (told.body is None) == (told.body_base64 is None):
        raise BadLine("it needs either a body or a body_base64")
    if told.body_base64 is None:
        try:
            return (told.body or "").encode()
        except UnicodeEncodeError:
            raise BadLine("its body is no text") from None
    try:
        return b64decode(told.body_base64, validate=True)
    except (binascii.Error, ValueError):
        raise BadLine("its body_base64 is no base64") from None
