"""Recurly -> Segment. https://docs.recurly.com/recurly-subscriptions/docs/webhooks

JSON webhooks are thin: they name an object and its account and hold no other data. So amounts are unknown and no
message carries revenue; each message has the object's id, by which you can look it up.
"""

from __future__ import annotations

from typing import Any, Final

from translators.kit import Event, ExternalId, Head, HmacKvHeader, Identity, Item, Source, first_id

recurly = Source(
    "recurly",
    title="Recurly",
    docs="https://docs.recurly.com/recurly-subscriptions/docs/webhooks",
    secret_help="Integrations > Webhooks > your JSON endpoint > Secret key (XML endpoints are not signed)",
    # https://docs.recurly.com/recurly-subscriptions/docs/signature-verification: the text says milliseconds, the
    # example shows seconds, so the magnitude decides the unit
    scheme=HmacKvHeader(header="recurly-signature", positional=True, ts_form="auto"),
)

recurly.manual_steps(
    "Integrations > Webhooks > Configure > New Endpoint (Recurly's API cannot do this): {url}",
    "Choose the format JSON: XML endpoints are not signed and are refused.",
    "Choose these notifications (object and event):{types}",
)


@recurly.head
def head(item: Item) -> Head:
    """Use type, object and time as key, which are the same on every retry."""
    body = item.body
    type_ = f"{body.text('object_type')}.{body.text('event_type')}"
    at = body.iso("event_time", naive_is_utc=True)
    key = body.id("uuid", "") or body.id("id")
    return Head(id=f"{type_}:{key}:{body.text('event_time')}", type=type_, occurred_at=at)


@recurly.identity
def account(event: Event) -> Identity:
    """Use `account_code`, which Recurly documents as the merchant's own code for the account."""
    body = event.body
    user_id = body.id("account_code", "")
    account_id = body.id("id", "") if body.get("object_type") == "account" else ""
    return Identity(
        user_ids=(user_id,),
        anonymous=first_id(account=account_id, object=body.first("uuid:id", "id:id")),
        external_ids=(ExternalId("recurly_account_code", user_id),),
    )


_KEY: Final = {
    "account": "account_id",
    "subscription": "subscription_id",
    "charge_invoice": "invoice_id",
    "payment": "payment_id",
}


@recurly.tracks(
    {
        "account.created": "Customer Created",
        "account.deleted": "Customer Deleted",
        "account.closed": "Customer Deleted",
        "subscription.created": "Subscription Started",
        "subscription.updated": "Subscription Updated",
        "subscription.renewed": "Subscription Renewed",
        "subscription.canceled": "Subscription Cancellation Scheduled",
        "subscription.reactivated": "Subscription Cancellation Withdrawn",
        "subscription.expired": "Subscription Cancelled",
        "subscription.paused": "Subscription Paused",
        "subscription.resumed": "Subscription Resumed",
        "charge_invoice.created": "Invoice Created",
        "charge_invoice.paid": "Invoice Paid",
        "charge_invoice.past_due": "Invoice Overdue",
        "charge_invoice.failed": "Invoice Payment Failed",
        "payment.succeeded": "Payment Succeeded",
        "payment.failed": "Payment Failed",
        "payment.declined": "Payment Failed",
        "payment.refunded": "Order Refunded",
        "payment.voided": "Payment Cancelled",
    }
)
def named(event: Event) -> dict[str, Any]:
    body = event.body
    id_ = body.first("uuid:id", "id:id")
    order = {"order_id": id_} if event.type == "payment.refunded" else {}
    return {_KEY.get(body.text("object_type"), "object_id"): id_, **order}


recurly.ignore("account.*", because="the webhook does not say what changed, and holds no account data")
recurly.ignore(
    "subscription.*",
    "charge_invoice.*",
    "payment.*",
    "invoice.*",
    because="an intermediate step; the result has its own event",
)
recurly.ignore(
    "credit_*",
    "dunning*",
    "billing_info.*",
    "shipping_address.*",
    "gift_card.*",
    because="the webhook holds only the object's id",
)
recurly.ignore(
    "plan.*",
    "item.*",
    "coupon.*",
    "measured_unit.*",
    "price_segment.*",
    because="the merchant's catalogue, not a customer event",
)
