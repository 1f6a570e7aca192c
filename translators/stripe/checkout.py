"""Checkout sessions: Checkout Started, and the order if a session sold a one-off purchase.

By default a paid session carries the `revenue` of a one-off purchase; payments.py has the alternative. A session
either completes or expires, so Checkout Started is sent once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, track
from translators.stripe.money import amount, checkout_amounts, code, line_unit_price, net, quantity_of, unit_price
from translators.stripe.source import REVENUE_FROM, event_object, own_time, stripe

_PAID: Final = {"paid", "no_payment_required"}


@stripe.on("checkout.session.completed")
def checkout_completed(event: Event) -> Iterator[Message]:
    session = event_object(event)
    _skip_setup(session)
    yield _started(event, session)
    if _is_order(event, session) and session.text("payment_status", "unpaid") in _PAID:
        yield _order(session)
    else:
        yield track("Checkout Completed", {**_checkout(session), **session.select("payment_status:text")})


@stripe.on("checkout.session.async_payment_succeeded")
def checkout_paid_later(event: Event) -> Iterator[Message]:
    session = event_object(event)
    _skip_setup(session)
    if session.get("mode") != "payment":
        raise Skip("invoice.paid carries the revenue of a subscription")
    if not _is_order(event, session):
        raise Skip("payment_intent.succeeded is the order, since revenue_from is payments")
    yield _order(session)


@stripe.tracks({"checkout.session.async_payment_failed": "Checkout Payment Failed"})
def checkout_payment_failed(event: Event) -> dict[str, Any]:
    return _checkout(event_object(event))


@stripe.on("checkout.session.expired")
def checkout_expired(event: Event) -> Iterator[Message]:
    session = event_object(event)
    _skip_setup(session)
    yield _started(event, session)
    recovery = session.select(recovery_url="after_expiration.recovery.url:text")
    yield track("Checkout Abandoned", {**_checkout(session), **recovery})


def _skip_setup(session: Payload) -> None:
    if session.get("mode") == "setup":
        raise Skip("a setup-mode session is not an order; setup_intent.succeeded reports the saved payment method")


def _started(event: Event, session: Payload) -> Message:
    """Report the start of the session with its own time: Stripe sends no event when a session opens."""
    money = checkout_amounts(session)
    return track(
        "Checkout Started",
        {
            "checkout_id": session.id("id"),
            "order_id": _order_id(session),
            "value": money.get("total"),
            "discount": money.get("discount"),
            "shipping": money.get("shipping"),
            "tax": money.get("tax"),
            **session.select(coupon="discounts.0.coupon:id"),
            "currency": money.get("currency"),
            "products": _products(session),
        },
        occurred_at=own_time(event, session.opt.seconds("created")),
    )


def _is_order(event: Event, session: Payload) -> bool:
    """Return whether the session is a one-off purchase whose payment is not already the order."""
    payment_is_order = REVENUE_FROM.of(event) == "payments" and session.get("payment_intent") is not None
    return session.get("mode") == "payment" and not payment_is_order


def _order(session: Payload) -> Message:
    """Report the order. https://segment.com/docs/connections/spec/ecommerce/v2/#order-completed"""
    money = checkout_amounts(session)
    invoiced = session.get("invoice") is not None or session.get("invoice_creation.enabled") is True
    return track(
        "Order Completed",
        {**_checkout(session), **money, "revenue": None if invoiced else net(money), "products": _products(session)},
    )


def _checkout(session: Payload) -> dict[str, Any]:
    return {
        "checkout_id": session.id("id"),
        "order_id": _order_id(session),
        **session.select(
            "mode:text",
            payment_intent_id="payment_intent:id",
            subscription_id="subscription:id",
            invoice_id="invoice:id",
            payment_link_id="payment_link:id",
            coupon="discounts.0.coupon:id",
            promotion_code_id="discounts.0.promotion_code:id",
        ),
        "total": amount(session, "amount_total"),
        "currency": code(session),
    }


def _order_id(session: Payload) -> str:
    """Return the payment's id, so that its refund has the same order id; the session's if there is no payment."""
    return session.opt.id("payment_intent") or session.id("id")


def _products(session: Payload) -> list[dict[str, Any]] | None:
    """Return the products, or None: Stripe includes line items only if they were expanded."""
    if not isinstance(session.get("line_items"), dict):
        return None
    products = []
    for line in session.each("line_items.data"):
        quantity = quantity_of(line)
        price = line_unit_price(line, "amount_subtotal", quantity)
        if price is None:
            price = unit_price(Payload(line.get("price"), line.path), "unit_amount", "unit_amount_decimal")
        products.append(
            {
                **line.select(product_id="price.product:id", sku="price:id", name="description:text"),
                "quantity": quantity,
                "price": price,
            }
        )
    return products
