"""Signature, key, time and identity of Kustomer's events."""

from __future__ import annotations

from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    HmacBody,
    Identity,
    Payload,
    SharedToken,
    Skip,
    Source,
    accept_account,
    real_name,
    text_option,
)

ORG_ID: Final = text_option(
    "org_id", "accept the events of this organization only (an app receives events of all that installed it)"
)

kustomer = Source(
    "kustomer",
    title="Kustomer",
    docs="https://developer.kustomer.com/docs/events/outbound-webhooks",
    secret_help="Settings > Platform > Outbound webhooks > your webhook > Edit > Header information: the token",
    scheme={
        # https://developer.kustomer.com/docs/events/delivery-and-retries
        "signature": HmacBody(header="X-Kustomer-Webhook-Signature"),
        "token": SharedToken(where="header", name="X-Segue-Token"),
    },
    options=[ORG_ID],
)

accept_account(kustomer, ORG_ID, lambda delivery: delivery.payload.opt.id("org"), what="Kustomer organization")


kustomer.head_at(id="id", type="name", occurred_at="createdAt:iso")  # the id is the same on a retry


@kustomer.identity
def identity(event: Event) -> Identity:
    """Return the customer. A conversation or message has the customer's Kustomer id only."""
    data = event.body.object("data")
    if event.type.startswith("kustomer.customer."):
        return _customer(data)
    customer_id = related(data, "customer")
    if customer_id is None:
        raise Skip("no customer: the conversation names none")
    return by_id(customer_id)


def by_id(customer_id: str) -> Identity:
    """Return a customer of whom only the id is known."""
    return Identity(
        anonymous=("customer", customer_id), external_ids=(ExternalId("kustomer_customer_id", customer_id),)
    )


def _customer(data: Payload) -> Identity:
    """Return a customer. `externalId` is the id with which your server signs in a chat customer.

    https://developer.kustomer.com/docs/chat/identity
    """
    customer_id, attributes = data.id("id"), data.object("attributes")
    return Identity(
        metadata=(attributes.texts("custom"),),
        user_ids=(attributes.id("externalId", ""),),
        anonymous=("customer", customer_id),
        external_ids=(ExternalId("kustomer_customer_id", customer_id),),
        traits=contact_traits(attributes),
        group_id=related(data, "company"),
    )


def related(data: Payload, name: str) -> str | None:
    """Return the id of a record's only relation of that name."""
    return data.opt.id(f"relationships.{name}.data.id")


def contact_traits(attributes: Payload) -> dict[str, Any]:
    """Return the traits by which a person is known and reached."""
    return {
        "name": real_name(attributes.opt.text("name")),
        "email": _first(attributes, "emails", "email"),
        "phone": _first(attributes, "phones", "phone"),
    }


def _first(attributes: Payload, path: str, name: str) -> str | None:
    return next((value for entry in attributes.each(path) if (value := entry.opt.text(name))), None)


def changes(event: Event, member: str = "attributes") -> Payload:
    """Return `{name: {op, before, after}}`; empty for a creation."""
    changed = event.body.maybe(f"changes.{member}")
    return changed if isinstance(changed.value, dict) else Payload({}, changed.path)
