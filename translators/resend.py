"""Translate Resend's webhooks. https://resend.com/docs/dashboard/webhooks/event-types"""

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
    Need,
    Payload,
    Registered,
    Registering,
    Source,
    StandardWebhooks,
    bearer,
    identify,
    json_call,
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


@resend.head
def head(item: Item) -> Head:
    """Return the delivery's id, which is the same on every retry, and the time of the click or open, else the event's.

    `data.created_at` is the e-mail's time, not the event's.
    """
    body = item.body
    key = item.headers.get("svix-id") or item.headers.get("webhook-id") or item.digest
    at = body.opt.iso("data.click.timestamp") or body.opt.iso("data.open.timestamp") or body.iso("created_at")
    return Head(id=key, type=body.text("type"), occurred_at=at)


@resend.registration(Need("api_key", "RESEND_API_KEY", "an API key with full access"))
def register(at: Registering) -> Registered:
    """Create one webhook. https://resend.com/docs/api-reference/webhooks/create-webhook"""
    webhook = {"endpoint": at.url, "events": list(at.types)}
    created = yield json_call("POST", "https://api.resend.com/webhooks", bearer(at.values["api_key"]), webhook)
    return created.text("signing_secret")


@resend.identity
def identity(event: Event) -> Identity:
    """Return the recipient; the e-mail itself if it has several.

    Resend sends one event per recipient without naming the recipient, so no recipient can be credited.
    """
    data = event.body.object("data")
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


def _email(event: Event, name: str, reader: str = "", **more: Any) -> Iterator[Message]:
    """Make one message. `reader` is the member with the reader's IP address and browser."""
    data = event.body.object("data")
    tags = _tags(data)
    properties = {
        **data.select(
            "email_id:id", email_subject="subject:text", campaign_id="broadcast_id:id", template_id="template_id:id"
        ),
        "tags": [f"{tag}={value}" for tag, value in tags.items()] or None,
        "metadata": metadata_of(event, tags),
    }
    context = data.select(ip=f"{reader}.ipAddress", userAgent=f"{reader}.userAgent") if reader else {}
    yield track(name, {**properties, **more}, context=context)


@resend.on("email.sent")
def sent(event: Event) -> Iterator[Message]:
    yield from _email(event, "Email Sent")


@resend.on("email.delivered")
def delivered(event: Event) -> Iterator[Message]:
    yield from _email(event, "Email Delivered")


@resend.on("email.delivery_delayed")
def delayed(event: Event) -> Iterator[Message]:
    yield from _email(event, "Email Deferred")


@resend.on("email.bounced")
def bounced(event: Event) -> Iterator[Message]:
    properties = event.body.select(reason="data.bounce.message", bounce_type="data.bounce.type")
    yield from _email(event, "Email Bounced", **properties, bounce_subtype=event.body.get("data.bounce.subType"))


@resend.on("email.suppressed")
def suppressed(event: Event) -> Iterator[Message]:
    """Report a drop: the address bounced or complained earlier, so Resend did not send."""
    properties = event.body.select(reason="data.suppressed.message", drop_type="data.suppressed.type")
    yield from _email(event, "Email Dropped", **properties)


@resend.on("email.failed")
def failed(event: Event) -> Iterator[Message]:
    yield from _email(event, "Email Dropped", reason=event.body.opt.text("data.failed.reason"))


@resend.on("email.opened")
def opened(event: Event) -> Iterator[Message]:
    yield from _email(event, "Email Opened", "open")


@resend.on("email.clicked")
def clicked(event: Event) -> Iterator[Message]:
    yield from _email(event, "Email Link Clicked", "click", link_url=event.body.text("data.click.link"))


@resend.on("email.complained")
def complained(event: Event) -> Iterator[Message]:
    yield from _email(event, "Email Marked as Spam")


def _contact(event: Event) -> tuple[Identity, dict[str, Any]]:
    data = event.body.object("data")
    contact_id = data.opt.id("id") or data.opt.id("contact_id")
    contact = recipient(address(data, "email"), {})
    properties = {"contact_id": contact_id, **data.select(list_id="audience_id:id", unsubscribed="unsubscribed:flag")}
    return replace(contact, external_ids=(ExternalId("resend_contact_id", contact_id or ""),)), properties


def _names(event: Event) -> dict[str, Any]:
    return event.body.select(firstName="data.first_name", lastName="data.last_name", unsubscribed="data.unsubscribed")


@resend.on("contact.created")
def contact_created(event: Event) -> Iterator[Message]:
    contact, properties = _contact(event)
    yield identify(_names(event), identity=contact)
    yield track("Contact Created", properties, identity=contact)


@resend.on("contact.updated")
def contact_updated(event: Event) -> Iterator[Message]:
    """Report the current contact. Resend does not send what changed, so an unsubscription is only a trait."""
    contact, properties = _contact(event)
    yield identify(_names(event), identity=contact)
    yield track("Contact Updated", properties, identity=contact)


@resend.on("contact.deleted")
def contact_deleted(event: Event) -> Iterator[Message]:
    contact, properties = _contact(event)
    yield track("Contact Deleted", properties, identity=contact)


@resend.on("contact.topics.updated")
def topics_chosen(event: Event) -> Iterator[Message]:
    """Report each changed topic as an unsubscription or resubscription; a topic is a list.

    https://resend.com/docs/webhooks/contacts/topics-updated
    """
    contact, properties = _contact(event)
    for topic in event.body.each("data.topics"):
        topic_id, chosen = topic.id("id"), topic.text("subscription")
        name = {"opt_out": UNSUBSCRIBED_EVENT.of(event), "opt_in": "Email Resubscribed"}.get(chosen)
        if name is None:
            raise Malformed(f"{topic.path}.subscription", "is neither opt_in nor opt_out")
        fields = {"contact_id": properties["contact_id"], "list_id": topic_id, "list_name": topic.opt.text("name")}
        yield track(name, fields, key=topic_id, identity=contact)


resend.ignore("email.scheduled", because="not sent yet; email.sent follows")
resend.ignore("email.received", because="an incoming message, not an e-mail that you sent")
resend.ignore("suppression.*", because="follows from a bounce or complaint, which is reported, or from your own change")
resend.ignore("domain.*", because="configuration of your domain, not a customer event")
