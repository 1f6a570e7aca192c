"""Translate Twilio's status callbacks and incoming messages, which are forms, not JSON. Calls make no messages.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from translators.kit import (
    Delivery,
    Event,
    FormerId,
    Head,
    HmacRequest,
    Identity,
    Item,
    Malformed,
    Message,
    Need,
    Payload,
    Refused,
    Registered,
    Registering,
    Response,
    Skip,
    Source,
    basic,
    digest,
    form_call,
    from_rfc2822,
    json_call,
    track,
)
from translators.kit.metadata import METADATA_FIELDS, metadata_of

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

_INCOMING: Final = {"received", "receiving"}
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
    return [Item(raw=delivery.body, received_at=delivery.received_at, envelope=own, options=delivery.options)]


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


def _addresses(event: Event) -> tuple[str, str, str]:
    """Return the channel, the customer's address on it, and yours. `whatsapp:+14155550100` is a number on WhatsApp."""
    form = event.form
    status = event.type.removeprefix("message.")
    theirs, ours = ("From", "To") if status in _INCOMING else ("To", "From")
    if not form.get(theirs):
        raise Malformed(f"$.{theirs}", "is missing")
    channel, _, address = form[theirs].rpartition(":")
    return channel.lower() or "sms", address, form.get(ours, "").rpartition(":")[2]


@twilio.identity
def identity(event: Event) -> Identity:
    """Return the customer's number, or their id on a channel without numbers, such as Messenger."""
    channel, address, _ = _addresses(event)
    if not address:
        raise Malformed("$.To", "has no address")
    is_number = address.startswith("+") and address[1:].isdecimal()
    return Identity(
        metadata=(event.envelope,),
        anonymous=("phone" if is_number else channel, address),
        traits={"phone": address} if is_number else {},
    )


@twilio.registration(
    Need("account_sid", "TWILIO_ACCOUNT_SID", "the Account SID (AC...)", secret=False),
    Need("auth_token", "TWILIO_AUTH_TOKEN", "the Auth Token, which is what Twilio signs with"),
    Need("service_sid", "TWILIO_SERVICE_SID", "the Messaging Service (MG...) that you send with", secret=False),
    Need("incoming", "TWILIO_INCOMING", "yes, to receive incoming messages through this URL too", False, "no"),
)
def register(at: Registering) -> Registered:
    """Set the callback of a Messaging Service; refuse if it already has another URL.

    https://www.twilio.com/docs/messaging/api/service-resource#update-a-service-resource
    """
    url = f"https://messaging.twilio.com/v1/Services/{at.values['service_sid']}"
    headers = basic(at.values["account_sid"], at.values["auth_token"])
    service = yield json_call("GET", url, headers)
    callbacks = {"status_callback": "StatusCallback"}
    if at.values["incoming"] == "yes":
        callbacks["inbound_request_url"] = "InboundRequestUrl"
    for name, field in callbacks.items():
        url_now = service.opt.text(name) or at.url
        if url_now != at.url:
            raise Refused(f"{field} of the service is already {url_now}: clear it there, or register by hand")
    yield form_call(url, headers, [(field, at.url) for field in callbacks.values()])
    return at.values["auth_token"]


@twilio.tracks({"message.sent": "SMS Sent", "message.delivered": "SMS Delivered", "message.read": "SMS Read"})
def message(event: Event) -> dict[str, Any]:
    form = event.form
    channel, _, ours = _addresses(event)
    properties = {
        "message_id": form.get("MessageSid") or form.get("SmsSid"),
        "channel": channel,
        "messaging_service_id": form.get("MessagingServiceSid"),
        "account_id": form.get("AccountSid"),
        "business_number": ours,
        "metadata": metadata_of(event, event.envelope),
    }
    return {name: value for name, value in properties.items() if value}


@twilio.tracks({"message.undelivered": "SMS Failed", "message.failed": "SMS Failed"})
def failed(event: Event) -> dict[str, Any]:
    """Report `failed` (not sent) or `undelivered` (not received). Codes: https://www.twilio.com/docs/api/errors."""
    return {
        **message(event),
        "status": event.type.removeprefix("message."),
        "error_code": event.form.get("ErrorCode") or None,
        "error_message": event.form.get("ErrorMessage") or None,
    }


@twilio.on("message.received")
def received(event: Event) -> Iterator[Message]:
    """Report a customer's message without its text. `opt_out_type` is set if Twilio answered a STOP, START or HELP.

    https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out
    """
    form = event.form
    if not form.get("From"):
        raise Skip("Twilio does not name the sender")
    choice = form.get("OptOutType", "").lower()
    properties = {
        "media_count": _number(form.get("NumMedia", "")),
        "segment_count": _number(form.get("NumSegments", "")),
        "opt_out_type": choice or None,
    }
    yield track("SMS Received", message(event) | properties)
    if name := {"stop": "SMS Unsubscribed", "start": "SMS Resubscribed"}.get(choice):
        yield track(name, message(event))


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


twilio.ignore(
    "message.accepted",
    "message.scheduled",
    "message.queued",
    "message.sending",
    "message.receiving",
    because="in progress; message.sent, failed or received follows",
)
twilio.ignore("message.canceled", because="a scheduled message that you canceled: nothing was sent")
twilio.ignore("message.partially_delivered", because="one part of a message; delivered or undelivered follows")
twilio.ignore("call.*", because="calls make no messages")
twilio.ignore(
    "recording.*", "transcription.*", "stream.*", "siprec.*", because="part of a call; calls make no messages"
)
twilio.ignore("conference.*", "room.*", because="a conference call; calls make no messages")
twilio.ignore("fax.*", because="faxes make no messages")
twilio.ignore("conversation.*", because="about a conversation; each of its messages has its own callback")
twilio.ignore("taskrouter.*", because="the routing of a task to your staff")
twilio.ignore("debugger.*", because="an error or warning of your Twilio account")
