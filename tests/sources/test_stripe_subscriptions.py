"""Stripe subscriptions with several items, and amounts that add up with tax included or added."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Delivery
from translators.stripe import stripe
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Translated

GOLDEN = Path(__file__).parent.parent / "golden" / "stripe"
START, END, NEXT_END = 1767225600, 1769904000, 1772323200


def messages(body: Any) -> list[dict[str, Any]]:
    delivery = Delivery(
        source="stripe", body=json.dumps(body).encode(), received_at=RECEIVED, options=stripe.defaults()
    )
    ((_, outcome),) = outcomes(stripe, delivery)
    assert isinstance(outcome, Translated), outcome
    return outcome.messages


def golden(case: str) -> Any:
    return json.loads((GOLDEN / f"{case}.json").read_text())


def item(id_: str, plan: str, quantity: int | None, start: int = START, end: int = END) -> dict[str, Any]:
    price = {"id": plan, "currency": "usd", "unit_amount": 500, "product": f"prod_{plan}"}
    return {
        "id": id_, "price": price, "quantity": quantity, "current_period_start": start, "current_period_end": end,
    }  # fmt: skip


def updated(now: list[Any], before: list[Any], **previous: Any) -> list[dict[str, Any]]:
    body = golden("customer.subscription.updated__plan_changed")
    body["data"]["object"]["items"] = {"object": "list", "data": now}
    body["data"]["previous_attributes"] = {"items": {"data": before}, **previous}
    return messages(body)


def names(sent: list[dict[str, Any]]) -> list[str]:
    return [message["event"] for message in sent]


ITEMS = st.dictionaries(
    st.sampled_from(["si_1", "si_2", "si_3", "si_4"]),
    st.tuples(st.sampled_from(["price_a", "price_b"]), st.integers(1, 3)), min_size=1,
)  # fmt: skip


@given(old=ITEMS, new=ITEMS, seed=st.randoms(use_true_random=False))
def test_subscription_items_are_compared_by_id_in_any_order(old: Any, new: Any, seed: Any) -> None:
    def listed(items: Any, start: int, end: int) -> list[Any]:
        result = [item(id_, plan, quantity, start, end) for id_, (plan, quantity) in items.items()]
        seed.shuffle(result)
        return result

    sent = updated(listed(new, START, END), listed(old, START, END), metadata={})
    differing = {id_ for id_ in old.keys() | new.keys() if old.get(id_) != new.get(id_)}
    if not differing:
        assert names(sent) == ["Subscription Updated"]
        return
    assert names(sent) == ["Subscription Plan Changed"]
    changes = {change["item_id"]: change for change in sent[0]["properties"]["items_changed"]}
    assert changes.keys() == differing
    for id_, change in changes.items():
        kind = "added" if id_ not in old else "removed" if id_ not in new else None
        assert kind in (None, change["change"])
        plan, quantity = new.get(id_) or old[id_]
        assert (change["plan_id"], change["quantity"]) == (plan, quantity)
        if kind is None:
            previous = (change.get("previous_plan_id", plan), change.get("previous_quantity", quantity))
            assert previous == old[id_]


@given(seed=st.randoms(use_true_random=False), plan=st.sampled_from(["price_a", "price_b"]))
def test_a_renewal_is_reported_beside_a_plan_change_and_in_any_order(seed: Any, plan: str) -> None:
    old = [item("si_1", "price_a", 1), item("si_2", "price_c", 9)]
    new = [item("si_1", plan, 1, END, NEXT_END), item("si_2", "price_c", 9, END, NEXT_END)]
    seed.shuffle(old)
    seed.shuffle(new)
    moved = ["Subscription Plan Changed"] if plan == "price_b" else []
    assert names(updated(new, old)) == [*moved, "Subscription Renewed"]


def test_renewal_of_one_item_renews_the_subscription() -> None:
    """A subscription may have monthly and yearly items."""
    yearly = item("si_1", "price_year", 1)
    sent = updated([yearly, item("si_2", "price_a", 1, END, NEXT_END)], [yearly, item("si_2", "price_a", 1)])
    assert names(sent) == ["Subscription Renewed"]


def test_period_that_begins_before_the_previous_end_is_not_a_renewal() -> None:
    sent = updated([item("si_1", "price_b", 1, START + 9, END + 9)], [item("si_1", "price_a", 1)])
    assert names(sent) == ["Subscription Plan Changed"]


@pytest.mark.parametrize("status", ["past_due", "unpaid"])
def test_overdue_subscription_that_becomes_active_has_recovered(status: str) -> None:
    same = [item("si_1", "price_a", 1)]
    sent = updated(same, same, status=status)
    assert names(sent) == ["Subscription Recovered"]
    assert sent[0]["properties"]["previous_status"] == status


def test_previous_quantity_is_of_the_first_item_only() -> None:
    first = item("si_1", "price_a", 1)
    sent = updated([first, item("si_2", "price_b", 5)], [first, item("si_2", "price_b", 3)])
    assert "previous_quantity" not in sent[0]["properties"]
    assert sent[0]["properties"]["items_changed"][0]["previous_quantity"] == 3


CENTS = st.integers(0, 10**8)


@given(net=CENTS, tax=CENTS, shipping=CENTS, shipping_tax=CENTS, discount=CENTS, included=st.booleans())
def test_stripe_subtotal_tax_and_shipping_add_up_to_the_total(
    net: int, tax: int, shipping: int, shipping_tax: int, discount: int, included: bool
) -> None:
    """Orders, checkouts, invoices, credit notes and quotes; prices with the tax included or added."""
    total = net + tax + shipping + shipping_tax
    subtotal = net + discount + (tax if included else 0)
    cost = {
        "amount_subtotal": shipping + (shipping_tax if included else 0), "amount_tax": shipping_tax,
        "amount_total": shipping + shipping_tax,
    }  # fmt: skip
    of_checkout = {
        "amount_total": total, "amount_subtotal": subtotal, "shipping_cost": cost,
        "total_details": {
            "amount_discount": discount, "amount_shipping": cost["amount_subtotal"], "amount_tax": tax + shipping_tax,
        },
    }  # fmt: skip
    of_invoice = {
        "total": total, "subtotal": subtotal, "total_excluding_tax": total - tax - shipping_tax,
        "total_taxes": [{"amount": tax + shipping_tax}], "total_discount_amounts": [{"amount": discount}],
        "shipping_cost": cost,
    }  # fmt: skip
    for case, amounts in (
        ("checkout.session.completed", of_checkout), ("quote.accepted", of_checkout),
        ("invoice.paid", of_invoice), ("credit_note.created", of_invoice),
    ):  # fmt: skip
        body = golden(case)
        body["data"]["object"].update(amounts)
        money = messages(body)[-1]["properties"]
        exact = {name: Decimal(value).scaleb(-2) for name, value in (("net", net), ("shipping", shipping))}
        assert money["subtotal"] + money["tax"] + money["shipping"] == money["total"] == Decimal(total).scaleb(-2)
        assert (money["subtotal"], money["shipping"]) == (exact["net"], exact["shipping"])
        assert money.get("revenue", money["subtotal"]) == exact["net"]


@given(steps=st.lists(st.integers(1, 10**6), min_size=1, max_size=6))
def test_stripe_refunds_of_a_charge_add_up_to_what_was_refunded(steps: list[int]) -> None:
    refunded, sums = 0, Decimal(0)
    for step in steps:
        body = golden("charge.refunded")
        body["data"]["object"].update(amount=sum(steps), amount_captured=sum(steps), amount_refunded=refunded + step)
        body["data"]["previous_attributes"] = {"amount_refunded": refunded}
        refunded += step
        sums += messages(body)[0]["properties"]["total"]
    assert sums == Decimal(sum(steps)).scaleb(-2)


@pytest.mark.parametrize("price", [None, ["price_1"]])
def test_item_without_a_price_has_no_plan(price: Any) -> None:
    body = golden("customer.subscription.created")
    for line in [body["data"]["object"], *body["data"]["object"]["items"]["data"]]:
        line |= {"price": price, "plan": None}
    started = messages(body)[0]
    assert started["event"] == "Subscription Started"
    assert "plan_id" not in started["properties"]


def test_trial_that_ends_unpaid_is_not_converted() -> None:
    body = golden("customer.subscription.updated__plan_changed")
    body["data"]["object"]["status"] = "past_due"
    body["data"]["previous_attributes"] = {"status": "trialing"}
    assert names(messages(body)) == ["Trial Ended", "Subscription Past Due"]
