"""Chargebee -> Segment. https://apidocs.chargebee.com/docs/api/events

`payment_succeeded` carries the revenue: its invoice may be older, or be paid in parts. Each part carries its share of
the revenue; the part that completes the invoice is the order.
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
    Registered,
    Registering,
    SharedToken,
    Skip,
    Source,
    basic,
    form_call,
    from_minor,
    full_name,
    identify,
    to_iso,
    track,
)

chargebee = Source(
    "chargebee",
    title="Chargebee",
    docs="https://www.chargebee.com/docs/billing/2.0/site-configuration/webhook_settings",
    secret_help="user:password, as you typed them under Basic authentication of the webhook in Chargebee",
    scheme={"basic": SharedToken(where="basic"), "token": SharedToken(where="path")},
)


@chargebee.head
def head(item: Item) -> Head:
    """`ev_...` is the same on every retry."""
    return Head(id=item.body.id("id"), type=item.body.text("event_type"), occurred_at=item.body.seconds("occurred_at"))


@chargebee.identity
def customer(event: Event) -> Identity:
    """Use the customer's id, else the record's. It is not a userId, because the merchant may choose it but need not."""
    content = event.body.object("content")
    person = content.maybe("customer")
    id_ = person.id("id", "") or _first(content, "customer_id")
    first, last = person.opt.text("first_name"), person.opt.text("last_name")
    return Identity(
        metadata=tuple(
            content.texts(f"{name}.meta_data") for name in ("subscription", "customer") if content.get(name)
        ),
        anonymous=("customer", id_) if id_ else ("record", record) if (record := _first(content, "id")) else None,
        external_ids=(ExternalId("chargebee_customer_id", id_),),
        traits={
            "email": person.opt.text("email"),
            "firstName": first,
            "lastName": last,
            "name": full_name(first, last),
            "phone": person.opt.text("phone"),
        },
    )


def _first(content: Payload, name: str) -> str:
    records = ("subscription", "invoice", "transaction", "credit_note", "payment_source", "quote")
    return next((id_ for record in records if (id_ := content.id(f"{record}.{name}", ""))), "")


@chargebee.registration(
    Need("site", "CHARGEBEE_SITE", "acme, if your site is acme.chargebee.com", secret=False),
    Need("api_key", "CHARGEBEE_API_KEY", "a full-access API key"),
)
def register(at: Registering) -> Registered:
    """Create a webhook with basic credentials that we generate. https://apidocs.chargebee.com/docs/api/webhook_endpoints"""
    fields = [
        ("name", "Segue"),
        ("url", at.url),
        ("api_version", "v2"),
        ("basic_auth_username", "segue"),
        ("basic_auth_password", at.secret),
        *((f"enabled_events[{number}]", type_) for number, type_ in enumerate(at.types)),
    ]
    url = f"https://{at.values['site']}.chargebee.com/api/v2/webhook_endpoints"
    yield form_call(url, basic(at.values["api_key"], ""), fields)
    return f"segue:{at.secret}"


@chargebee.on("customer_created")
def customer_created(event: Event) -> Iterator[Message]:
    person = event.body.object("content.customer")
    yield identify({"company": _company(person), "createdAt": person.opt.seconds("created_at")})
    yield track("Customer Created", {"customer_id": person.id("id")})


@chargebee.on("customer_changed")
def customer_changed(event: Event) -> Iterator[Message]:
    yield identify({"company": _company(event.body.object("content.customer"))})


@chargebee.on("customer_deleted")
def customer_deleted(event: Event) -> Iterator[Message]:
    yield track("Customer Deleted", {"customer_id": event.body.id("content.customer.id")})


def _company(person: Payload) -> dict[str, str] | None:
    name = person.opt.text("company")
    return {"name": name} if name else None


_SUBSCRIPTION: Final = {
    "subscription_created": "Subscription Started",
    "subscription_changed": "Subscription Updated",
    "subscription_renewed": "Subscription Renewed",
    "subscription_cancellation_scheduled": "Subscription Cancellation Scheduled",
    "subscription_scheduled_cancellation_removed": "Subscription Cancellation Withdrawn",
    "subscription_cancelled": "Subscription Cancelled",
    "subscription_reactivated": "Subscription Resumed",
    "subscription_paused": "Subscription Paused",
    "subscription_resumed": "Subscription Resumed",
}


@chargebee.on(*_SUBSCRIPTION)
def subscription(event: Event) -> Iterator[Message]:
    record = event.body.object("content.subscription")
    if event.type == "subscription_created" and record.get("status") == "future":
        raise Skip("the subscription starts later; subscription_started reports it")
    if event.type == "subscription_cancelled" and _in_trial(record, event):
        yield track("Trial Ended", _trial(record))
    yield track(
        _SUBSCRIPTION[event.type],
        {
            **_describe(record),
            "reason": record.opt.text("cancel_reason"),
            "ends_at": record.opt.seconds("cancelled_at") if "cancel" in event.type else None,
        },
    )
    if event.type == "subscription_created" and record.get("status") == "in_trial":
        yield track("Trial Started", _trial(record))


