"""Any provider that sends Standard Webhooks (or uses Svix) -> Segment, without its own source.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md

The spec suggests a body `{type, timestamp, data}`. The words of the type become the message's name (`invoice.paid` is
"Invoice Paid") and the scalar members of `data` its properties. Options give the paths of the person's ids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any, Final

from translators.kit import (
    Event,
    FormerId,
    Head,
    Identity,
    Item,
    Malformed,
    Message,
    Option,
    Payload,
    Skip,
    Source,
    StandardWebhooks,
    first_id,
    joined,
    text_option,
    track,
)

USER_ID: Final = text_option("user_id", "the path of your own user id, such as data.external_id")
METADATA: Final = text_option(
    "metadata", "the path of a free-form object that may hold one of your user id keys", "data.metadata"
)
CUSTOMER_ID: Final = text_option("customer_id", "the path of the provider's id of the person, such as data.customer_id")
EMAIL: Final = text_option("email", "the path of the person's e-mail address, such as data.email")
GROUP_ID: Final = text_option("group_id", "the path of the account that the person acts for")
EVENT_ID: Final = text_option(
    "event_id", "the path of the event's id, if the provider gives each endpoint its own webhook-id"
)
TIME: Final = text_option("time", "the path of the event's time: ISO 8601, unix seconds or milliseconds", "timestamp")

_PERSON: Final = (USER_ID, CUSTOMER_ID, EMAIL)

standard_webhooks = Source(
    "standard_webhooks",
    title="Standard Webhooks",
    docs="https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md",
    secret_help="the endpoint's signing secret (whsec_...) in the provider's settings",
    scheme={"default": StandardWebhooks(), "plain_key": StandardWebhooks(key="utf8")},
    keep_headers=["webhook-id", "svix-id"],
    options=[USER_ID, METADATA, CUSTOMER_ID, EMAIL, GROUP_ID, EVENT_ID, TIME],
)

_CAMEL_CASE: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_SEPARATORS: Final = re.compile(r"[\W_]+")


standard_webhooks.manual_steps(
    "In the provider's settings (Clerk, Svix, OpenAI, Polar ...: look for Webhooks) add an endpoint: {url}",
    "Choose the events that you want in Segment: each becomes a track named after its type.",
    "Set the path of your user id in the body, for example SEGUE_STANDARD_WEBHOOKS_USER_ID=data.user_id.",
)


@standard_webhooks.head
def head(item: Item) -> Head:
    """Use the message's id, the same on every retry, or the event's id at the configured path.

    `webhook-timestamp` is the time of the attempt and is not used.
    """
    body = item.body
    message_id = item.headers.get("webhook-id") or item.headers.get("svix-id") or item.digest
    type_, at = body.text("type"), body.opt.when(TIME.of(item) or "timestamp")
    path = EVENT_ID.of(item)
    event_id = body.id(path, "") if path else ""
    if not event_id:
        return Head(id=message_id, type=type_, occurred_at=at)
    former_ids = (FormerId(message_id), FormerId(f"{type_}:{event_id}"))
    return Head(id=joined(type_, event_id), type=type_, occurred_at=at, former_ids=former_ids)


@standard_webhooks.identity
def identity(event: Event) -> Identity:
    """Read the person from the configured paths; raise Malformed if they have none."""
    body = event.body
    user_id, customer, email = (_read(event, option) for option in _PERSON)
    metadata = METADATA.of(event)
    custom = dict(body.texts(metadata)) if metadata else {}
    if not (user_id or customer or email or custom):
        if empty := next(filter(None, map(partial(_empty, event), _PERSON)), ""):
            raise Skip(f"no customer: $.{empty} is empty")
        paths = [f"$.{option.of(event)}" for option in _PERSON if option.of(event)]
        raise Malformed(
            ", ".join(paths) or "$", "names no person; see this source's settings user_id, customer_id, email"
        )
    # Customer ids are unique within one provider only, and each provider has its own endpoint.
    scope = "" if event.source == standard_webhooks.name else f"{event.source}|"
    return Identity(
        metadata=(custom,),
        user_ids=(user_id,) if user_id else (),
        anonymous=first_id(customer=f"{scope}{customer}" if customer else "", email=email.lower()),
        traits={"email": email},
        group_id=_read(event, GROUP_ID) or None,
    )


def _read(event: Event, option: Option[str]) -> str:
    path = option.of(event)
    return event.body.id(path, "").strip() if path else ""


def _empty(event: Event, option: Option[str]) -> str:
    """Return the configured path if the body has that member but it is empty: a record without a customer."""
    path = option.of(event)
    holder, _, name = path.rpartition(".")
    members = event.body.get(holder) if holder else event.body.value
    return path if path and isinstance(members, dict) and name in members else ""


def message_name(type_: str) -> str:
    """Return the message name: `invoice.paid`, `invoice_paid`, `invoice/paid`, `invoicePaid` give "Invoice Paid"."""
    words = [word for word in _SEPARATORS.split(_CAMEL_CASE.sub(" ", type_)) if word]
    return " ".join(word if word.isupper() else word.capitalize() for word in words) or type_


def _scalars(data: Payload) -> dict[str, Any]:
    members = data.value if isinstance(data.value, dict) else {}
    return {name: value for name, value in members.items() if name and isinstance(value, str | int | Decimal)}


@standard_webhooks.on("*")
def any_event(event: Event) -> Iterator[Message]:
    yield track(message_name(event.type), _scalars(event.body.maybe("data")))
