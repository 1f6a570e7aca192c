"""PayPal: one person in payments, refunds and disputes; amounts that add up."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.outcomes import event_names, golden_body, messages_of, outcome_of, person_id, properties
from translators.paypal import paypal
from webhooks.translation.translate import Ignored


def _paypal(case: str, **changes: Any) -> Any:
    body = golden_body(paypal, case)
    body["resource"].update(changes)
    return body


def test_paypal_guest_payment_refund_and_dispute_are_one_person() -> None:
    capture = _paypal("PAYMENT.CAPTURE.COMPLETED", id="CAP1", payer=None)
    refund = _paypal(
        "PAYMENT.CAPTURE.REFUNDED", id="REF1", payer=None, supplementary_data=None,
        links=[{"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/CAP1"}],
    )  # fmt: skip
    dispute = _paypal("CUSTOMER.DISPUTE.CREATED", disputed_transactions=[{"seller_transaction_id": "CAP1"}])
    assert (
        person_id(outcome_of(paypal, capture))
        == person_id(outcome_of(paypal, refund))
        == person_id(outcome_of(paypal, dispute))
    )
    assert properties(outcome_of(paypal, refund))["payment_id"] == "CAP1"
    assert properties(outcome_of(paypal, dispute))["payment_id"] == "CAP1"


@pytest.mark.parametrize(
    ("type_", "expected"), [("PAYMENT.REFUND.FAILED", ["Refund Failed"]), ("PAYMENT.REFUND.PENDING", None)]
)
def test_paypal_failed_refund_is_reported_and_pending_refund_ignored(type_: str, expected: list[str] | None) -> None:
    body = _paypal("PAYMENT.CAPTURE.REFUNDED", status=type_.rpartition(".")[2])
    body["event_type"] = type_
    outcome = outcome_of(paypal, body)
    assert isinstance(outcome, Ignored) if expected is None else event_names(outcome) == expected


def test_paypal_invoice_has_an_anonymous_id() -> None:
    for case in ("INVOICING.INVOICE.PAID", "INVOICING.INVOICE.CANCELLED"):
        assert all(message["anonymousId"] for message in outcome_of(paypal, golden_body(paypal, case)).messages)


CENTS = st.integers(0, 10**8)


def money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


@given(net=CENTS, tax=CENTS, shipping=CENTS, discount=CENTS)
def test_paypal_subtotal_tax_and_shipping_add_up_to_the_total(net: int, tax: int, shipping: int, discount: int) -> None:
    total = net + tax + shipping
    details = {
        "subtotal": str(money(net)), "tax": str(money(tax)), "shipping": str(money(shipping + discount)),
        "shipping_discount": str(money(discount)),
    }  # fmt: skip
    body = golden_body(paypal, "PAYMENT.SALE.COMPLETED")
    body["resource"]["amount"] = {"total": str(money(total)), "currency": "EUR", "details": details}
    (order,) = messages_of(paypal, body)
    amounts = order["properties"]
    assert amounts["subtotal"] + amounts["tax"] + amounts["shipping"] == amounts["total"] == money(total)
    assert amounts["revenue"] == amounts["subtotal"] == money(net)


def test_paypal_subscription_and_its_payments_are_one_person() -> None:
    activated, sale = (
        golden_body(paypal, case) for case in ("BILLING.SUBSCRIPTION.ACTIVATED", "PAYMENT.SALE.COMPLETED")
    )
    cancelled = golden_body(paypal, "BILLING.SUBSCRIPTION.CANCELLED__version_1")
    activated["resource"]["id"] = cancelled["resource"]["id"] = sale["resource"]["billing_agreement_id"]
    people = {messages_of(paypal, body)[0]["anonymousId"] for body in (activated, sale, cancelled)}
    assert len(people) == 1


@pytest.mark.parametrize("links", [[{"rel": ["up"], "href": "/captures/1"}], [{"rel": "up", "href": "no link"}], [{}]])
def test_paypal_refund_without_link_to_a_payment_has_its_own_order_id(links: list[Any]) -> None:
    body = golden_body(paypal, "PAYMENT.CAPTURE.REFUNDED")
    body["resource"]["links"] = links
    (refund,) = messages_of(paypal, body)
    assert refund["properties"]["order_id"] == body["resource"]["id"]


@pytest.mark.parametrize("time", ["2018-19-12T22:20:32.000Z", "2026-02-30T00:00:00Z", "", "soon"])
def test_paypal_event_with_invalid_time_has_the_time_of_receipt(time: str) -> None:
    (message,) = messages_of(paypal, golden_body(paypal, "PAYMENT.CAPTURE.COMPLETED") | {"create_time": time})
    assert message["timestamp"] == "2026-11-23T12:00:00.000Z"
    assert message["context"]["webhook"]["clock"] == "received"


def test_paypal_payments_of_one_payer_are_one_person() -> None:
    payer = {"payer_id": "QYR5Z8XDVJNXQ"}
    people = {
        person_id(outcome_of(paypal, _paypal("PAYMENT.CAPTURE.COMPLETED", id=id_, custom_id=None, payer=payer)))
        for id_ in ("CAP1", "CAP2")
    }
    assert len(people) == 1
    assert people != {person_id(outcome_of(paypal, _paypal("PAYMENT.CAPTURE.COMPLETED", id="CAP1", custom_id=None)))}
