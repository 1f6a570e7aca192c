"""Postmark's signature, event ids, identity and messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Event,
    FormerId,
    Head,
    Identity,
    Item,
    Message,
    SharedToken,
    Skip,
    Source,
    digest,
    track,
)
from translators.kit.mail import UNSUBSCRIBED_EVENT, address, recipient, tags_of
from translators.kit.metadata import METADATA_FIELDS, metadata_of, own_data

postmark = Source(
    "postmark",
    title="Postmark",
    docs="https://postmarkapp.com/developer/webhooks/webhooks-overview",
    secret_help="user:password that you choose and also set as the webhook's Basic auth credentials",
    scheme=SharedToken(where="basic"),
    options=[UNSUBSCRIBED_EVENT, METADATA_FIELDS],
)

_NO_MESSAGE: Final = "00000000-0000-0000-0000-000000000000"
_TIMES: Final = ("DeliveredAt", "BouncedAt", "ReceivedAt", "ChangedAt")

# The fields that distinguish two events of the same type, message, recipient and second.
_MORE_OF_KEY: Final = {
    "Click": ("OriginalLink", "ClickLocation"),
    "Open": ("UserAgent", "Geo.IP"),
    "SubscriptionChange": ("SuppressSending", "SuppressionReason"),
}

# https://postmarkapp.com/developer/api/bounce-api#bounce-types
_BOUNCES: Final = {
    "Transient": "Email Deferred",  # delayed by network problems
    "DnsError": "Email Deferred",  # a temporary DNS error
    "BadEmailAddress": "Email Dropped",  # invalid address
    "Blocked": "Email Dropped",  # refused for its content or its sender
    "DMARCPolicy": "Email Dropped",  # refused for the sender's own policy
    "ManuallyDeactivated": "Email Dropped",  # switched off in Postmark
    "SMTPApiError": "Email Dropped",  # not accepted by Postmark
    "TemplateRenderingFailed": "Email Dropped",
    "Unconfirmed": "Email Dropped",  # the address was never confirmed
    "SpamComplaint": "Email Marked as Spam",
    "SpamNotification": "Email Marked as Spam",  # delivered, and classified as spam or blocked by the user
    "Subscribe": "Email Resubscribed",
}
_NO_BOUNCE: Final = {
    "AddressChange": "the recipient asks for another address to be used",
    "AutoResponder": "an automatic reply, such as out of office",
    "ChallengeVerification": "the receiving server asks the sender to confirm",
    "InboundError": "incoming mail could not be delivered to you",
    "OpenRelayTest": "a test whether the mail server is an open relay",
}


@postmark.head
def head(item: Item) -> Head:
    """Return the id of a bounce or complaint; for other events a key from message, recipient and time.

    A click adds its link, a subscription change its new state.
    """
    body = item.body
    if "RecordType" not in body and "FromFull" in body:
        return Head(id=f"Inbound|{body.id('MessageID')}", type="Inbound", occurred_at=None)
    type_ = body.text("RecordType")
    stamp = next((name for name in _TIMES if name in body), "")
    at = body.opt.iso(stamp) if stamp else None
    if own := body.id("ID", ""):
        return Head(id=f"{type_}|{own}", type=type_, occurred_at=at)
    if at is None:
        return Head(id=item.digest, type=type_, occurred_at=None)
    message, email = body.id("MessageID"), body.text("Recipient", "")
    former = f"{type_}|{message}|{email}|{body.text(stamp)}"
    if type_ not in _MORE_OF_KEY:
        return Head(id=former, type=type_, occurred_at=at)
    more = digest(email, *(body.get(path) for path in _MORE_OF_KEY[type_]))
    key = f"{type_}|{message}|{body.text(stamp)}|{more}"
    return Head(id=key, type=type_, occurred_at=at, former_ids=(FormerId(former, same_bytes=True),))


@postmark.skip_if
def really_sent(event: Event) -> str | None:
    """Skip the console's test: it has no message, and its recipient does not exist."""
    return "Postmark's own test of this URL" if event.body.get("MessageID") == _NO_MESSAGE else None


@postmark.identity
def identity(event: Event) -> Identity:
    """Return the recipient. The message's metadata may have your user id."""
    path = "Email" if event.type in {"Bounce", "SpamComplaint"} else "Recipient"
    return recipient(address(event.body, path), own_data(event.body, "Metadata"))


_MORE: Final = {
    "Delivery": {"response": "Details:nonempty"},
    "Bounce": {"reason": "Description:nonempty", "response": "Details:nonempty", "bounce_type": "Type:text!"},
    "Open": {"first_open": "FirstOpen:flag"},
    "Click": {"link_url": "OriginalLink:text!"},
    "SubscriptionChange": {"origin": "Origin:lower"},
}
"""The properties that only one type has. `origin` is `recipient`, `customer` (you, by API) or `admin`."""


def reader(event: Event) -> dict[str, Any]:
    return event.body.select(ip="Geo.IP", userAgent="UserAgent")


@postmark.tracks({"Open": "Email Opened", "Click": "Email Link Clicked"}, context=reader)
@postmark.tracks({"Delivery": "Email Delivered", "SpamComplaint": "Email Marked as Spam"})
def email(event: Event) -> dict[str, Any]:
    body = event.body
    return {
        **body.select(email_id="MessageID:id", email_subject="Subject:text", message_stream="MessageStream:text"),
        "tags": tags_of(body.get("Tag")),
        "metadata": metadata_of(event, own_data(body, "Metadata")),
        **body.select(**_MORE.get(event.type, {})),
    }


@postmark.on("Bounce")
def bounce(event: Event) -> Iterator[Message]:
    """Report by `Type`: Postmark sends unsubscriptions and automatic replies as bounces too."""
    kind = event.body.text("Type")
    if reason := _NO_BOUNCE.get(kind):
        raise Skip(f"not a bounce: {reason}")
    name = UNSUBSCRIBED_EVENT.of(event) if kind == "Unsubscribe" else _BOUNCES.get(kind, "Email Bounced")
    yield track(name, email(event))


@postmark.on("SubscriptionChange")
def subscription_changed(event: Event) -> Iterator[Message]:
    reason, name = event.body.text("SuppressionReason", ""), "Email Resubscribed"
    if event.body.flag("SuppressSending"):
        if reason in {"HardBounce", "SpamComplaint"}:
            raise Skip(f"follows from a {reason}, which Postmark reports itself")
        name = UNSUBSCRIBED_EVENT.of(event)
    yield track(name, email(event))


postmark.ignore("Inbound", because="an incoming message, not an e-mail that you sent")
