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
    yield identify({**_traits(customer), "createdAt": customer.opt.seconds("created")})
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
    street = ", ".join(filter(None, (address.opt.text("line1"), address.opt.text("line2"))))
    address_traits = address.select("city", "country", "state", postalCode="postal_code")
    if street:
        address_traits["street"] = street
    return {name: customer.opt.text(name) for name in _PLAIN} | ({"address": address_traits} if address_traits else {})


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
        "coupon_id": discount.opt.id(path),
        "coupon_name": coupon.opt.text("name"),
        "discount": amount(coupon, "amount_off"),
        "currency": code(coupon),
        "percent_off": coupon.opt.decimal("percent_off"),
        **discount.select(promotion_code_id="promotion_code:id", subscription_id="subscription:id"),
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
        "payment_method": method.opt.text("type"),
        **card.select(
            card_brand="brand:text",
            card_country="country:text",
            card_exp_month="exp_month:integer",
            card_exp_year="exp_year:integer",
        ),
    }


@stripe.on("setup_intent.succeeded")
def payment_method_saved(event: Event) -> Iterator[Message]:
    yield track("Payment Method Saved", _setup(event_object(event)))


@stripe.on("setup_intent.setup_failed")
def payment_method_setup_failed(event: Event) -> Iterator[Message]:
    setup = event_object(event)
    error = setup.maybe("last_setup_error")
    yield track(
        "Payment Method Setup Failed", {**_setup(setup), **error.select(error_code="code", decline_code="decline_code")}
    )


@stripe.on("setup_intent.canceled")
def payment_method_setup_cancelled(event: Event) -> Iterator[Message]:
    setup = event_object(event)
    yield track("Payment Method Setup Cancelled", {**_setup(setup), "reason": setup.opt.text("cancellation_reason")})


def _setup(setup: Payload) -> dict[str, Any]:
    return {
        "setup_intent_id": setup.id("id"),
        **setup.select(payment_method_id="payment_method:id", usage="usage:text"),
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
                if (feature := entitlement.opt.text("lookup_key") or entitlement.opt.id("feature"))
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
            **grant.select("category:text", "expires_at:seconds"),
        },
    )


@stripe.on("billing.alert.triggered")
def usage_alert(event: Event) -> Iterator[Message]:
    alert = event_object(event)
    yield track(
        "Usage Alert Triggered",
        alert.select(alert_id="alert:id", alert_title="alert.title:text", value="value:decimal"),
    )
