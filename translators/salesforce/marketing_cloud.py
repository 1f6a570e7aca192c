"""Translate Marketing Cloud Engagement's Event Notification Service (ENS).

https://developer.salesforce.com/docs/marketing/marketing-cloud/guide/ens.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Message,
    Response,
    Source,
    choice_option,
    parse_json,
    raw_items,
    track,
)
from translators.kit.mail import UNSUBSCRIBED_EVENT
from translators.salesforce.ids import external, kind_of

_NO_IDS: Final = {"", "0"}
_MAX_HANDSHAKE_BYTES: Final = 2_000
_CODE: Final = re.compile(r"[\w.+/=-]{1,500}", re.ASCII)

SUBSCRIBER_KEY: Final = choice_option(
    "subscriber_key",
    "what your subscriber keys are: your own user ids, or something else",
    ("other", "user_id"),
    "other",
)
VERIFICATION: Final = choice_option(
    "verification",
    "`show` writes the code of a callback's verification to the log, for the minute that you need it",
    ("hide", "show"),
    "hide",
)

salesforce_marketing_cloud = Source(
    "salesforce_marketing_cloud",
    title="Salesforce Marketing Cloud",
    docs="https://developer.salesforce.com/docs/marketing/marketing-cloud/guide/ens.html",
    secret_help="`signatureKey` in the response of POST /platform/v1/ens-callbacks, which is shown only once",
    # The documentation does not say whether the key is decoded first.
    scheme={
        "text": HmacBody(header="X-Sfmc-Ens-Signature", encoding="base64"),
        "decoded": HmacBody(header="X-Sfmc-Ens-Signature", encoding="base64", key="base64"),
    },
    options=[UNSUBSCRIBED_EVENT, SUBSCRIBER_KEY, VERIFICATION],
)  # fmt: skip


@salesforce_marketing_cloud.handshake(signed=False)
def verification(delivery: Delivery) -> Response | None:
    """Answer 200 to the verification code of a new callback, which is unsigned because its key is not known yet.

    Store nothing and return nothing of the request, so that a forged request has no effect.
    """
    if len(delivery.body) > _MAX_HANDSHAKE_BYTES:
        return None
    try:
        fields = parse_json(delivery.body)
    except Malformed:
        return None
    if not isinstance(fields, dict) or set(fields) != {"callbackId", "verificationKey"}:
        return None
    if not all(isinstance(value, str) and _CODE.fullmatch(value) for value in fields.values()):
        return None
    note = ""
    if VERIFICATION.of(delivery) == "show":
        note = f"verify the callback: callbackId {fields['callbackId']}, verificationKey {fields['verificationKey']}"
    return Response(body=b"{}", note=note)


@salesforce_marketing_cloud.split
def split(delivery: Delivery) -> Iterable[bytes]:
    """Split a list of up to 1000 events, or one bare event."""
    return raw_items(delivery.body) if delivery.is_list else [delivery.body]


@salesforce_marketing_cloud.head
def head(item: Item) -> Head:
    """Return the key from the bytes, which are the same on a retry: ENS sends no event id."""
    event = item.body
    return Head(
        id=item.digest,
        type=event.text("eventCategoryType"),
        occurred_at=event.millis("timestampUTC"),
    )


@salesforce_marketing_cloud.identity
def identity(event: Event) -> Identity:
    """Return the subscriber by the subscriber id, since opens and clicks have no other.

    Ids and keys are unique per account, so the account's id (`eid`) is their prefix.
    """
    body = event.body
    subscriber = body.id("composite.subscriberId", "")
    key, to = body.id("info.subscriberKey", ""), body.text("info.to", "").strip()
    email = to if "@" in to else ""
    account = f"{eid}|" if (eid := body.id("eid", "")) not in _NO_IDS else ""
    if subscriber not in _NO_IDS:
        anonymous = ("subscriber", f"{account}{subscriber}")
    elif key:
        anonymous = ("subscriber_key", f"{account}{key}")
    elif to:
        anonymous = ("email", email.lower()) if email else ("phone", to)
    else:
        raise Malformed("$.composite.subscriberId", "is missing, and so are subscriberKey and the address")
    external_ids = [ExternalId("salesforce_subscriber_key", key)]
    if kind_of(key) in {"contact", "lead"} and len(key) == 18:  # keys of Marketing Cloud Connect
        external_ids.append(external(kind_of(key), key))
    return Identity(
        user_ids=(key,) if SUBSCRIBER_KEY.of(event) == "user_id" else (),
        anonymous=anonymous,
        external_ids=tuple(external_ids),
        traits={"email": email} if email else {"phone": to} if to else {},
    )


def _send(event: Event) -> dict[str, Any]:
    """Return an e-mail's properties. `NA` means no value."""
    properties = event.body.select(
        email_subject="info.renderedSubject", message_key="info.messageKey", campaign_id="composite.jobId",
        list_id="composite.listId", definition_key="definitionKey",
    )  # fmt: skip
    properties["email_id"] = event.body.opt.id("composite.emailId")
    for name in ("campaign_id", "list_id"):
        properties[name] = str(properties[name]) if name in properties else None
    return {name: value for name, value in properties.items() if value not in (None, "NA")}


