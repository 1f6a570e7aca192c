"""PayPal -> Segment. https://developer.paypal.com/api/rest/webhooks/event-names/

A capture or a sale means received money. An approved or completed order is reported by its captures.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    Identity,
    Item,
    Malformed,
    Message,
    Need,
    Payload,
    PublicKey,
    Registered,
    Registering,
    Source,
    basic,
    bearer,
    choice_option,
    form_call,
    full_name,
    json_call,
    skip_other_modes,
    track,
)

ENVIRONMENT: Final = choice_option("environment", "which events to translate", ("live", "sandbox", "both"), "live")

paypal = Source(
    "paypal",
    title="PayPal",
    docs="https://developer.paypal.com/api/rest/webhooks/",
    secret_help="the Webhook ID that PayPal shows beside your webhook; PayPal includes it in the signature",
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
    options=[ENVIRONMENT],
    keep_headers=["PAYPAL-CERT-URL"],
)


@paypal.registration(
    Need("client_id", "PAYPAL_CLIENT_ID", "the Client ID of your REST app", secret=False),
    Need("client_secret", "PAYPAL_CLIENT_SECRET", "the client secret of your REST app"),
    Need("environment", "PAYPAL_ENVIRONMENT", "live or sandbox", False, "live"),
)
def register(at: Registering) -> Registered:
    """Create a webhook. https://developer.paypal.com/docs/api/webhooks/v1/#webhooks_post"""
    webhook = {"url": at.url, "event_types": [{"name": type_} for type_ in at.types]}
    base = f"https://api-m{'.sandbox' if at.values['environment'] == 'sandbox' else ''}.paypal.com/v1"
    app = basic(at.values["client_id"], at.values["client_secret"])
    token = yield form_call(f"{base}/oauth2/token", app, [("grant_type", "client_credentials")])
    created = yield json_call("POST", f"{base}/notifications/webhooks", bearer(token.text("access_token")), webhook)
    return created.id("id")


@paypal.head
def head(item: Item) -> Head:
    """`WH-...` is the same on every retry and resend. The simulator may send an impossible time (month 19)."""
    return Head(id=item.body.id("id"), type=item.body.text("event_type"), occurred_at=_time(item.body, "create_time"))


def _time(body: Payload, path: str) -> datetime | None:
    """Return a time, or None if it is missing or invalid; the event then has the time of receipt."""
    try:
        return body.opt.iso(path, naive_is_utc=True)
    except Malformed:
        return None


@skip_other_modes(paypal, ENVIRONMENT)
def environment(event: Event) -> str:
    """Recognise sandbox events by the host of their certificate; nothing else names the environment."""
    host = event.headers.get("paypal-cert-url", "").lower().partition("://")[2].partition("/")[0]
    return "sandbox" if host == "api.sandbox.paypal.com" else "live"


@paypal.context
def context(event: Event) -> Mapping[str, Any]:
    """With `environment = both`, `context.webhook.environment` marks a sandbox event."""
    return {} if environment(event) == "live" else {"environment": environment(event)}


@paypal.identity
def payer(event: Event) -> Identity:
    """Use the subscription's id, since its payments name nothing else; else the payer, else the payment.

    `custom_id` is the merchant's free text.
    """
    resource = event.body.object("resource")
    person = resource.maybe("payer") or resource.maybe("subscriber")
    first_version = person.maybe("payer_info")
    id_ = person.id("payer_id", "") or first_version.id("payer_id", "")
    first = person.opt.text("name.given_name") or first_version.opt.text("first_name")
    last = person.opt.text("name.surname") or first_version.opt.text("last_name")
    return Identity(
        metadata=tuple(_custom(holder) for holder in (resource, *resource.each("disputed_transactions"))),
        anonymous=_anonymous(event, resource, id_),
        external_ids=(ExternalId("paypal_payer_id", id_),),
        traits={
            "email": person.opt.text("email_address") or first_version.opt.text("email"),
            "firstName": first,
            "lastName": last,
            "name": full_name(first, last),
        },
    )


def _custom(holder: Payload) -> dict[str, str]:
    return {name: value for name in ("custom_id", "custom") if isinstance(value := holder.get(name), str) and value}


