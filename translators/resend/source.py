"""Resend's signature, event ids, identity and messages."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    Identity,
    Item,
    Malformed,
    Message,
    Payload,
    Source,
    StandardWebhooks,
    identify,
    track,
)
from translators.kit.mail import UNSUBSCRIBED_EVENT, address, recipient
from translators.kit.metadata import METADATA_FIELDS, metadata_of

resend = Source(
    "resend",
    title="Resend",
    docs="https://resend.com/docs/dashboard/webhooks/introduction",
    secret_help="Webhooks > your webhook > Signing secret (whsec_...)",
    scheme=StandardWebhooks(prefixes=("svix", "webhook")),
    keep_headers=("svix-id", "webhook-id"),
    options=[UNSUBSCRIBED_EVENT, METADATA_FIELDS],
)

_RECIPIENTS: Final = ("to", "cc", "bcc")
_CONTACT_ID: Final = ("id:id", "contact_id:id")


@resend.head
def head(item: Item) -> Head:
    """Return the delivery's id, which is the same on every retry, and the time of the click or open, else the event's.

    `data.created_at` is the e-mail's time, not the event's.
    """
    body = item.body
    key = item.headers.get("svix-id") or item.headers.get("webhook-id") or item.digest
    at = body.opt.iso("data.click.timestamp") or body.opt.iso("data.open.timestamp") or body.iso("created_at")
    return Head(id=key, type=body.text("type"), occurred_at=at)


@resend.identity
def identity(event: Event) -> Identity:
    """Return the contact, or the recipient of an e-mail; the e-mail itself if it has several.

    Resend sends one event per recipient without naming the recipient, so no recipient can be credited.
    """
    data = event.body.object("data")
    if event.type.startswith("contact."):
        external = ExternalId("resend_contact_id", data.first(*_CONTACT_ID) or "")
        return replace(recipient(address(data, "email"), {}), external_ids=(external,))
    emails = [address(data, f"{field}.{place}") for field in _RECIPIENTS for place, _ in enumerate(data.each(field))]
    if not emails:
        raise Malformed(f"{data.path}.to", "names no recipient")
    if len({email.lower() for email in emails}) > 1:
        return Identity(anonymous=("email_message", data.id("email_id")))
    return recipient(emails[0], _tags(data))


def _tags(data: Payload) -> dict[str, str]:
    """Return `{name: value}`. Resend sends an object or a list of `{"name": ..., "value": ...}`."""
    if isinstance(data.get("tags"), list):
        named = ((tag.id("name", ""), tag.get("value")) for tag in data.each("tags"))
        return {name: str(value) for name, value in named if name and type(value) in (str, int)}
    return dict(data.texts("tags"))


_MORE: Final = {
    "email.bounced": {
        "reason": "bounce.message",
        "bounce_type": "bounce.type",
        "bounce_subtype": "bounce.subType",
    },
    "email.suppressed": {"reason": "suppressed.message", "drop_type": "suppressed.type"},
    "email.failed": {"reason": "failed.reason:text"},
    "email.clicked": {"link_url": "click.link:text!"},
}
"""The properties that only one type has."""


def reader(event: Event) -> dict[str, Any]:
    member = "data.click" if event.type == "email.clicked" else "data.open"
    return event.body.select(ip=f"{member}.ipAddress", userAgent=f"{member}.userAgent")


@resend.tracks({"email.opened": "Email Opened", "email.clicked": "Email Link Clicked"}, context=reader)
@resend.tracks(
    {
        "email.sent": "Email Sent",
        "email.delivered": "Email Delivered",
        "email.delivery_delayed": "Email Deferred",
        "email.bounced": "Email Bounced",
        "email.failed": "Email Dropped",
        "email.suppressed": "Email Dropped",  # not sent: the address bounced or complained earlier
        "email.complained": "Email Marked as Spam",
    }
)
def email(event: Event) -> dict[str, Any]:
    data = event.body.object("data")
    tags = _tags(data)
    return {
        **data.select(
            "email_id:id", email_subject="subject:text", campaign_id="broadcast_id:id", template_id="template_id:id"
        ),
        "tags": [f"{tag}={value}" for tag, value in tags.items()] or None,
        "metadata": metadata_of(event, tags),
        **data.select(**_MORE.get(event.type, {})),
    }


@resend.tracks({"contact.deleted": "Contact Deleted"})
def contact(event: Event) -> dict[str, Any]:
    data = event.body.object("data")
    return {
        "contact_id": data.first(*_CONTACT_ID),
        **data.select(list_id="audience_id:id", unsubscribed="unsubscribed:flag"),
    }


@resend.on("contact.created", "contact.updated")
def contact_saved(event: Event) -> Iterator[Message]:
    """Report the current contact. Resend does not send what changed, so an unsubscription is only a trait."""
    yield identify(
        event.body.select(firstName="data.first_name", lastName="data.last_name", unsubscribed="data.unsubscribed")
    )
    yield track("Contact Created" if event.type == "contact.created" else "Contact Updated", contact(event))


@resend.on("contact.topics.updated")
def topics_chosen(event: Event) -> Iterator[Message]:
    """Report each changed topic as an unsubscription or resubscription; a topic is a list.

    https://resend.com/docs/webhooks/contacts/topics-updated
    """
    names = {"opt_out": UNSUBSCRIBED_EVENT.of(event), "opt_in": "Email Resubscribed"}
    for topic in event.body.each("data.topics"):
        topic_id, name = topic.id("id"), names.get(topic.text("subscription"))
        if name is None:
            raise Malformed(f"{topic.path}.subscription", "is neither opt_in nor opt_out")
        contact_id = event.body.object("data").first(*_CONTACT_ID)
        properties = {"contact_id": contact_id, "list_id": topic_id, "list_name": topic.opt.text("name")}
        yield track(name, properties, key=topic_id)


resend.ignore("email.scheduled", because="not sent yet; email.sent follows")
resend.ignore("email.received", because="an incoming message, not an e-mail that you sent")
resend.ignore("suppression.*", because="follows from a bounce or complaint, which is reported, or from your own change")
resend.ignore("domain.*", because="configuration of your domain, not a customer event")
