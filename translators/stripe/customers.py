"""Customers with their discounts, payment methods, entitlements and credit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import CLEAR, Event, Message, Payload, identify, track
from translators.stripe.money import amount, code, priced
from translators.stripe.source import changed, event_object, previous, stripe

_PLAIN: Final = ("email", "name", "phone", "description")


@stripe.on("customer.created")
def customer_created(event: Event) -> Iterator[Message]:
    customer = event_object(event)
    yield identify({**_traits(customer), **customer.select(createdAt="created:seconds")})
    yield track("Customer Created", {"customer_id": customer.id("id")})


@stripe.on("customer.updated")
def customer_updated(event: Event) -> Iterator[Message]:
    customer = event_object(event)
    traits = _traits(customer)
    for name in _PLAIN:
        if changed(event, name) and customer.get(name) is None and previous(event).get(name) is not None:
            traits[name] = CLEAR  # the field was cleared
    if customer.get("address") is None and previous(event).get("address") is not None:
        traits["address"] = CLEAR
    yield identify(traits)


@stripe.tracks({"customer.deleted": "Customer Deleted"})
def customer_deleted(event: Event) -> dict[str, Any]:
    return {"customer_id": event_object(event).id("id")}


def _traits(customer: Payload) -> dict[str, Any]:
    address = customer.maybe("address")
    street = ", ".join(filter(None, (address.opt.text("line1"), address.opt.text("line2"))))
    address_traits = address.select("city", "country", "state", postalCode="postal_code")
    if street:
        address_traits["street"] = street
    return {name: customer.opt.text(name) for name in _PLAIN} | ({"address": address_traits} if address_traits else {})


@stripe.tracks(
    {
        "customer.discount.created": "Coupon Applied",
        "customer.discount.updated": "Coupon Applied",
        "customer.discount.deleted": "Coupon Removed",
    }
)
def discount(event: Event) -> dict[str, Any]:
    """Describe a discount. Older versions hold the coupon; since 2025 `source` has its id, or the expanded coupon."""
    discount = event_object(event)
    path = "coupon" if discount.get("coupon") is not None else "source.coupon"
    coupon = Payload(discount.get(path), f"{discount.path}.{path}")
    return {
        "coupon_id": discount.opt.id(path),
        **coupon.select(coupon_name="name:text"),
        "discount": amount(coupon, "amount_off"),
        "currency": code(coupon),
        **coupon.select("percent_off:decimal"),
        **discount.select(promotion_code_id="promotion_code:id", subscription_id="subscription:id"),
    }


@stripe.tracks({"payment_method.attached": "Payment Method Added", "payment_method.detached": "Payment Method Removed"})
def payment_method(event: Event) -> dict[str, Any]:
    method = event_object(event)
    return {
        "payment_method_id": method.id("id"),
        **method.select(
            payment_method="type:text",
            card_brand="card.brand:text",
            card_country="card.country:text",
            card_exp_month="card.exp_month:integer",
            card_exp_year="card.exp_year:integer",
        ),
    }


@stripe.tracks(
    {
        "payment_method.updated": "Payment Method Updated",
        "payment_method.automatically_updated": "Payment Method Updated",
    }
)
def payment_method_updated(event: Event) -> dict[str, Any]:
    return {**payment_method(event), "automatic": event.type.endswith("automatically_updated")}


@stripe.tracks({"setup_intent.succeeded": "Payment Method Saved"})
def setup(event: Event) -> dict[str, Any]:
    setup = event_object(event)
    return {
        "setup_intent_id": setup.id("id"),
        **setup.select(payment_method_id="payment_method:id", usage="usage:text"),
    }


@stripe.tracks({"setup_intent.setup_failed": "Payment Method Setup Failed"})
def setup_failed(event: Event) -> dict[str, Any]:
    return {
        **setup(event),
        **event_object(event).select(
            error_code="last_setup_error.code:text", decline_code="last_setup_error.decline_code:text"
        ),
    }


@stripe.tracks({"setup_intent.canceled": "Payment Method Setup Cancelled"})
def setup_cancelled(event: Event) -> dict[str, Any]:
    return {**setup(event), **event_object(event).select(reason="cancellation_reason:text")}


@stripe.tracks({"entitlements.active_entitlement_summary.updated": "Entitlements Changed"})
def entitlements_changed(event: Event) -> dict[str, Any]:
    entitlements = event_object(event).maybe("entitlements").each("data")
    features = (entitlement.first("lookup_key", "feature:id") for entitlement in entitlements)
    return {"features": [feature for feature in features if feature]}


@stripe.tracks({"billing.credit_grant.created": "Credit Granted"})
def credit_granted(event: Event) -> dict[str, Any]:
    grant = event_object(event)
    return {
        **priced(grant.maybe("amount.monetary"), amount="value"),
        "credit_grant_id": grant.id("id"),
        **grant.select("category:text", "expires_at:seconds"),
    }


@stripe.tracks({"billing.alert.triggered": "Usage Alert Triggered"})
def usage_alert(event: Event) -> dict[str, Any]:
    return event_object(event).select(alert_id="alert:id", alert_title="alert.title:text", value="value:decimal")