@chargebee.on("subscription_started")
def subscription_started(event: Event) -> Iterator[Message]:
    record = event.body.object("content.subscription")
    yield track("Subscription Started", _describe(record))
    if record.get("status") == "in_trial":
        yield track("Trial Started", _trial(record))


@chargebee.on("subscription_activated")
def subscription_activated(event: Event) -> Iterator[Message]:
    record = event.body.object("content.subscription")
    if record.get("trial_end") is None:
        raise Skip("the subscription had no trial")
    yield track("Trial Ended", _trial(record))
    yield track("Trial Converted", _describe(record))


@chargebee.on("subscription_trial_end_reminder")
def trial_ending(event: Event) -> Iterator[Message]:
    yield track("Trial Ending", _trial(event.body.object("content.subscription")))


def _in_trial(record: Payload, event: Event) -> bool:
    trial_end = record.opt.seconds("trial_end")
    return trial_end is not None and record.seconds("cancelled_at", event.occurred_at) < trial_end


def _describe(record: Payload) -> dict[str, Any]:
    code = record.opt.text("currency_code")
    items = list(record.each("subscription_items"))
    plan = next((item for item in items if item.get("item_type") == "plan"), items[0] if items else Payload({}))
    return {
        "subscription_id": record.id("id"),
        "status": record.opt.text("status"),
        "plan_id": plan.opt.id("item_price_id") or record.opt.id("plan_id"),
        "quantity": _quantity(plan, "quantity") or _quantity(record, "plan_quantity"),
        "amount": _unit_price(plan, "unit_price", code) or _unit_price(record, "plan_unit_price", code),
        "currency": code,
        "items": [_item(item, code) for item in items] if len(items) > 1 else None,
        **record.select(plan_interval="billing_period_unit:text", current_period_end="current_term_end:seconds"),
    }


def _item(item: Payload, code: str | None) -> dict[str, Any]:
    return {
        **item.select(plan_id="item_price_id:id", type="item_type:text"),
        "quantity": _quantity(item, "quantity"),
        "amount": _unit_price(item, "unit_price", code),
    }


def _quantity(holder: Payload, name: str) -> int | Decimal | None:
    """Return the quantity; a site with multi-decimal prices has it in `..._in_decimal`."""
    quantity = holder.opt.integer(name)
    return holder.opt.decimal(f"{name}_in_decimal") if quantity is None else quantity


def _unit_price(holder: Payload, name: str, code: str | None) -> Decimal | None:
    """Return the price of one; a site with multi-decimal prices gives it in the currency's major unit."""
    minor = _minor(holder, name, code)
    return holder.opt.decimal(f"{name}_in_decimal") if minor is None else minor


def _trial(record: Payload) -> dict[str, Any]:
    starts, ends = record.opt.seconds("trial_start"), record.opt.seconds("trial_end")
    plan = _describe(record)["plan_id"]
    return {
        "subscription_id": record.id("id"),
        "plan_id": plan,
        "trial_plan_name": plan,
        "trial_start_date": to_iso(starts) if starts else None,
        "trial_end_date": to_iso(ends) if ends else None,
    }


def _minor(holder: Payload, name: str, code: str | None) -> Decimal | None:
    value = holder.opt.integer(name)
    return None if value is None or code is None else from_minor(value, code)


@chargebee.on("payment_succeeded")
def paid(event: Event) -> Iterator[Message]:
    """Complete the order with the payment after which nothing is due; earlier payments are partial."""
    content = event.body.object("content")
    payment, invoice = content.object("transaction"), content.maybe("invoice")
    code = payment.opt.text("currency_code")
    amount, revenue = _shares(payment, invoice)
    total, net = (None if value is None or code is None else from_minor(value, code) for value in (amount, revenue))
    yield track(
        "Order Completed" if _completes(payment, invoice) else "Invoice Partially Paid",
        {
            "order_id": invoice.opt.id("id") or payment.id("id"),
            "payment_id": payment.id("id"),
            "invoice_id": invoice.opt.id("id"),
            "subscription_id": payment.opt.id("subscription_id"),
            "total": total,
            "tax": total - net if total is not None and net is not None and invoice.get("tax") is not None else None,
            "revenue": net,
            "currency": code,
            "invoice_total": _minor(invoice, "total", code),
            "amount_due": _minor(invoice, "amount_due", code),
            "payment_method": payment.opt.text("payment_method"),
        },
        occurred_at=payment.opt.seconds("date")
        if payment.seconds("date", event.occurred_at) <= event.occurred_at
        else None,
    )


