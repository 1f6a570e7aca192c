"""PayPal -> Segment. https://developer.paypal.com/api/rest/webhooks/event-names/

A capture or a sale is money that has come; an approved or completed order is told by its captures.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    Identity,
    Item,
    Message,
    Need,
    Payload,
    PublicKey,
    Registered,
    Registering,
    Source,
    basic,
    bearer,
    form_call,
    json_call,
    track,
)

paypal = Source(
    "paypal",
    title="PayPal",
    docs="https://developer.paypal.com/api/rest/webhooks/",
    secret_help="the Webhook ID that PayPal shows beside your webhook: it is part of what is signed",
    # https://developer.paypal.com/api/rest/webhooks/rest/#link-verifywebhooksignature
    scheme=PublicKey(
        kind="rsa-pkcs1v15-sha256",
        header="PAYPAL-TRANSMISSION-SIG",
        ts_header="PAYPAL-TRANSMISSION-TIME",
        ts_form="iso",
        id_header="PAYPAL-TRANSMISSION-ID",
        template="{id}|{ts}|{secret}|{crc32}",
        cert_url_header="PAYPAL-CERT-URL",
        cert_hosts=("api.paypal.com", "api.sandbox.paypal.com"),
        cert_path="/v1/notifications/certs/",
        tolerance=4 * 24 * 3600,  # a retry, for three days, may carry the first attempt's time; the id stops replays
    ),
)


@paypal.registration(
    Need("client_id", "PAYPAL_CLIENT_ID", "the Client ID of your REST app", secret=False),
    Need("client_secret", "PAYPAL_CLIENT_SECRET", "its secret"),
    Need("environment", "PAYPAL_ENVIRONMENT", "live or sandbox", False, "live"),
)
def register(at: Registering) -> Registered:
    """https://developer.paypal.com/docs/api/webhooks/v1/#webhooks_post"""
    webhook = {"url": at.url, "event_types": [{"name": type_} for type_ in at.types]}
    base = f"https://api-m{'.sandbox' if at.given['environment'] == 'sandbox' else ''}.paypal.com/v1"
    app = basic(at.given["client_id"], at.given["client_secret"])
    token = yield form_call(f"{base}/oauth2/token", app, [("grant_type", "client_credentials")])
    made = yield json_call("POST", f"{base}/notifications/webhooks", bearer(token.text("access_token")), webhook)
    return made.id("id")


@paypal.event
def head(item: Item) -> Head:
    """`WH-...` stays the same on every retry."""
    return Head(item.body.id("id"), item.body.text("event_type"), item.body.iso("create_time"))


@paypal.who
def payer(event: Event) -> Identity:
    """The payer's id; else the subscription or the payment stands for the person, of its refund and dispute too.

    `custom_id` is free text of the merchant's.
    """
    thing = event.body.at("resource")
    person = thing.maybe("payer") or thing.maybe("subscriber")
    id_ = person.id("payer_id", "") or thing.id("payer.payer_info.payer_id", "")
    payment = thing.id("billing_agreement_id", "") or _given_back(thing) or _disputed(thing)
    payment = payment or thing.id("dispute_id", "") or thing.id("invoice.id", "") or thing.id("id", "")
    given, surname = person.text("name.given_name", None), person.text("name.surname", None)
    custom = {name: value for name in ("custom_id", "custom") if isinstance(value := thing.get(name), str) and value}
    return Identity(
        metadata=(custom,),
        anonymous=("payer", id_) if id_ else ("payment", payment) if payment else None,
        external_ids=(ExternalId("paypal_payer_id", id_),),
        traits={
            "email": person.text("email_address", None),
            "firstName": given,
            "lastName": surname,
            "name": " ".join(filter(None, (given, surname))) or None,
        },
    )


@paypal.on("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.SALE.COMPLETED")
def paid(event: Event) -> Iterator[Message]:
    thing = event.body.at("resource")
    money = _money(thing)
    yield track(
        "Order Completed",
        order_id=thing.id("supplementary_data.related_ids.order_id", None) or thing.id("id"),
        payment_id=thing.id("id"),
        invoice_id=thing.id("invoice_id", None),
        subscription_id=thing.id("billing_agreement_id", None),
        total=money["amount"],
        revenue=money["amount"],
        currency=money["currency"],
    )


_PAYMENT: Final = {
    "PAYMENT.CAPTURE.DENIED": "Payment Failed",
    "PAYMENT.CAPTURE.DECLINED": "Payment Failed",
    "PAYMENT.SALE.DENIED": "Payment Failed",
    "PAYMENT.CAPTURE.PENDING": "Payment Processing",
    "PAYMENT.SALE.PENDING": "Payment Processing",
    "PAYMENT.AUTHORIZATION.CREATED": "Payment Authorized",
    "PAYMENT.AUTHORIZATION.VOIDED": "Payment Cancelled",
}


@paypal.on(*_PAYMENT)
def payment(event: Event) -> Iterator[Message]:
    thing = event.body.at("resource")
    reason = thing.text("status_details.reason", None) or thing.text("reason_code", None)
    yield track(_PAYMENT[event.type], _money(thing), payment_id=thing.id("id"), reason=reason)