def _anonymous(event: Event, resource: Payload, payer_id: str) -> tuple[str, str] | None:
    subscription = resource.id("id", "") if event.type.startswith("BILLING.SUBSCRIPTION.") else ""
    subscription = subscription or resource.id("billing_agreement_id", "")
    if subscription or not payer_id:
        payment = (
            subscription or _refunded_payment(resource) or _disputed_payment(resource) or resource.id("dispute_id", "")
        )
        payment = payment or resource.id("invoice.id", "") or resource.id("id", "")
        return ("payment", payment) if payment else None
    return ("payer", payer_id)


@paypal.on("PAYMENT.CAPTURE.COMPLETED", "PAYMENT.SALE.COMPLETED")
def paid(event: Event) -> Iterator[Message]:
    """Use the payment's id as order id, because a refund or dispute names only the payment."""
    resource = event.body.object("resource")
    money = _money(resource)
    yield track(
        "Order Completed",
        {
            **_order_amounts(resource),
            "order_id": resource.id("id"),
            "payment_id": resource.id("id"),
            "checkout_id": resource.opt.id("supplementary_data.related_ids.order_id"),
            "invoice_id": resource.opt.id("invoice_id") or resource.opt.id("invoice_number"),
            "subscription_id": resource.opt.id("billing_agreement_id"),
            "currency": money["currency"],
        },
    )


def _order_amounts(resource: Payload) -> dict[str, Decimal | None]:
    """Return amounts with subtotal + tax + shipping == total, from `details` (version 1) or `breakdown` (version 2)."""
    total: Decimal | None = _money(resource)["amount"]
    details, breakdown = resource.maybe("amount.details"), resource.maybe("amount.breakdown")
    tax = details.opt.decimal("tax") if details else breakdown.opt.decimal("tax_total.value")
    shipping = details.opt.decimal("shipping") if details else breakdown.opt.decimal("shipping.value")
    discount = details.opt.decimal("shipping_discount") or breakdown.opt.decimal("shipping_discount.value")
    if shipping is not None and discount is not None:
        shipping -= abs(discount)
    net = None if total is None else total - (tax or Decimal(0)) - (shipping or Decimal(0))
    is_broken_down = tax is not None or shipping is not None
    return {
        "total": total,
        "revenue": net,
        "subtotal": net if is_broken_down else None,
        "tax": tax,
        "shipping": shipping,
    }


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
    resource = event.body.object("resource")
    reason = resource.opt.text("status_details.reason") or resource.opt.text("reason_code")
    yield track(_PAYMENT[event.type], {**_money(resource), "payment_id": resource.id("id"), "reason": reason})


@paypal.on("PAYMENT.CAPTURE.REFUNDED", "PAYMENT.SALE.REFUNDED", "PAYMENT.CAPTURE.REVERSED", "PAYMENT.SALE.REVERSED")
def refunded(event: Event) -> Iterator[Message]:
    """The resource is the refund; the link `up` leads to its capture."""
    resource = event.body.object("resource")
    money = _money(resource)
    payment_id = _refunded_payment(resource)
    yield track(
        "Order Refunded",
        {
            "order_id": payment_id or resource.id("id"),
            "payment_id": payment_id,
            "refund_id": resource.id("id"),
            "total": None if money["amount"] is None else abs(money["amount"]),
            "currency": money["currency"],
            "reversed": "REVERSED" in event.type,
        },
    )


def _refunded_payment(resource: Payload) -> str | None:
    """Return the id of the refunded capture or sale: `sale_id`, `capture_id`, or the end of a link to it."""
    links = (link.text("href", "") for link in resource.each("links") if link.get("rel") in ("up", "sale", "capture"))
    up = next((href for href in links if any(part in href for part in ("/captures/", "/capture/", "/sale/"))), "")
    return resource.opt.id("sale_id") or resource.opt.id("capture_id") or up.rpartition("/")[2] or None


