"""Twilio's messages -> Segment: status callbacks and incoming messages. Forms, not JSON.

https://www.twilio.com/docs/messaging/guides/track-outbound-message-status
https://www.twilio.com/docs/messaging/guides/webhook-request
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from translators.kit import (
    Answer,
    Delivery,
    Event,
    Head,
    HmacRequest,
    Identity,
    Item,
    Malformed,
    Message,
    Need,
    Refused,
    Registered,
    Registering,
    Skip,
    Source,
    basic,
    form_call,
    from_rfc2822,
    json_call,
    track,
)

# Twilio signs some characters of a query as they are and sends them escaped: https://github.com/twilio/twilio-node/issues/1061
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
    secret_help="Console > Account dashboard > Account info > Auth Token; on rotation the secondary token beside it",
    # X-Twilio-Webhooks-Signature-Settings names the algorithm and is not signed: each kind of secret has its own here.
    scheme={"default": _SIGNED, "shared_key": replace(_SIGNED, alg="sha256")},
    # Anything but TwiML would be sent to the customer as a reply, or be an error in the console (12300).
    ack=Answer(body=b'<?xml version="1.0" encoding="UTF-8"?><Response/>', content_type="text/xml"),
)

_INCOMING: Final = {"received", "receiving"}


@twilio.split
def with_query(delivery: Delivery) -> list[Item]:
    """The form, and the URL's own parameters, which are signed too: a callback's URL may carry your user id."""
    own = {name: value for name, value in delivery.query.items() if name != "bodySHA256"}
    return [Item(raw=delivery.body, received_at=delivery.received_at, envelope=own, options=delivery.options)]


@twilio.event
def head(item: Item) -> Head:
    """A message and its status, a call and its status. Only calls carry a time.

    `RawDlrDoneDate` is the carrier's, without a zone, so it is no time:
    https://www.twilio.com/en-us/changelog/addition-of-rawdlrdonedate-to-delivered-and-undelivered-status-webhooks
    """
    form = item.form
    if "CallSid" in form and "MessageSid" not in form:
        status, number = _field(form, "CallStatus"), form.get("SequenceNumber", "")
        return Head(f"{_field(form, 'CallSid')}|{status}|{number}", f"call.{status}", _time(form.get("Timestamp", "")))
    sid = form.get("MessageSid") or _field(form, "SmsSid")
    status = form.get("MessageStatus") or _field(form, "SmsStatus")
    return Head(f"{sid}|{status}", f"message.{status}", None)


def _field(form: Any, name: str) -> str:
    value: str = form.get(name, "")
    if not value:
        raise Malformed(f"$.{name}", "is missing")
    return value


def _time(text: str) -> Any:
    try:
        return from_rfc2822(text) if text else None
    except ValueError:
        raise Malformed("$.Timestamp", "is no RFC 2822 time") from None


def _ends(event: Event) -> tuple[str, str, str]:
    """The channel, the customer's address there, and yours: `whatsapp:+14155550100` is a number on WhatsApp."""
    form = event.form
    status = event.type.removeprefix("message.")
    theirs, ours = ("From", "To") if status in _INCOMING else ("To", "From")
    channel, _, told = _field(form, theirs).rpartition(":")
    return channel.lower() or "sms", told, form.get(ours, "").rpartition(":")[2]


@twilio.who
def who(event: Event) -> Identity:
    """The customer's number; on a channel without numbers (Messenger, say) their id there."""
    channel, told, _ = _ends(event)
    if not told:
        raise Malformed("$.To", "names nobody")
    is_number = told.startswith("+") and told[1:].isdecimal()
    return Identity(
        metadata=(event.envelope,),
        anonymous=("phone" if is_number else channel, told),
        traits={"phone": told} if is_number else {},
    )


@twilio.registration(
    Need("account_sid", "TWILIO_ACCOUNT_SID", "the Account SID (AC...)", secret=False),
    Need("auth_token", "TWILIO_AUTH_TOKEN", "the Auth Token, which is what Twilio signs with"),
    Need("service_sid", "TWILIO_SERVICE_SID", "the Messaging Service (MG...) that you send with", secret=False),
    Need("incoming", "TWILIO_INCOMING", "yes, to have incoming messages sent here too, and nowhere else", False, "no"),
)
def register(at: Registering) -> Registered:
    """The callback of a Messaging Service; one that leads elsewhere is not taken over.

    https://www.twilio.com/docs/messaging/api/service-resource#update-a-service-resource
    """
    url = f"https://messaging.twilio.com/v1/Services/{at.given['service_sid']}"
    headers = basic(at.given["account_sid"], at.given["auth_token"])
    told = yield json_call("GET", url, headers)
    wanted = {"status_callback": "StatusCallback"}
    if at.given["incoming"] == "yes":
        wanted["inbound_request_url"] = "InboundRequestUrl"
    for name, field in wanted.items():
        before = told.text(name, None) or at.url
        if before != at.url:
            raise Refused(f"{field} of the service is {before} already: clear it there, or register by hand")
    yield form_call(url, headers, [(field, at.url) for field in wanted.values()])
    return at.given["auth_token"]


def _message(event: Event) -> dict[str, Any]:
    form = event.form
    channel, _, ours = _ends(event)
    told = {
        "message_id": form.get("MessageSid") or form.get("SmsSid"),
        "channel": channel,
        "messaging_service_id": form.get("MessagingServiceSid"),
        "account_id": form.get("AccountSid"),
        "business_number": ours,
    }
    return {name: value for name, value in told.items() if value}


@twilio.on("message.sent")
def sent(event: Event) -> Iterator[Message]:
    yield track("SMS Sent", _message(event))


@twilio.on("message.delivered")
def delivered(event: Event) -> Iterator[Message]:
    yield track("SMS Delivered", _message(event))


@twilio.on("message.read")
def read(event: Event) -> Iterator[Message]:
    yield track("SMS Read", _message(event))


@twilio.on("message.undelivered", "message.failed")
def failed(event: Event) -> Iterator[Message]:
    """`failed` never left, `undelivered` did not arrive; codes: https://www.twilio.com/docs/api/errors."""
    told = {
        "status": event.type.removeprefix("message."),
        "error_code": event.form.get("ErrorCode") or None,
        "error_message": event.form.get("ErrorMessage") or None,
    }
    yield track("SMS Failed", _message(event) | told)


@twilio.on("message.received")
def received(event: Event) -> Iterator[Message]:
    """A customer wrote; the text stays here. `opt_out_type` is for a STOP, START or HELP that Twilio answered."""
    form = event.form
    if not form.get("From"):
        raise Skip("Twilio hides who wrote it")
    told = {
        "media_count": _number(form.get("NumMedia", "")),
        "segment_count": _number(form.get("NumSegments", "")),
        "opt_out_type": form.get("OptOutType", "").lower() or None,
    }
    yield track("SMS Received", _message(event) | told)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


twilio.ignore(
    "message.accepted",
    "message.scheduled",
    "message.queued",
    "message.sending",
    "message.receiving",
    because="under way: message.sent, failed or received will tell",
)
twilio.ignore("message.canceled", because="a scheduled message that you called off: nothing was sent")
twilio.ignore("message.partially_delivered", because="one part of a message: delivered or undelivered will tell")
twilio.ignore("call.*", because="calls are not told")