def _text(event: Event) -> dict[str, Any]:
    properties = event.body.select(message_key="info.messageKey", definition_key="definitionKey")
    return {name: value for name, value in properties.items() if value != "NA"}


def _reader(event: Event) -> dict[str, Any]:
    return event.body.select(ip="info.ipAddress", userAgent="info.userAgent")


@salesforce_marketing_cloud.on("TransactionalSendEvents.EmailSent")
def email_sent(event: Event) -> Iterator[Message]:
    yield track("Email Sent", _send(event))


@salesforce_marketing_cloud.on("TransactionalSendEvents.EmailNotSent")
def email_not_sent(event: Event) -> Iterator[Message]:
    properties = event.body.select(reason="info.reason", status="info.statusMessage", error_code="info.statusCode")
    yield track("Email Dropped", _send(event) | properties)


@salesforce_marketing_cloud.on("TransactionalSendEvents.EmailBounced")
def email_bounced(event: Event) -> Iterator[Message]:
    properties = event.body.select(reason="info.bounceMessage", smtp_status="info.smtpReason")
    kind = event.body.opt.text("info.bounceCode")
    yield track("Email Bounced", {**_send(event), **properties, "bounce_type": kind.lower() if kind else None})


@salesforce_marketing_cloud.on("EngagementEvents.EmailOpen")
def email_opened(event: Event) -> Iterator[Message]:
    yield track("Email Opened", _send(event), context=_reader(event))


@salesforce_marketing_cloud.on("EngagementEvents.EmailClick")
def email_clicked(event: Event) -> Iterator[Message]:
    link = event.body.select(link_url="info.contentLink:text", link_id="info.jobUrlId:id")
    yield track("Email Link Clicked", _send(event) | link, context=_reader(event))


@salesforce_marketing_cloud.on("EngagementEvents.EmailUnsubscribe")
def unsubscribed(event: Event) -> Iterator[Message]:
    how = event.body.opt.text("info.unsubscribeMethod")
    yield track(UNSUBSCRIBED_EVENT.of(event), {**_send(event), "unsubscribe_method": how.lower() if how else None})


@salesforce_marketing_cloud.on("TransactionalSendEvents.SmsSent")
def sms_sent(event: Event) -> Iterator[Message]:
    yield track("SMS Sent", _text(event))


@salesforce_marketing_cloud.on("TransactionalSendEvents.SmsDelivered")
def sms_delivered(event: Event) -> Iterator[Message]:
    yield track("SMS Delivered", _text(event))


@salesforce_marketing_cloud.on("TransactionalSendEvents.SmsNotSent", "TransactionalSendEvents.SmsBounced")
def sms_failed(event: Event) -> Iterator[Message]:
    properties = event.body.select(reason="info.reason", error_code="info.statusCode", status="info.statusMessage")
    yield track("SMS Failed", _text(event) | properties)


salesforce_marketing_cloud.ignore(
    "TransactionalSendEvents.SmsTransient", because="in progress; SmsDelivered or SmsBounced follows"
)
salesforce_marketing_cloud.ignore("SendEvents.Automation*", because="about one of your automations, not a person")
