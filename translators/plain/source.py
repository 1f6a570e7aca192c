"""Signature, key, time and identity of Plain's events."""

from __future__ import annotations

from typing import Final

from translators.kit import (
    Event,
    ExternalId,
    HmacBody,
    Identity,
    Payload,
    Skip,
    Source,
    accept_account,
    real_name,
    text_option,
)

WORKSPACE_ID: Final = text_option("workspace_id", "accept events of this workspace only (w_...)")

plain = Source(
    "plain",
    title="Plain",
    docs="https://www.plain.com/docs/webhooks",
    secret_help="Settings > Request signing: the workspace's HMAC secret, one for all webhook targets",
    scheme=HmacBody(header="Plain-Request-Signature", ts_path="webhookMetadata.webhookDeliveryAttemptTimestamp"),
    options=[WORKSPACE_ID],
)

accept_account(plain, WORKSPACE_ID, lambda delivery: delivery.payload.opt.id("workspaceId"), what="Plain workspace")


# The id `pEv_...` and the event's time in milliseconds; both are the same on every attempt
plain.head_at(id="id", type="type", occurred_at="timestamp:iso")


@plain.skip_if
def no_spam(event: Event) -> str | None:
    """Skip events of a customer whom your team marked as spam."""
    if _customer(event).get("markedAsSpamAt") is not None:
        return "the customer is marked as spam"
    return None


def _customer(event: Event) -> Payload:
    payload = event.body.object("payload")
    for path in ("thread.customer", "customer", "previousCustomer"):
        if payload.get(f"{path}.id"):
            return payload.object(path)
    raise Skip("no customer: the thread names none")


@plain.identity
def identity(event: Event) -> Identity:
    """Return the thread's customer. `externalId` of a customer or tenant is your own system's id."""
    customer = _customer(event)
    customer_id = customer.id("id")
    return Identity(
        user_ids=(customer.id("externalId", ""),),
        anonymous=("customer", customer_id),
        external_ids=(ExternalId("plain_customer_id", customer_id),),
        traits={"email": customer.opt.text("email.email"), "name": real_name(customer.opt.text("fullName"))},
        group_id=event.body.opt.id("payload.tenant.externalId"),
    )


def writer(event: Event, actor: Payload, sender: Payload) -> Identity | None:
    """Return the customer who wrote, if it was not the thread's own: a person in copy or in a shared channel.

    `sender` has the name and address of an e-mail's writer; it is empty for any other message.
    """
    if actor.text("actorType", "customer") in {"deletedCustomer", "supportEmailAddress"}:
        raise Skip("written by a deleted customer or one of your own addresses")
    customer_id = actor.opt.id("customerId")
    if customer_id is None or customer_id == _customer(event).id("id"):
        return None
    return Identity(
        anonymous=("customer", customer_id),
        external_ids=(ExternalId("plain_customer_id", customer_id),),
        traits={"email": sender.opt.text("email"), "name": real_name(sender.opt.text("name"))},
        group_id=identity(event).group_id,
    )
