"""Messages that were sent, and those that customers wrote, without their text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Identity, Malformed, Message, Skip, track
from translators.kit.metadata import metadata_of
from translators.twilio.source import twilio

_INCOMING: Final = {"received", "receiving"}


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
