"""Chargebee: partial payments, trials and decimal quantities."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from support.outcomes import event_names, golden_body, messages_of, outcome_of
from translators.chargebee import chargebee


def test_chargebee_subscription_cancelled_in_trial_ends_the_trial() -> None:
    body = golden_body(chargebee, "subscription_cancelled")
    body["content"]["subscription"].update(trial_start=1767000000, trial_end=1768000000, cancelled_at=1767500000)
    assert event_names(outcome_of(chargebee, body)) == ["Trial Ended", "Subscription Cancelled"]
    body["content"]["subscription"].update(cancelled_at=1769000000)
    assert event_names(outcome_of(chargebee, body)) == ["Subscription Cancelled"]


def money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


@given(parts=st.lists(st.integers(1, 10**7), min_size=1, max_size=6), share=st.integers(0, 100))
def test_chargebee_partial_payments_add_up_and_one_completes_the_order(parts: list[int], share: int) -> None:
    total = sum(parts)
    tax = total * share // 100
    messages, paid = [], 0
    for number, part in enumerate(parts):
        paid += part
        body = golden_body(chargebee, "payment_succeeded")
        body["id"] = f"ev_{number}"
        body["content"]["transaction"].update(id=f"txn_{number}", amount=part)
        body["content"]["invoice"].update(
            total=total, tax=tax, amount_paid=paid, amount_due=total - paid,
            status="paid" if paid == total else "payment_due",
        )  # fmt: skip
        messages += messages_of(chargebee, body)
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
        body = golden_body(chargebee, "payment_succeeded")
        body["content"]["transaction"].update(id=f"txn_{number}", amount=part)
        body["content"]["invoice"] = {"id": "INV-9", "total": sum(parts), "tax": 0, "currency_code": "EUR"}
        events += [message["event"] for message in messages_of(chargebee, body)]
    assert events.count("Order Completed") <= 1


def test_chargebee_overpayment_counts_the_applied_amount() -> None:
    body = golden_body(chargebee, "payment_succeeded")
    body["content"]["transaction"].update(
        amount=5000, linked_invoices=[{"invoice_id": "INV-7", "applied_amount": 3570}]
    )
    (order,) = messages_of(chargebee, body)
    assert (order["properties"]["total"], order["properties"]["revenue"]) == (money(3570), money(3000))


def test_chargebee_multi_decimal_quantities_and_prices_are_read() -> None:
    body = golden_body(chargebee, "subscription_created")
    item = {"item_price_id": "hours-EUR", "item_type": "plan", "object": "subscription_item"}
    exact = {"quantity_in_decimal": "1.5", "unit_price_in_decimal": "0.0125"}
    body["content"]["subscription"]["subscription_items"] = [item | exact]
    properties = messages_of(chargebee, body)[0]["properties"]
    assert (properties["quantity"], properties["amount"]) == (Decimal("1.5"), Decimal("0.0125"))


def test_chargebee_started_subscription_begins_a_trial_only_in_trial() -> None:
    body = golden_body(chargebee, "subscription_started")
    body["content"]["subscription"]["status"] = "in_trial"
    assert event_names(outcome_of(chargebee, body)) == ["Subscription Started", "Trial Started"]
    body["content"]["subscription"]["status"] = "active"
    assert event_names(outcome_of(chargebee, body)) == ["Subscription Started"]