@paypal.on("PAYMENT.REFUND.FAILED")
def refund_failed(event: Event) -> Iterator[Message]:
    resource = event.body.object("resource")
    payment_id = _refunded_payment(resource)
    yield track(
        "Refund Failed",
        {**_money(resource), "order_id": payment_id, "payment_id": payment_id, "refund_id": resource.id("id")},
    )


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
    resource = event.body.object("resource")
    last = _last_payment(event, resource)
    next_time, next_date = "billing_info.next_billing_time", "agreement_details.next_billing_date"
    yield track(
        _SUBSCRIPTION[event.type],
        {
            "subscription_id": resource.id("id"),
            "status": resource.opt.text("status") or resource.opt.text("state"),
            **resource.select("plan_id:id", "quantity:decimal"),
            "amount": last.opt.decimal("value") or None,
            "currency": last.opt.text("currency_code") or last.opt.text("currency"),
            "next_billed_at": _time(resource, next_time) or _time(resource, next_date),
        },
    )


def _last_payment(event: Event, resource: Payload) -> Payload:
    """Return the last payment, or the last failed one. Version 1 keeps it in `agreement_details`."""
    if event.type == "BILLING.SUBSCRIPTION.PAYMENT.FAILED" and "billing_info.last_failed_payment.amount" in resource:
        return resource.object("billing_info.last_failed_payment.amount")
    last = resource.maybe("billing_info.last_payment.amount")
    return last or resource.maybe("agreement_details.last_payment_amount")


_DISPUTE: Final = {
    "CUSTOMER.DISPUTE.CREATED": "Dispute Opened",
    "CUSTOMER.DISPUTE.UPDATED": "Dispute Updated",
    "CUSTOMER.DISPUTE.RESOLVED": "Dispute Closed",
}


@paypal.on(*_DISPUTE)
def dispute(event: Event) -> Iterator[Message]:
    resource = event.body.object("resource")
    yield track(
        _DISPUTE[event.type],
        {
            "dispute_id": resource.id("dispute_id"),
            "order_id": _disputed_payment(resource),
            "payment_id": _disputed_payment(resource),
            **resource.select(
                "reason:text",
                "status:text",
                outcome="dispute_outcome.outcome_code:text",
                amount="dispute_amount.value:decimal",
                currency="dispute_amount.currency_code:text",
            ),
        },
    )


def _disputed_payment(resource: Payload) -> str | None:
    return next(
        (transaction.opt.id("seller_transaction_id") for transaction in resource.each("disputed_transactions")), None
    )


_INVOICE: Final = {
    "INVOICING.INVOICE.PAID": "Invoice Paid",
    "INVOICING.INVOICE.CANCELLED": "Invoice Voided",
}


@paypal.on(*_INVOICE)
def invoice(event: Event) -> Iterator[Message]:
    resource = event.body.object("resource")
    bill = resource.maybe("invoice") or resource
    money = bill.maybe("amount") or bill.maybe("total_amount")
    total = money.opt.decimal("value")
    yield track(
        _INVOICE[event.type],
        {
            "invoice_id": bill.id("id"),
            "total": total,
            "currency": money.opt.text("currency_code") or money.opt.text("currency"),
        },
    )


def _money(resource: Payload) -> dict[str, Any]:
    """Return amount and currency. REST v2 has `value` and `currency_code`, v1 `total` and `currency`, as text."""
    amount = resource.maybe("amount")
    value: Decimal | None = amount.opt.decimal("value")
    return {
        "amount": amount.opt.decimal("total") if value is None else value,
        "currency": amount.opt.text("currency_code") or amount.opt.text("currency"),
    }


paypal.ignore("CHECKOUT.*", "PAYMENT.ORDER.*", "PAYMENTS.*", because="the capture or sale reports the payment")
paypal.ignore(
    "PAYMENT.REFUND.*", because="a pending refund; PAYMENT.CAPTURE.REFUNDED or PAYMENT.REFUND.FAILED reports the result"
)
paypal.ignore(
    "BILLING.SUBSCRIPTION.CREATED",
    because="the subscription starts when the customer approves it; ACTIVATED reports that",
)
paypal.ignore(
    "BILLING.PLAN.*",
    "BILLING_AGREEMENTS.*",
    "CATALOG.*",
    because="the merchant's catalogue, or an older name of a subscription",
)
paypal.ignore("INVOICING.*", because="an intermediate step of an invoice; PAID or CANCELLED reports the result")
paypal.ignore(
    "PAYMENT.PAYOUTS*",
    "PAYMENT.REFERENCED-PAYOUT*",
    "MERCHANT.*",
    "VAULT.*",
    "RISK.*",
    "IDENTITY.*",
    because="the merchant's own account, not a customer event",
)
