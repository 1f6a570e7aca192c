"""SendGrid's signature, event ids, identity and messages."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from translators.kit import (
    Delivery,
    Event,
    FormerId,
    Head,
    Identity,
    Item,
    PublicKey,
    Source,
    digest,
)
from translators.kit.mail import UNSUBSCRIBED_EVENT, address, recipient, tags_of
from translators.kit.metadata import METADATA_FIELDS, metadata_of

sendgrid = Source(
    "sendgrid",
    title="SendGrid",
    docs="https://www.twilio.com/docs/sendgrid/for-developers/tracking-events/event",
    secret_help="Settings > Mail Settings > Event Webhooks > your webhook > Security features > Verification Key",
    scheme=PublicKey(
        kind="ecdsa-p256-sha256",
        header="X-Twilio-Email-Event-Webhook-Signature",
        ts_header="X-Twilio-Email-Event-Webhook-Timestamp",
        template="{ts}{body}",
        # SendGrid retries for 24 hours, perhaps with the first signature; sg_event_id stops replays.
        tolerance=25 * 3600.0,
    ),
    options=[UNSUBSCRIBED_EVENT, METADATA_FIELDS],
)

# SendGrid's own members at the top level of an event; every other member is a custom argument.
_MEMBERS: Final = {
    "asm_group_id", "attempt", "bounce_classification", "category", "cert_err", "email", "event", "ip",
    "marketing_campaign_id", "marketing_campaign_name", "newsletter", "phase_id", "pool", "post_type", "reason",
    "response", "send_at", "singlesend_id", "singlesend_name", "smtp-id", "status", "template_id", "timestamp", "tls",
    "type", "url", "url_offset", "useragent",
}  # fmt: skip
_PREFIXES: Final = ("sg_", "mc_")
# Events that happen once to a message and recipient. SendGrid may report one twice, with two values of sg_event_id:
# https://github.com/sendgrid/sendgrid-nodejs/issues/1435
_ONCE: Final = {"processed", "dropped", "delivered"}
_TEST: Final = "14c5d75ce93.dfd.64b469"  # the message id of every "Test Your Integration"


@sendgrid.split
def split(delivery: Delivery) -> Iterable[bytes]:
    """Return the events of an array. The oldest accounts send one bare event."""
    return delivery.members


@sendgrid.head
def head(item: Item) -> Head:
    """Return `sg_event_id` as the key, or message and recipient if the event happens once. The time is in seconds."""
    event = item.body
    type_, at = event.text("event").lower(), event.when("timestamp")
    own = event.id("sg_event_id", "")
    message, email = event.id("sg_message_id", ""), event.text("email", "").strip().lower()
    if type_ in _ONCE and message and email:
        id_ = f"{type_}:{message}:{digest(email)}"
    elif own or not (message and email):
        id_ = own or item.digest
    else:
        details = (event.get(name) for name in ("url", "url_offset", "asm_group_id", "attempt"))
        id_ = f"{type_}:{message}:{at.isoformat()}:{digest(email, *details)}"
    return Head(id=id_, type=type_, occurred_at=at, former_ids=(FormerId(own or item.digest),))


@sendgrid.skip_if
def really_sent(event: Event) -> str | None:
    """Skip the console's test: it is signed like a real event, but its recipient does not exist."""
    is_test = any(_TEST in str(event.body.get(name)) for name in ("sg_message_id", "smtp-id"))
    return "SendGrid's own test of this URL" if is_test else None


@sendgrid.identity
def identity(event: Event) -> Identity:
    """Return the recipient. A custom or unique argument may be your user id."""
    return recipient(address(event.body, "email"), _custom(event))


def _custom(event: Event) -> dict[str, Any]:
    """Return the sender's custom arguments, which are mixed with SendGrid's members."""
    members = event.body.value.items()
    return {name: value for name, value in members if name not in _MEMBERS and not name.startswith(_PREFIXES)}


_MORE: Final = {
    "dropped": {"reason": "reason", "smtp_status": "status"},
    "deferred": {"reason": "response:text", "attempt": "attempt:decimal"},
    "delivered": {"response": "response:text"},
    "bounce": {
        "reason": "reason",
        "bounce_classification": "bounce_classification",
        "smtp_status": "status",
        "bounce_type": "type",
    },
    "open": {"machine_open": "sg_machine_open:flag"},
    "click": {"link_url": "url:text!"},
    "group_unsubscribe": {"list_id": "asm_group_id:id"},
    "group_resubscribe": {"list_id": "asm_group_id:id"},
    "unsubscribe": {"list_id": "asm_group_id:id"},
}
"""The properties that only one type has.

`bounce_type` is `bounce` if permanent, `blocked` if temporary. `machine_open` marks automatic opens by Apple's Mail
Privacy Protection. An unsubscription is from all e-mail, or from the unsubscribe group `list_id`.
"""


def reader(event: Event) -> dict[str, Any]:
    return event.body.select("ip", userAgent="useragent")


@sendgrid.tracks(
    {
        "open": "Email Opened",
        "click": "Email Link Clicked",
        "unsubscribe": UNSUBSCRIBED_EVENT,
        "group_unsubscribe": UNSUBSCRIBED_EVENT,
        "group_resubscribe": "Email Resubscribed",
    },
    context=reader,
)
@sendgrid.tracks(
    {
        "processed": "Email Sent",
        "dropped": "Email Dropped",
        "deferred": "Email Deferred",
        "delivered": "Email Delivered",
        "bounce": "Email Bounced",
        "spamreport": "Email Marked as Spam",
    }
)
def email(event: Event) -> dict[str, Any]:
    body = event.body
    return {
        "email_id": body.opt.id("sg_message_id"),
        "campaign_id": body.first("singlesend_id:id", "marketing_campaign_id:id"),
        "campaign_name": body.first("singlesend_name", "marketing_campaign_name"),
        **body.select(automation_id="mc_auto_id:id", automation_name="mc_auto_name:text"),
        "template_id": body.first("sg_template_id:id", "template_id:id"),
        "template_name": body.opt.text("sg_template_name"),
        "tags": tags_of(body.get("category")),
        "metadata": metadata_of(event, _custom(event)),
        **body.select(**_MORE.get(event.type, {})),
    }


sendgrid.ignore("account_status_change", because="about your SendGrid account, not an e-mail")
