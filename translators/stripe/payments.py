"""Checkout, payments, refunds and disputes.

One purchase, one `revenue`: by default a paid Checkout session carries it (Order Completed); with
`revenue_from = payments` every succeeded payment does, and the session does not. What an invoice bills is told by
`invoice.paid` in either case.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, track
from translators.stripe.money import amount, code, priced
from translators.stripe.source import changed, no_later, previous, stripe, thing_of

_PAID: Final = {"paid", "no_payment_required"}


@stripe.on("checkout.session.completed")
def checkout_completed(event: Event) -> Iterator[Message]:
    session = thing_of(event)
    _no_setup(session)
    yield _started(event, session)
    if session.get("mode") == "payment" and session.text("payment_status", "unpaid") in _PAID:
        yield _order(event, session)
    else:
        yield track("Checkout Completed", _checkout(session), payment_status=session.text("payment_status", None))


@stripe.on("checkout.session.async_payment_succeeded")
def checkout_paid_later(event: Event) -> Iterator[Message]:
    session = thing_of(event)
    _no_setup(session)
    if session.get("mode") != "payment":
        raise Skip("invoice.paid carries the revenue of a subscription")
    yield _order(event, session)


@stripe.on("checkout.session.async_payment_failed")
def checkout_payment_failed(event: Event) -> Iterator[Message]:
    yield track("Checkout Payment Failed", _checkout(thing_of(event)))


@stripe.on("checkout.session.expired")
def checkout_expired(event: Event) -> Iterator[Message]:
    session = thing_of(event)
    _no_setup(session)
    yield _started(event, session)
    yield track(
        "Checkout Abandoned", _checkout(session), recovery_url=session.text("after_expiration.recovery.url", None)
    )


def _no_setup(session: Payload) -> None:
    if session.get("mode") == "setup":
        raise Skip("a setup-mode session is no order; setup_intent.succeeded tells what was saved")


def _started(event: Event, session: Payload) -> Message:
    """Stripe sends nothing when a session opens; a session either completes or expires, and tells when it began."""
    money = _money(session)
    return track(
        "Checkout Started",
        order_id=_order_id(session),
        value=money.get("total"),
        revenue=None,
        discount=money.get("discount"),
        shipping=money.get("shipping"),
        tax=money.get("tax"),
        currency=money.get("currency"),
        products=_products(session),
        at=no_later(event, session.seconds("created", None)),
    )


def _order(event: Event, session: Payload) -> Message:
    """https://segment.com/docs/connections/spec/ecommerce/v2/#order-completed"""
    money = _money(session)
    revenue = _net(money)
    if event.option("revenue_from") == "payments" or session.get("invoice") is not None:
        revenue = None  # the payment or the invoice carries it
    subtotal = money.get("subtotal")
    if subtotal is not None and money.get("discount") is not None:
        subtotal -= money["discount"]  # the spec's subtotal is after discounts
    return track(
        "Order Completed",
        {**_checkout(session), **money, "subtotal": subtotal, "revenue": revenue, "products": _products(session)},
    )


def _checkout(session: Payload) -> dict[str, Any]:
    return {
        "checkout_id": session.id("id"),
        "order_id": _order_id(session),
        "mode": session.text("mode", None),
        "payment_intent_id": session.id("payment_intent", None),
        "subscription_id": session.id("subscription", None),
        "invoice_id": session.id("invoice", None),
        "payment_link_id": session.id("payment_link", None),
        "promotion_code_id": next((each.id("promotion_code", None) for each in session.each("discounts")), None),
        "total": amount(session, "amount_total") if session.get("currency") else None,
        "currency": code(session),
    }


def _order_id(session: Payload) -> str:
    """The payment, so that its refund names the same order; the session where there is no payment."""
    return session.id("payment_intent", None) or session.id("id")


def _money(session: Payload) -> dict[str, Any]:
    if session.get("currency") is None:
        return {}
    return priced(
        session, total="amount_total", subtotal="amount_subtotal", discount="total_details.amount_discount",
        shipping="total_details.amount_shipping", tax="total_details.amount_tax",
    )  # fmt: skip


def _net(money: dict[str, Any]) -> Decimal | None:
    """Segment's revenue: with discounts, without shipping and tax."""
    total: Decimal | None = money.get("total")
    return None if total is None else total - (money.get("shipping") or 0) - (money.get("tax") or 0)


def _products(session: Payload) -> list[dict[str, Any]] | None:
    """Line items are there only where the endpoint's own code expanded them."""
    if not isinstance(session.get("line_items"), dict):
        return None
    found = []
    for line in session.each("line_items.data"):
        price = line.maybe("price") if isinstance(line.get("price"), dict) else Payload({})
        found.append(
            {
                "product_id": price.id("product", None),
                "sku": price.id("id", None),
                "name": line.text("description", None),
                "quantity": line.integer("quantity", None),
                "price": amount(price, "unit_amount") if price.get("currency") else None,
            }
        )
    return found


_INTENT: Final = {
    "payment_intent.created": "Payment Started",
    "payment_intent.processing": "Payment Processing",
    "payment_intent.requires_action": "Payment Action Required",
    "payment_intent.partially_funded": "Payment Partially Funded",
    "payment_intent.amount_capturable_updated": "Payment Authorized",
    "payment_intent.canceled": "Payment Cancelled",
}


@stripe.on(*_INTENT)
def payment(event: Event) -> Iterator[Message]:
    intent = thing_of(event)
    yield track(_INTENT[event.type], _intent(intent), reason=intent.text("cancellation_reason", None))


