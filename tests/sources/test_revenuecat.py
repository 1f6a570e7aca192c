"""RevenueCat: what is an order, trials, transfers, and amounts that add up."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.outcomes import event_names, golden_body, messages_of, outcome_of
from translators.kit import to_iso
from translators.revenuecat import revenuecat
from webhooks.http.request import HttpRequest
from webhooks.signatures import sign, verify
from webhooks.translation.goldens import RECEIVED
from webhooks.translation.translate import Broken, Ignored


def test_revenuecat_signature_scheme_is_verified() -> None:
    scheme = revenuecat.schemes["signature"]
    signed = sign(scheme, body=b"{}", secret="whsec_1", now=RECEIVED)
    (header,) = signed.headers
    assert header == "X-RevenueCat-Webhook-Signature".lower()
    request = HttpRequest(body=b"{}", headers=dict(signed.headers))
    assert verify(scheme, request, ["whsec_1"], now=RECEIVED).ok
    assert verify(scheme, request, ["whsec_1"], now=RECEIVED).strength == "verified"


def _revenuecat(case: str, **changes: Any) -> Any:
    body = golden_body(revenuecat, case)
    body["event"].update(changes)
    return body


def test_revenuecat_granted_purchase_is_not_an_order() -> None:
    granted = _revenuecat("NON_RENEWING_PURCHASE", store="PROMOTIONAL", price_in_purchased_currency=0)
    assert isinstance(outcome_of(revenuecat, granted), Ignored)


def test_revenuecat_trial_ends_on_conversion_or_expiration() -> None:
    assert "Trial Ended" in event_names(outcome_of(revenuecat, golden_body(revenuecat, "RENEWAL__trial_conversion")))
    assert event_names(outcome_of(revenuecat, _revenuecat("EXPIRATION", period_type="TRIAL"))) == [
        "Trial Ended", "Subscription Cancelled",
    ]  # fmt: skip
    assert event_names(outcome_of(revenuecat, golden_body(revenuecat, "EXPIRATION"))) == ["Subscription Cancelled"]


def test_revenuecat_family_share_or_granted_subscription_is_not_an_order() -> None:
    for changes in ({"is_family_share": True}, {"period_type": "PROMOTIONAL"}, {"store": "PROMOTIONAL"}):
        assert event_names(outcome_of(revenuecat, _revenuecat("INITIAL_PURCHASE", **changes))) == [
            "Subscription Started"
        ]
        assert "Order Completed" not in event_names(outcome_of(revenuecat, _revenuecat("RENEWAL", **changes)))


def test_revenuecat_transfer_does_not_merge_two_people() -> None:
    """They may share a store account. An anonymous RevenueCat id was never an id at Segment."""
    moved = _revenuecat("TRANSFER", transferred_from=["$RCAnonymousID:1", "u_1", "u_2"], transferred_to=["u_3"])
    (message,) = outcome_of(revenuecat, moved).messages
    assert (message["event"], message["userId"]) == ("Subscription Transferred", "u_3")
    assert message["properties"]["previous_user_ids"] == ["u_1", "u_2"]
    anonymous = _revenuecat("TRANSFER", transferred_from=["$RCAnonymousID:1"], transferred_to=["u_3"])
    assert isinstance(outcome_of(revenuecat, anonymous), Ignored)


@pytest.mark.parametrize("price", [0, "0", "0.00"])
def test_revenuecat_free_purchase_is_not_an_order(price: Any) -> None:
    for type_ in ("INITIAL_PURCHASE", "RENEWAL"):
        free = _revenuecat(type_, price_in_purchased_currency=price)
        assert "Order Completed" in event_names(outcome_of(revenuecat, golden_body(revenuecat, type_)))
        assert "Order Completed" not in event_names(outcome_of(revenuecat, free))
    bought = _revenuecat("NON_RENEWING_PURCHASE", price_in_purchased_currency=price)
    assert isinstance(outcome_of(revenuecat, bought), Ignored)


@pytest.mark.parametrize("at", [0, 253402300799000])
def test_revenuecat_impossible_purchase_time_is_not_used(at: int) -> None:
    for message in outcome_of(revenuecat, _revenuecat("INITIAL_PURCHASE", purchased_at_ms=at)).messages:
        assert message["timestamp"].startswith("20")


def test_a_renewal_that_the_store_dates_ahead_has_the_events_own_time() -> None:
    """Apple charges up to a day before the period begins, and `purchased_at_ms` is then its beginning."""
    body = _revenuecat("RENEWAL")
    sent = int(RECEIVED.timestamp() * 1000)
    body["event"] |= {"event_timestamp_ms": sent, "purchased_at_ms": sent + 20 * 3_600_000}
    assert {message["timestamp"] for message in outcome_of(revenuecat, body).messages} == {to_iso(RECEIVED)}
    body["event"]["purchased_at_ms"] = sent - 20 * 3_600_000
    assert to_iso(RECEIVED) not in {message["timestamp"] for message in outcome_of(revenuecat, body).messages}


def money(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


@given(cents=st.integers(1, 10**7), part=st.decimals(0, 1, places=4), currency=st.sampled_from(["EUR", "JPY", "KWD"]))
def test_revenuecat_revenue_and_tax_add_up_to_the_price(cents: int, part: Decimal, currency: str) -> None:
    price = Decimal(cents) if currency == "JPY" else money(cents)
    body = golden_body(revenuecat, "RENEWAL")
    body["event"].update(price_in_purchased_currency=float(price), tax_percentage=float(part), currency=currency)
    amounts = messages_of(revenuecat, body)[-1]["properties"]
    assert amounts["revenue"] + amounts["tax"] == amounts["total"] == price
    assert 0 <= amounts["tax"] <= price
    assert abs(amounts["tax"] - price * part) <= Decimal("0.5")


@pytest.mark.parametrize(
    "type_", ["EXPIRATION", "CANCELLATION", "UNCANCELLATION", "PRODUCT_CHANGE", "SUBSCRIPTION_PAUSED"]
)
@pytest.mark.parametrize("price", [0, 0.0])
def test_revenuecat_event_without_charge_has_no_amount(type_: str, price: float) -> None:
    body = golden_body(revenuecat, type_)
    body["event"].update(price=price, price_in_purchased_currency=price)
    assert all("amount" not in message["properties"] for message in messages_of(revenuecat, body))


def test_revenuecat_reversed_refund_undoes_the_refund() -> None:
    (refund,) = messages_of(revenuecat, golden_body(revenuecat, "CANCELLATION__refund"))
    (reversed_,) = messages_of(revenuecat, golden_body(revenuecat, "REFUND_REVERSED"))
    assert (refund["event"], reversed_["event"]) == ("Order Refunded", "Refund Failed")
    assert reversed_["properties"]["order_id"] == refund["properties"]["order_id"]
    assert reversed_["properties"]["amount"] == refund["properties"]["total"]


def test_revenuecat_trial_conversion_is_not_a_renewal() -> None:
    names = [
        message["event"] for message in messages_of(revenuecat, golden_body(revenuecat, "RENEWAL__trial_conversion"))
    ]
    assert names == ["Trial Ended", "Trial Converted", "Order Completed"]


@pytest.mark.parametrize("part", [-0.1, 1.01, 16.67])
def test_revenuecat_tax_that_is_no_part_of_the_price_is_malformed(part: float) -> None:
    outcome = outcome_of(revenuecat, _revenuecat("RENEWAL", tax_percentage=part))
    assert isinstance(outcome, Broken)
    assert "tax_percentage is not between 0 and 1" in outcome.reason
