"""Translate Marketing Cloud Engagement's Event Notification Service (ENS).

https://developer.salesforce.com/docs/marketing/marketing-cloud/guide/ens.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    Response,
    Source,
    choice_option,
    first_id,
    parse_json,
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
    return delivery.members


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
    anonymous = first_id(
        subscriber=None if subscriber in _NO_IDS else f"{account}{subscriber}",
        subscriber_key=f"{account}{key}" if key else None,
        email=email.lower(),
        phone=to,
    )
    if anonymous is None:
        raise Malformed("$.composite.subscriberId", "is missing, and so are subscriberKey and the address")
    external_ids = [ExternalId("salesforce_subscriber_key", key)]
    if kind_of(key) in {"contact", "lead"} and len(key) == 18:  # keys of Marketing Cloud Connect
        external_ids.append(external(kind_of(key), key))
    return Identity(
        user_ids=(key,) if SUBSCRIBER_KEY.of(event) == "user_id" else (),
        anonymous=anonymous,
        external_ids=tuple(external_ids),
        traits={"email": email} if email else {"phone": to},
    )


_NOT_SENT: Final = {"reason": "info.reason", "status": "info.statusMessage", "error_code": "info.statusCode"}
_MORE: Final = {
    "TransactionalSendEvents.EmailNotSent": _NOT_SENT,
    "TransactionalSendEvents.EmailBounced": {
        "reason": "info.bounceMessage",
        "smtp_status": "info.smtpReason",
        "bounce_type": "info.bounceCode:lower",
    },
    "EngagementEvents.EmailClick": {"link_url": "info.contentLink:text", "link_id": "info.jobUrlId:id"},
    "EngagementEvents.EmailUnsubscribe": {"unsubscribe_method": "info.unsubscribeMethod:lower"},
    "TransactionalSendEvents.SmsNotSent": _NOT_SENT,
    "TransactionalSendEvents.SmsBounced": _NOT_SENT,
}
"""The properties that only some types have."""


def reader(event: Event) -> dict[str, Any]:
    return event.body.select(ip="info.ipAddress", userAgent="info.userAgent")


@salesforce_marketing_cloud.tracks(
    {"EngagementEvents.EmailOpen": "Email Opened", "EngagementEvents.EmailClick": "Email Link Clicked"}, context=reader
)
@salesforce_marketing_cloud.tracks(
    {
        "TransactionalSendEvents.EmailSent": "Email Sent",
        "TransactionalSendEvents.EmailNotSent": "Email Dropped",
        "TransactionalSendEvents.EmailBounced": "Email Bounced",
        "EngagementEvents.EmailUnsubscribe": UNSUBSCRIBED_EVENT,
    }
)
def email(event: Event) -> dict[str, Any]:
    """Return an e-mail's properties. `NA` means no value."""
    properties = event.body.select(
        email_subject="info.renderedSubject", message_key="info.messageKey", campaign_id="composite.jobId",
        list_id="composite.listId", definition_key="definitionKey", email_id="composite.emailId:id",
    )  # fmt: skip
    ids = {name: str(properties[name]) for name in ("campaign_id", "list_id") if name in properties}
    sent = {name: value for name, value in (properties | ids).items() if value != "NA"}
    return sent | event.body.select(**_MORE.get(event.type, {}))


@salesforce_marketing_cloud.tracks(
    {
        "TransactionalSendEvents.SmsSent": "SMS Sent",
        "TransactionalSendEvents.SmsDelivered": "SMS Delivered",
        "TransactionalSendEvents.SmsNotSent": "SMS Failed",
        "TransactionalSendEvents.SmsBounced": "SMS Failed",
    }
)
def text(event: Event) -> dict[str, Any]:
    properties = event.body.select(message_key="info.messageKey", definition_key="definitionKey")
    sent = {name: value for name, value in properties.items() if value != "NA"}
    return sent | event.body.select(**_MORE.get(event.type, {}))


salesforce_marketing_cloud.ignore(
    "TransactionalSendEvents.SmsTransient", because="in progress; SmsDelivered or SmsBounced follows"
)
salesforce_marketing_cloud.ignore("SendEvents.Automation*", because="about one of your automations, not a person")