@stripe.on("payment_intent.succeeded")
def payment_succeeded(event: Event) -> Iterator[Message]:
    intent = thing_of(event)
    told = _intent(intent)
    received = amount(intent, "amount_received") if intent.get("currency") else None
    billed = intent.get("invoice") is not None or intent.get("payment_details.order_reference") is not None
    if event.option("revenue_from") == "payments" and not billed:
        paid = received if received is not None else told["amount"]
        yield track("Order Completed", order_id=intent.id("id"), total=paid, revenue=paid, currency=told["currency"])
    yield track("Payment Succeeded", told, amount_received=received)


@stripe.on("payment_intent.payment_failed")
def payment_failed(event: Event) -> Iterator[Message]:
    intent = thing_of(event)
    error = intent.maybe("last_payment_error")
    yield track(
        "Payment Failed",
        _intent(intent),
        error_code=error.text("code", None),
        decline_code=error.text("decline_code", None),
        payment_method=error.text("payment_method.type", None),
    )


def _intent(intent: Payload) -> dict[str, Any]:
    return {
        "payment_intent_id": intent.id("id"),
        "charge_id": intent.id("latest_charge", None),
        "invoice_id": intent.id("invoice", None),
        "status": intent.text("status", None),
        "amount": amount(intent, "amount") if intent.get("currency") else None,
        "currency": code(intent),
    }


_CHARGE: Final = {
    "charge.succeeded": "Payment Succeeded",
    "charge.failed": "Payment Failed",
    "charge.pending": "Payment Processing",
}


@stripe.on(*_CHARGE)
def charge(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    if told.get("payment_intent") is not None:
        raise Skip("its payment_intent event tells the same payment")
    if event.type == "charge.succeeded" and event.option("revenue_from") == "payments" and told.get("invoice") is None:
        paid = _charge(told)
        money = {"total": paid["amount"], "revenue": paid["amount"], "currency": paid["currency"]}
        yield track("Order Completed", money, order_id=told.id("id"))
    yield track(_CHARGE[event.type], _charge(told), **told.pick(error_code="failure_code"))


@stripe.on("charge.captured")
def charge_captured(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track("Payment Captured", _charge(told), amount_captured=amount(told, "amount_captured"))


@stripe.on("charge.expired")
def charge_expired(event: Event) -> Iterator[Message]:
    yield track("Payment Authorization Expired", _charge(thing_of(event)))


def _charge(told: Payload) -> dict[str, Any]:
    return {
        "charge_id": told.id("id"),
        "payment_intent_id": told.id("payment_intent", None),
        "invoice_id": told.id("invoice", None),
        "status": told.text("status", None),
        "payment_method": told.text("payment_method_details.type", None),
        "card_brand": told.text("payment_method_details.card.brand", None),
        "amount": amount(told, "amount") if told.get("currency") else None,
        "currency": code(told),
    }


@stripe.on("charge.refunded")
def refunded(event: Event) -> Iterator[Message]:
    """The amount of *this* refund: what is refunded now less what was before."""
    told = thing_of(event)
    whole = told.integer("amount_refunded", 0)
    before = previous(event).integer("amount_refunded", 0)
    last = (
        next(told.maybe("refunds").each("data"), Payload({})) if isinstance(told.get("refunds"), dict) else Payload({})
    )
    step = Payload({"now": whole - before, "currency": told.get("currency")})
    total = amount(step, "now") if told.get("currency") else None
    yield track(
        "Order Refunded",
        order_id=told.id("payment_intent", None) or told.id("id"),
        charge_id=told.id("id"),
        invoice_id=told.id("invoice", None),
        refund_id=last.id("id", None),
        reason=last.text("reason", None),
        total=total,
        total_refunded=amount(told, "amount_refunded") if told.get("currency") else None,
        fully_refunded=told.flag("refunded", None),
        currency=code(told),
    )


@stripe.on("refund.failed")
def refund_failed(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track(
        "Refund Failed",
        priced(told, amount="amount") if told.get("currency") else {},
        refund_id=told.id("id"),
        charge_id=told.id("charge", None),
        payment_intent_id=told.id("payment_intent", None),
        reason=told.text("failure_reason", None),
    )


_DISPUTE: Final = {
    "charge.dispute.created": "Dispute Opened",
    "charge.dispute.updated": "Dispute Updated",
    "charge.dispute.closed": "Dispute Closed",
    "charge.dispute.funds_withdrawn": "Dispute Funds Withdrawn",
    "charge.dispute.funds_reinstated": "Dispute Funds Reinstated",
}


@stripe.on(*_DISPUTE)
def dispute(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    status = told.text("status", None)
    closed = event.type == "charge.dispute.closed"
    yield track(
        _DISPUTE[event.type],
        priced(told, amount="amount") if told.get("currency") else {},
        dispute_id=told.id("id"),
        charge_id=told.id("charge", None),
        payment_intent_id=told.id("payment_intent", None),
        reason=told.text("reason", None),
        status=status,
        outcome=status if closed else None,
        previous_status=previous(event).text("status", None) if changed(event, "status") else None,
        evidence_due_by=told.seconds("evidence_details.due_by", None),
    )


@stripe.on("radar.early_fraud_warning.created")
def fraud_warning(event: Event) -> Iterator[Message]:
    told = thing_of(event)
    yield track(
        "Fraud Warning Received",
        charge_id=told.id("charge", None),
        payment_intent_id=told.id("payment_intent", None),
        fraud_type=told.text("fraud_type", None),
        actionable=told.flag("actionable", None),
    )
