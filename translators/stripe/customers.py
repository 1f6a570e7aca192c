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
    yield identify({**_traits(customer), "createdAt": customer.seconds("created", None)})
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


@stripe.on("customer.deleted")
def customer_deleted(event: Event) -> Iterator[Message]:
    yield track("Customer Deleted", {"customer_id": event_object(event).id("id")})


def _traits(customer: Payload) -> dict[str, Any]:
    address = customer.maybe("address")
    street = ", ".join(filter(None, (address.text("line1", None), address.text("line2", None))))
    address_traits = address.pick("city", "country", "state", postalCode="postal_code")
    if street:
        address_traits["street"] = street
    return {name: customer.text(name, None) for name in _PLAIN} | (
        {"address": address_traits} if address_traits else {}
    )


@stripe.on("customer.discount.created", "customer.discount.updated")
def discount_applied(event: Event) -> Iterator[Message]:
    yield track("Coupon Applied", _discount(event_object(event)))


@stripe.on("customer.discount.deleted")
def discount_removed(event: Event) -> Iterator[Message]:
    yield track("Coupon Removed", _discount(event_object(event)))


def _discount(discount: Payload) -> dict[str, Any]:
    """Describe a discount. Older versions hold the coupon; since 2025 `source` has its id, or the expanded coupon."""
    path = "coupon" if discount.get("coupon") is not None else "source.coupon"
    coupon = Payload(discount.get(path), f"{discount.path}.{path}")
    return {
        "coupon_id": discount.id(path, None),
        "coupon_name": coupon.text("name", None),
        "discount": amount(coupon, "amount_off"),
        "currency": code(coupon),
        "percent_off": coupon.decimal("percent_off", None),
        "promotion_code_id": discount.id("promotion_code", None),
        "subscription_id": discount.id("subscription", None),
    }


@stripe.on("payment_method.attached")
def payment_method_added(event: Event) -> Iterator[Message]:
    yield track("Payment Method Added", _method(event_object(event)))


@stripe.on("payment_method.detached")
def payment_method_removed(event: Event) -> Iterator[Message]:
    yield track("Payment Method Removed", _method(event_object(event)))


@stripe.on("payment_method.updated", "payment_method.automatically_updated")
def payment_method_updated(event: Event) -> Iterator[Message]:
    yield track(
        "Payment Method Updated",
        {**_method(event_object(event)), "automatic": event.type.endswith("automatically_updated")},
    )


def _method(method: Payload) -> dict[str, Any]:
    card = method.maybe("card")
    return {
        "payment_method_id": method.id("id"),
        "payment_method": method.text("type", None),
        "card_brand": card.text("brand", None),
        "card_country": card.text("country", None),
        "card_exp_month": card.integer("exp_month", None),
        "card_exp_year": card.integer("exp_year", None),
    }


@stripe.on("setup_intent.succeeded")
def payment_method_saved(event: Event) -> Iterator[Message]:
    yield track("Payment Method Saved", _setup(event_object(event)))


@stripe.on("setup_intent.setup_failed")
def payment_method_setup_failed(event: Event) -> Iterator[Message]:
    setup = event_object(event)
    error = setup.maybe("last_setup_error")
    yield track(
        "Payment Method Setup Failed", {**_setup(setup), **error.pick(error_code="code", decline_code="decline_code")}
    )


@stripe.on("setup_intent.canceled")
def payment_method_setup_cancelled(event: Event) -> Iterator[Message]:
    setup = event_object(event)
    yield track("Payment Method Setup Cancelled", {**_setup(setup), "reason": setup.text("cancellation_reason", None)})


def _setup(setup: Payload) -> dict[str, Any]:
    return {
        "setup_intent_id": setup.id("id"),
        "payment_method_id": setup.id("payment_method", None),
        "usage": setup.text("usage", None),
    }


@stripe.on("entitlements.active_entitlement_summary.updated")
def entitlements_changed(event: Event) -> Iterator[Message]:
    entitlements = event_object(event).maybe("entitlements").each("data")
    yield track(
        "Entitlements Changed",
        {
            "features": [
                feature
                for entitlement in entitlements
                if (feature := entitlement.text("lookup_key", None) or entitlement.id("feature", None))
            ]
        },
    )


@stripe.on("billing.credit_grant.created")
def credit_granted(event: Event) -> Iterator[Message]:
    grant = event_object(event)
    money = grant.maybe("amount.monetary")
    yield track(
        "Credit Granted",
        {
            **priced(money, amount="value"),
            "credit_grant_id": grant.id("id"),
            "category": grant.text("category", None),
            "expires_at": grant.seconds("expires_at", None),
        },
    )


@stripe.on("billing.alert.triggered")
def usage_alert(event: Event) -> Iterator[Message]:
    alert = event_object(event)
    yield track(
        "Usage Alert Triggered",
        {
            "alert_id": alert.id("alert", None),
            "alert_title": alert.text("alert.title", None),
            "value": alert.decimal("value", None),
        },
    )