@paypal.on("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.SALE.REFUNDED", "PAYMENT.CAPTURE.REVERSED", "PAYMENT.SALE.REVERSED")
def refunded(event: Event) -> Iterator[Message]:
    """The resource is the refund; the capture it belongs to is the link `up`."""
    thing = event.body.at("resource")
    money = _money(thing)
    payment_id = _given_back(thing)
    yield track(
        "Order Refunded",
        order_id=thing.id("supplementary_data.related_ids.order_id", None) or payment_id or thing.id("id"),
        payment_id=payment_id,
        refund_id=thing.id("id"),
        total=None if money["amount"] is None else abs(money["amount"]),
        currency=money["currency"],
        reversed="REVERSED" in event.type,
    )


def _given_back(thing: Payload) -> str | None:
    """The capture or sale that a refund belongs to: PayPal tells it by a link, `up` or `sale`."""
    links = {each.get("rel"): each.get("href") for each in thing.each("links")}
    up = links.get("up") or links.get("sale") or ""
    of_payment = isinstance(up, str) and ("/captures/" in up or "/sale/" in up)
    return thing.id("sale_id", None) or (up.rpartition("/")[2] if of_payment else None)


@paypal.on("PAYMENT.REFUND.FAILED")
def refund_failed(event: Event) -> Iterator[Message]:
    thing = event.body.at("resource")
    yield track("Refund Failed", _money(thing), payment_id=_given_back(thing), refund_id=thing.id("id"))


_SUBSCRIPTION: Final = {
    "BILLING.SUBSCRIPTION.ACTIVATED": "Subscription Started",
    "BILLING.SUBSCRIPTION.UPDATED": "Subscription Updated",
    "BILLING.SUBSCRIPTION.RE-ACTIVATED": "Subscription Resumed",
    "BILLING.SUBSCRIPTION.SUSPENDED": "Subscription Paused",
    "BILLING.SUBSCRIPTION.CANCELLED": "Subscription Cancelled",
    "BILLING.SUBSCRIPTION.EXPIRED": "Subscription Cancelled",
    "BILLING.SUBSCRIPTION.PAYMENT.FAILED": "Subscription Past Due",
}


@paypal.on(*_SUBSCRIPTION)
def subscription(event: Event) -> Iterator[Message]:
    thing = event.body.at("resource")
    last = thing.maybe("billing_info.last_payment")
    yield track(
        _SUBSCRIPTION[event.type],
        subscription_id=thing.id("id"),
        status=thing.text("status", None),
        plan_id=thing.id("plan_id", None),
        quantity=thing.decimal("quantity", None),
        amount=last.decimal("amount.value", None),
        currency=last.text("amount.currency_code", None),
        next_billed_at=thing.iso("billing_info.next_billing_time", None),
    )


_DISPUTE: Final = {
    "CUSTOMER.DISPUTE.CREATED": "Dispute Opened",
    "CUSTOMER.DISPUTE.UPDATED": "Dispute Updated",
    "CUSTOMER.DISPUTE.RESOLVED": "Dispute Closed",
}


@paypal.on(*_DISPUTE)
def dispute(event: Event) -> Iterator[Message]:
    thing = event.body.at("resource")
    yield track(
        _DISPUTE[event.type],
        dispute_id=thing.id("dispute_id"),
        payment_id=_disputed(thing),
        reason=thing.text("reason", None),
        status=thing.text("status", None),
        outcome=thing.text("dispute_outcome.outcome_code", None),
        amount=thing.decimal("dispute_amount.value", None),
        currency=thing.text("dispute_amount.currency_code", None),
    )


def _disputed(thing: Payload) -> str | None:
    return next((each.id("seller_transaction_id", None) for each in thing.each("disputed_transactions")), None)


_INVOICE: Final = {
    "INVOICING.INVOICE.PAID": "Invoice Paid",
    "INVOICING.INVOICE.CANCELLED": "Invoice Voided",
}


@paypal.on(*_INVOICE)
def invoice(event: Event) -> Iterator[Message]:
    thing = event.body.at("resource")
    told = thing.maybe("invoice") or thing
    money = told.maybe("amount") or told.maybe("total_amount")
    total = money.decimal("value", None)
    yield track(
        _INVOICE[event.type],
        invoice_id=told.id("id"),
        total=total,
        currency=money.text("currency_code", None) or money.text("currency", None),
    )


def _money(thing: Payload) -> dict[str, Any]:
    """REST v2 writes `value` and `currency_code`, v1 `total` and `currency`; both decimal text."""
    amount = thing.maybe("amount")
    value: Decimal | None = amount.decimal("value", None)
    return {
        "amount": amount.decimal("total", None) if value is None else value,
        "currency": amount.text("currency_code", None) or amount.text("currency", None),
    }


paypal.ignore("CHECKOUT.*", "PAYMENT.ORDER.*", "PAYMENTS.*", because="the capture or sale tells the payment")
paypal.ignore("PAYMENT.REFUND.*", because="under way: PAYMENT.CAPTURE.REFUNDED or PAYMENT.REFUND.FAILED tells the end")
paypal.ignore("BILLING.SUBSCRIPTION.CREATED", because="it begins when the customer approves: ACTIVATED tells that")
paypal.ignore(
    "BILLING.PLAN.*",
    "BILLING_AGREEMENTS.*",
    "CATALOG.*",
    because="the merchant's catalogue, or an older name of a subscription",
)
paypal.ignore("INVOICING.*", because="an invoice's end is told by PAID or CANCELLED")
paypal.ignore(
    "PAYMENT.PAYOUTS*",
    "PAYMENT.REFERENCED-PAYOUT*",
    "MERCHANT.*",
    "VAULT.*",
    "RISK.*",
    "IDENTITY.*",
    because="the merchant's own affairs",
)