def _completes(payment: Payload, invoice: Payload) -> bool:
    """Return whether nothing of the invoice is still due. If the invoice does not say, return whether this payment is
    more than half of it, since only one payment can be.
    """
    total, due, status = invoice.opt.integer("total"), invoice.opt.integer("amount_due"), invoice.get("status")
    if due is not None or status is not None:
        return due == 0 or status == "paid"
    return total is None or 2 * payment.integer("amount", 0) > total


def _shares(payment: Payload, invoice: Payload) -> tuple[int | None, int | None]:
    """Return the payment's amount and its share of the invoice without tax.

    The shares add up exactly: each part takes the rest that rounding the earlier parts has left.
    """
    amount, total = payment.opt.integer("amount"), invoice.opt.integer("total")
    if amount is None or not total or total < 0:
        return amount, amount
    links = list(payment.each("linked_invoices"))
    of_several = len(links) > 1  # each has its own tax; only this invoice's tax is known
    if len(links) == 1 and links[0].get("invoice_id") == invoice.get("id"):
        amount = links[0].integer("applied_amount", amount)  # the excess stays on the account
    after = None if of_several else invoice.opt.integer("amount_paid")
    before = after - amount if after is not None and after >= amount else 0
    net = total - invoice.integer("tax", 0)
    return amount, _rounded((before + amount) * net, total) - _rounded(before * net, total)


def _rounded(value: int, divisor: int) -> int:
    return (2 * value + divisor) // (2 * divisor)


@chargebee.on("payment_failed")
def payment_failed(event: Event) -> Iterator[Message]:
    content = event.body.object("content")
    payment = content.object("transaction")
    code = payment.opt.text("currency_code")
    yield track(
        "Payment Failed",
        {
            "payment_id": payment.id("id"),
            "invoice_id": content.opt.id("invoice.id"),
            "subscription_id": payment.opt.id("subscription_id"),
            "amount": _minor(payment, "amount", code),
            "currency": code,
            "error_code": payment.opt.text("error_code"),
        },
    )


@chargebee.on("payment_refunded")
def refunded(event: Event) -> Iterator[Message]:
    content = event.body.object("content")
    refund = content.object("transaction")
    code = refund.opt.text("currency_code")
    yield track(
        "Order Refunded",
        {
            "order_id": content.opt.id("invoice.id")
            or content.opt.id("credit_note.reference_invoice_id")
            or refund.opt.id("linked_credit_notes.0.cn_reference_invoice_id")
            or refund.opt.id("reference_transaction_id")
            or refund.id("id"),
            "payment_id": refund.opt.id("reference_transaction_id"),
            "refund_id": refund.id("id"),
            "total": _minor(refund, "amount", code),
            "currency": code,
        },
    )


_INVOICE: Final = {"invoice_generated": "Invoice Created", "payment_due_reminder": "Invoice Due Soon"}


@chargebee.on(*_INVOICE)
def invoice(event: Event) -> Iterator[Message]:
    bill = event.body.object("content.invoice")
    code = bill.opt.text("currency_code")
    yield track(
        _INVOICE[event.type],
        {
            "invoice_id": bill.id("id"),
            **bill.select("subscription_id:id", "status:text"),
            "total": _minor(bill, "total", code),
            "tax": _minor(bill, "tax", code),
            "amount_due": _minor(bill, "amount_due", code),
            "currency": code,
            "due_date": bill.opt.seconds("due_date"),
        },
    )


@chargebee.on("credit_note_created")
def credit_note(event: Event) -> Iterator[Message]:
    note = event.body.object("content.credit_note")
    code = note.opt.text("currency_code")
    yield track(
        "Credit Note Created",
        {
            "credit_note_id": note.id("id"),
            "invoice_id": note.opt.id("reference_invoice_id"),
            "total": _minor(note, "total", code),
            "currency": code,
            "reason": note.opt.text("reason_code"),
        },
    )


_METHOD: Final = {
    "payment_source_added": "Payment Method Added",
    "payment_source_updated": "Payment Method Updated",
    "payment_source_deleted": "Payment Method Removed",
}


@chargebee.on(*_METHOD)
def payment_method(event: Event) -> Iterator[Message]:
    source = event.body.object("content.payment_source")
    yield track(_METHOD[event.type], {"payment_method_id": source.id("id"), "payment_method": source.opt.text("type")})


chargebee.ignore("card_*", because="payment_source events report it now")
chargebee.ignore("invoice_*", "credit_note_*", "transaction_*", because="payments and credits have their own events")
chargebee.ignore(
    "payment_*",
    "refund_initiated",
    "dunning_updated",
    because="an intermediate step of a payment; the result has its own event",
)
chargebee.ignore("subscription_*", because="a detail of a subscription; changes for the customer have their own events")
chargebee.ignore(
    "quote_*", "order_*", "coupon_*", "item_*", "plan_*", "addon_*",
    because="the merchant's own documents and catalogue, not a customer event",
)  # fmt: skip
chargebee.ignore("customer_*", because="customer_changed reports the customer's data")
