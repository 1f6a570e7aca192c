"""Amounts of the commerce sources add up. Stripe's and Shopify's tests are in their own files."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Delivery
from webhooks.sources import plugins
from webhooks.translation.goldens import find_goldens, outcomes
from webhooks.translation.translate import Translated

SOURCES = plugins.load().sources
GOLDEN = Path(__file__).parent.parent / "golden"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
CENTS = st.integers(0, 10**8)
COMMERCE = ("adyen", "chargebee", "paddle", "paypal", "recurly", "revenuecat", "shopify", "square", "stripe")


def golden(name: str, case: str) -> Any:
    return json.loads((GOLDEN / name / f"{case}.json").read_text())


def messages_of(name: str, body: Any, **options: Any) -> list[dict[str, Any]]:
    source = SOURCES[name]
    delivery = Delivery(
        source=name, body=json.dumps(body).encode(), received_at=NOW, options=source.defaults() | options
    )
    result = []
    for _, outcome in outcomes(source, delivery):
        assert isinstance(outcome, Translated), outcome
        result += outcome.messages
    return result


def money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


@pytest.mark.parametrize("name", COMMERCE)
def test_revenue_tax_and_shipping_of_every_golden_add_up_to_the_total(name: str) -> None:
    """If a message has total and revenue, its other amounts are the difference; the subtotal is the revenue."""
    source, checked = SOURCES[name], 0
    for case in find_goldens(GOLDEN / name):
        delivery = case.delivery(source)
        if source.greet(delivery, signed=False) or source.greet(delivery, signed=True):
            continue
        for _, outcome in outcomes(source, delivery):
            for message in outcome.messages if isinstance(outcome, Translated) else []:
                amounts = message.get("properties") or {}
                if message.get("event") == "Invoice Paid" and delivery.options.get("revenue_from") == "payments":
                    continue  # the revenue is only the part that no payment reports
                if "total" in amounts and "revenue" in amounts:
                    parts = ("revenue", "tax", "shipping", "tip", "duties")
                    assert sum(amounts.get(part, 0) for part in parts) == amounts["total"], case.name
                    assert amounts.get("subtotal", amounts["revenue"]) == amounts["revenue"], case.name
                    checked += 1
    assert checked or name == "recurly"  # its webhooks have no amounts


@pytest.mark.parametrize("name", COMMERCE)
def test_refund_is_never_negative_and_has_an_order_id(name: str) -> None:
    source = SOURCES[name]
    for case in find_goldens(GOLDEN / name):
        delivery = case.delivery(source)
        if source.greet(delivery, signed=False) or source.greet(delivery, signed=True):
            continue
        for _, outcome in outcomes(source, delivery):
            for message in outcome.messages if isinstance(outcome, Translated) else []:
                if message.get("event") in {"Order Refunded", "Refund Failed"}:
                    amounts = message["properties"]
                    assert amounts["order_id"], case.name
                    assert amounts.get("total", amounts.get("amount", 0)) >= 0, case.name


# Chargebee


@given(parts=st.lists(st.integers(1, 10**7), min_size=1, max_size=6), share=st.integers(0, 100))
def test_chargebee_partial_payments_add_up_and_one_completes_the_order(parts: list[int], share: int) -> None:
    total = sum(parts)
    tax = total * share // 100
    messages, paid = [], 0
    for number, part in enumerate(parts):
        paid += part
        body = golden("chargebee", "payment_succeeded")
        body["id"] = f"ev_{number}"
        body["content"]["transaction"].update(id=f"txn_{number}", amount=part)
        body["content"]["invoice"].update(
            total=total, tax=tax, amount_paid=paid, amount_due=total - paid,
            status="paid" if paid == total else "payment_due",
        )  # fmt: skip
        messages += messages_of("chargebee", body)
    amounts = [message["properties"] for message in messages]
    assert sum(part["revenue"] for part in amounts) == money(total - tax)
    assert sum(part["tax"] for part in amounts) == money(tax)
    assert sum(part["total"] for part in amounts) == money(total)
    assert [message["event"] for message in messages] == [
        *["Invoice Partially Paid"] * (len(parts) - 1), "Order Completed",
    ]  # fmt: skip
    assert len({part["order_id"] for part in amounts}) == 1


@given(parts=st.lists(st.integers(1, 10**7), min_size=2, max_size=5))
def test_chargebee_invoice_without_amount_due_is_completed_at_most_once(parts: list[int]) -> None:
    events = []
    for number, part in enumerate(parts):
        body = golden("chargebee", "payment_succeeded")
        body["content"]["transaction"].update(id=f"txn_{number}", amount=part)
        body["content"]["invoice"] = {"id": "INV-9", "total": sum(parts), "tax": 0, "currency_code": "EUR"}
        events += [message["event"] for message in messages_of("chargebee", body)]
    assert events.count("Order Completed") <= 1


def test_chargebee_overpayment_counts_the_applied_amount() -> None:
    body = golden("chargebee", "payment_succeeded")
    body["content"]["transaction"].update(
        amount=5000, linked_invoices=[{"invoice_id": "INV-7", "applied_amount": 3570}]
    )
    (order,) = messages_of("chargebee", body)
    assert (order["properties"]["total"], order["properties"]["revenue"]) == (money(3570), money(3000))


# PayPal


@given(net=CENTS, tax=CENTS, shipping=CENTS, discount=CENTS)
def test_paypal_subtotal_tax_and_shipping_add_up_to_the_total(net: int, tax: int, shipping: int, discount: int) -> None:
    total = net + tax + shipping
    details = {
        "subtotal": str(money(net)), "tax": str(money(tax)), "shipping": str(money(shipping + discount)),
        "shipping_discount": str(money(discount)),
    }  # fmt: skip
    body = golden("paypal", "PAYMENT.SALE.COMPLETED")
    body["resource"]["amount"] = {"total": str(money(total)), "currency": "EUR", "details": details}
    (order,) = messages_of("paypal", body)
    amounts = order["properties"]
    assert amounts["subtotal"] + amounts["tax"] + amounts["shipping"] == amounts["total"] == money(total)
    assert amounts["revenue"] == amounts["subtotal"] == money(net)


def test_paypal_subscription_and_its_payments_are_one_person() -> None:
    activated, sale = (golden("paypal", case) for case in ("BILLING.SUBSCRIPTION.ACTIVATED", "PAYMENT.SALE.COMPLETED"))
    cancelled = golden("paypal", "BILLING.SUBSCRIPTION.CANCELLED__version_1")
    activated["resource"]["id"] = cancelled["resource"]["id"] = sale["resource"]["billing_agreement_id"]
    people = {messages_of("paypal", body)[0]["anonymousId"] for body in (activated, sale, cancelled)}
    assert len(people) == 1


@pytest.mark.parametrize("links", [[{"rel": ["up"], "href": "/captures/1"}], [{"rel": "up", "href": "no link"}], [{}]])
def test_paypal_refund_without_link_to_a_payment_has_its_own_order_id(links: list[Any]) -> None:
    body = golden("paypal", "PAYMENT.CAPTURE.REFUNDED")
    body["resource"]["links"] = links
    (refund,) = messages_of("paypal", body)
    assert refund["properties"]["order_id"] == body["resource"]["id"]


@pytest.mark.parametrize("time", ["2018-19-12T22:20:32.000Z", "2026-02-30T00:00:00Z", "", "soon"])
def test_paypal_event_with_invalid_time_has_the_time_of_receipt(time: str) -> None:
    (message,) = messages_of("paypal", golden("paypal", "PAYMENT.CAPTURE.COMPLETED") | {"create_time": time})
    assert message["timestamp"] == "2026-11-23T12:00:00.000Z"
    assert message["context"]["webhook"]["clock"] == "received"


# Adyen


@pytest.mark.parametrize("case", ["REFUND", "CAPTURE", "CANCELLATION", "CHARGEBACK", "REFUND_FAILED"])
def test_adyen_modification_has_the_payments_order_id(case: str) -> None:
    payment = golden("adyen", "AUTHORISATION")["notificationItems"][0]["NotificationRequestItem"]
    body = golden("adyen", case)
    body["notificationItems"][0]["NotificationRequestItem"].update(
        merchantReference="my-refund-9", originalReference=payment["pspReference"]
    )
    (order,) = messages_of("adyen", golden("adyen", "AUTHORISATION"))
    (message,) = messages_of("adyen", body)
    assert message["properties"]["order_id"] == order["properties"]["order_id"]


def test_adyen_dispute_events_have_the_status() -> None:
    for case in ("NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", "CHARGEBACK_REVERSED", "SECOND_CHARGEBACK"):
        body = copy.deepcopy(golden("adyen", case))
        body["notificationItems"][0]["NotificationRequestItem"]["additionalData"]["disputeStatus"] = "Pending"
        (message,) = messages_of("adyen", body)
        assert message["properties"]["status"] == "Pending"


# Square


def test_square_payment_refund_and_dispute_share_order_id_and_guest() -> None:
    """Square creates another order for each refund."""
    payment, refund, dispute = (
        golden("square", case) for case in ("payment.updated__guest", "refund.updated", "dispute.created")
    )
    id_ = payment["data"]["object"]["payment"]["id"]
    refund["data"]["object"]["refund"].update(payment_id=id_, order_id="another-order")
    dispute["data"]["object"]["dispute"]["disputed_payment"]["payment_id"] = id_
    messages = [messages_of("square", body)[0] for body in (payment, refund, dispute)]
    assert {message["properties"]["order_id"] for message in messages} == {id_}
    assert len({message["anonymousId"] for message in messages}) == 1


# RevenueCat


@given(cents=st.integers(1, 10**7), part=st.decimals(0, 1, places=4), currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_revenuecat_revenue_and_tax_add_up_to_the_price(cents: int, part: Decimal, currency: str) -> None:
    price = Decimal(cents) if currency == "JPY" else money(cents)
    body = golden("revenuecat", "RENEWAL")
    body["event"].update(price_in_purchased_currency=float(price), tax_percentage=float(part), currency=currency)
    amounts = messages_of("revenuecat", body)[-1]["properties"]
    assert amounts["revenue"] + amounts["tax"] == amounts["total"] == price
    assert 0 <= amounts["tax"] <= price
    assert abs(amounts["tax"] - price * part) <= Decimal("0.5")


@pytest.mark.parametrize(
    "type_", ["EXPIRATION", "CANCELLATION", "UNCANCELLATION", "PRODUCT_CHANGE", "SUBSCRIPTION_PAUSED"]
)
@pytest.mark.parametrize("price", [0, 0.0])
def test_revenuecat_event_without_charge_has_no_amount(type_: str, price: float) -> None:
    body = golden("revenuecat", type_)
    body["event"].update(price=price, price_in_purchased_currency=price)
    assert all("amount" not in message["properties"] for message in messages_of("revenuecat", body))


def test_revenuecat_reversed_refund_undoes_the_refund() -> None:
    (refund,) = messages_of("revenuecat", golden("revenuecat", "CANCELLATION__refund"))
    (reversed_,) = messages_of("revenuecat", golden("revenuecat", "REFUND_REVERSED"))
    assert (refund["event"], reversed_["event"]) == ("Order Refunded", "Refund Failed")
    assert reversed_["properties"]["order_id"] == refund["properties"]["order_id"]
    assert reversed_["properties"]["amount"] == refund["properties"]["total"]


def test_revenuecat_trial_conversion_is_not_a_renewal() -> None:
    names = [
        message["event"] for message in messages_of("revenuecat", golden("revenuecat", "RENEWAL__trial_conversion"))
    ]
    assert names == ["Trial Ended", "Trial Converted", "Order Completed"]


@pytest.mark.parametrize(
    ("exact", "amount", "quantity", "price"),
    [("1.5", 15000, "1.5", "100.00"), ("2", 15000, "2", "75.00"), ("0.333333333333", 5000, "0.333333333333", "150.00")],
)
def test_stripe_line_has_the_exact_fractional_quantity_and_price(
    exact: str, amount: int, quantity: str, price: str
) -> None:
    """`quantity` is truncated beside `quantity_decimal`, so it alone would give a wrong unit price."""
    body = golden("stripe", "invoice.paid")
    line = body["data"]["object"]["lines"]["data"][0]
    line.update(amount=amount, quantity=int(Decimal(exact)), quantity_decimal=exact, currency="eur")
    line["pricing"] = {"unit_amount_decimal": "15000"}
    for name in ("price", "plan"):
        line.pop(name, None)
    product = messages_of("stripe", body)[-1]["properties"]["products"][0]
    assert (product["quantity"], product["price"]) == (Decimal(quantity), Decimal(price))


def test_chargebee_multi_decimal_quantities_and_prices_are_read() -> None:
    body = golden("chargebee", "subscription_created")
    item = {"item_price_id": "hours-EUR", "item_type": "plan", "object": "subscription_item"}
    exact = {"quantity_in_decimal": "1.5", "unit_price_in_decimal": "0.0125"}
    body["content"]["subscription"]["subscription_items"] = [item | exact]
    properties = messages_of("chargebee", body)[0]["properties"]
    assert (properties["quantity"], properties["amount"]) == (Decimal("1.5"), Decimal("0.0125"))


@pytest.mark.parametrize(
    ("name", "case", "lines"),
    [("shopify", "orders.paid", "line_items"), ("paddle", "transaction.completed", "data.items")],
)
def test_fractional_quantity_is_accepted(name: str, case: str, lines: str) -> None:
    body = golden(name, case)
    items = body
    for member in lines.split("."):
        items = items[member]
    items[0]["quantity"] = 1.5
    headers = next(candidate.request for candidate in find_goldens(GOLDEN / name) if candidate.name == case).get(
        "headers", {}
    )
    source = SOURCES[name]
    delivery = Delivery(
        source=name, body=json.dumps(body).encode(), received_at=NOW, options=source.defaults(),
        headers={key.lower(): value for key, value in headers.items()},
    )  # fmt: skip
    ((_, outcome),) = outcomes(source, delivery)
    assert isinstance(outcome, Translated)
    assert outcome.messages[-1]["properties"]["products"][0]["quantity"] == Decimal("1.5")
