"""Signature, keys and times of Twilio's callbacks, which are forms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

from translators.kit import (
    Delivery,
    FormerId,
    Head,
    HmacRequest,
    Item,
    Malformed,
    Payload,
    Response,
    Source,
    digest,
    from_rfc2822,
)
from translators.kit.metadata import METADATA_FIELDS

# Twilio signs some query characters unescaped and sends them escaped: https://github.com/twilio/twilio-node/issues/1061
_SIGNED: Final = HmacRequest(
    header="X-Twilio-Signature",
    parts=("url", "form"),
    alg="sha1",
    port_variants=True,
    decode_url=True,
    body_hash_param="bodySHA256",
)

twilio = Source(
    "twilio",
    title="Twilio",
    docs="https://www.twilio.com/docs/usage/webhooks/webhooks-security",
    secret_help="Console > Account dashboard > Account info > Auth Token; during rotation also the secondary token",
    # X-Twilio-Webhooks-Signature-Settings names the algorithm but is not signed, so each kind of secret has its scheme.
    scheme={"default": _SIGNED, "shared_key": replace(_SIGNED, alg="sha256")},
    # Twilio sends any answer but TwiML to the customer as a reply, or logs error 12300.
    options=[METADATA_FIELDS],
    ack=Response(body=b'<?xml version="1.0" encoding="UTF-8"?><Response/>', content_type="text/xml"),
)

# Callbacks that are not about a message: the field that identifies each, its kind, and the fields with its status.
_OTHERS: Final = (
    ("TranscriptionSid", "transcription", ("TranscriptionEvent", "TranscriptionStatus")),
    ("RecordingStatus", "recording", ("RecordingStatus",)),
    ("ConferenceSid", "conference", ("StatusCallbackEvent",)),
    ("StreamSid", "stream", ("StreamEvent",)),
    ("SiprecSid", "siprec", ("SiprecEvent",)),
    ("RoomSid", "room", ("StatusCallbackEvent", "RoomStatus")),
    ("FaxSid", "fax", ("FaxStatus", "Status")),
    ("WorkspaceSid", "taskrouter", ("EventType",)),
    ("ConversationSid", "conversation", ("EventType",)),
    ("PayloadType", "debugger", ("Level",)),
)


@twilio.split
def with_query(delivery: Delivery) -> list[Item]:
    """Return the form with the URL's parameters, which are signed too: a callback URL may have your user id."""
    own = {name: value for name, value in delivery.query.items() if name != "bodySHA256"}
    return [delivery.item(delivery.body, own)]


@twilio.head
def head(item: Item) -> Head:
    """Return the key from a message and its status, or a call, its status and sequence number. Messages have no time.

    `RawDlrDoneDate` is the carrier's time without a zone, so it is not used:
    https://www.twilio.com/en-us/changelog/addition-of-rawdlrdonedate-to-delivered-and-undelivered-status-webhooks
    """
    form = item.form
    sid, status = form.get("MessageSid") or form.get("SmsSid"), form.get("MessageStatus") or form.get("SmsStatus")
    if sid and (status or "Body" in form) and "ConversationSid" not in form:
        status = status or "received"
        return Head(id=f"{sid}|{status}", type=f"message.{status}", occurred_at=None)
    for field, kind, statuses in _OTHERS:
        if form.get(field):
            status = (next(filter(None, map(form.get, statuses)), None) or "other").removeprefix(f"{kind}-")
            return Head(
                id=f"{kind}|{status}|{digest(form)}",
                type=f"{kind}.{status}",
                occurred_at=_time(form.get("Timestamp", "")),
            )
    if form.get("CallSid"):
        return _call(form)
    raise Malformed("$.MessageStatus" if sid else "$.MessageSid", "is missing")


def _call(form: Mapping[str, str]) -> Head:
    """Return a call's head. Status callbacks have a sequence number; other requests have none, and some no status."""
    call, status, number = form["CallSid"], form.get("CallStatus", ""), form.get("SequenceNumber", "")
    type_, at = f"call.{status or 'other'}", _time(form.get("Timestamp", ""))
    if status and number:
        return Head(id=f"{call}|{status}|{number}", type=type_, occurred_at=at)
    former = FormerId(f"{call}|{status}|" if status else "", same_bytes=True)
    return Head(id=f"{call}|{status}|{digest(form)}", type=type_, occurred_at=at, former_ids=(former,))


def _time(text: str) -> datetime | None:
    """Return a time in RFC 2822 (calls), ISO 8601 or unix seconds (newer callbacks)."""
    if not text:
        return None
    try:
        return from_rfc2822(text)
    except ValueError:
        return Payload({"Timestamp": text}).when("Timestamp")
