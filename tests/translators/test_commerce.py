"""What goldens cannot say of the commerce sources: money that must not count twice, ids that must join, what is no sale."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from translators.kit import Delivery
from webhooks import plugins
from webhooks.signatures import sign, verify
from webhooks.signatures.model import Request
from webhooks.transcript import find_goldens, outcomes
from webhooks.translate import Ignored, Translated

SOURCES = plugins.load().sources
GOLDEN = Path(__file__).parent.parent / "golden"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def golden(name: str, case: str) -> Any:
    return json.loads((GOLDEN / name / f"{case}.json").read_text())


def told(name: str, body: Any, *, case: str = "", **options: Any) -> list[Any]:
    """Events with their outcomes; `case` is the golden whose headers are sent along."""
    source = SOURCES[name]
    request = next((each.request for each in find_goldens(GOLDEN / name) if each.name == case), {})
    delivery = Delivery(
        source=name, body=json.dumps(body).encode(), received_at=NOW,
        headers={key.lower(): value for key, value in request.get("headers", {}).items()},
        options=source.defaults() | options,
    )  # fmt: skip
    return outcomes(source, delivery)


def one(name: str, body: Any, **more: Any) -> Any:
    ((_, outcome),) = told(name, body, **more)
    return outcome


def names(outcome: Any) -> list[str]:
    assert isinstance(outcome, Translated), outcome
    return [message.get("event", message["type"]) for message in outcome.messages]


def properties(outcome: Any) -> dict[str, Any]:
    return outcome.messages[0]["properties"]


def person(outcome: Any) -> str:
    message = outcome.messages[0]
    return message.get("userId") or message["anonymousId"]


# Square


def _square(case: str, **changes: Any) -> Any:
    body = golden("square", case)
    body["data"]["object"]["payment" if case.startswith("payment") else "refund"].update(changes)
    return body


@pytest.mark.parametrize("case", ["payment.updated", "refund.updated"])
def test_square_tells_a_payment_or_refund_again_for_its_details_and_that_is_one_event(case: str) -> None:
    """https://developer.squareup.com/forums/t/21485: `payment.updated` comes several times for one completed payment."""
    first, again = _square(case), _square(case, version=7, processing_fee=[{"amount_money": {"amount": 60}}])
    again["event_id"], again["created_at"] = "another", "2026-01-02T03:09:00Z"
    ((one_, _),), ((other, _),) = told("square", first), told("square", again)
    assert one_.key == other.key
    failed = _square(case, status="FAILED")
    assert told("square", failed)[0][0].key != one_.key


def test_squares_created_and_updated_tell_one_completed_payment() -> None:
    created, updated = _square("payment.created", status="COMPLETED"), _square("payment.updated", status="COMPLETED")
    updated["data"]["object"]["payment"]["id"] = created["data"]["object"]["payment"]["id"]
    assert told("square", created)[0][0].key == told("square", updated)[0][0].key


def test_a_detail_long_after_a_square_payment_is_not_its_order_again() -> None:
    """The journal's memory of the first telling is a week long."""
    late = _square("payment.updated", created_at="2025-12-01T00:00:00Z", refund_ids=[])
    assert isinstance(one("square", late), Ignored)


def test_a_square_refund_names_the_payment_that_it_gives_back() -> None:
    refund = _square("refund.updated")
    assert properties(one("square", refund))["payment_id"] == refund["data"]["object"]["refund"]["payment_id"]


# Adyen


def _adyen(case: str, extra: dict[str, str] | None = None, **changes: Any) -> Any:
    body = golden("adyen", case)
    item = body["notificationItems"][0]["NotificationRequestItem"]
    item.update(changes)
    if extra is not None:
        item["additionalData"] = {"hmacSignature": "x", **extra}
    return body


def test_adyens_names_have_dots_in_them() -> None:
    """`recurring.shopperReference` is one flat key: https://docs.adyen.com/development-resources/webhooks/webhook-types/"""
    assert person(one("adyen", _adyen("AUTHORISATION", {"recurring.shopperReference": "u_9"}))) == "u_9"


def test_a_reversal_is_the_refund_or_the_cancellation_that_it_became() -> None:
    """Adyen sends CANCEL_OR_REFUND instead of CANCELLATION or REFUND where you asked for a reversal."""
    refund = _adyen("REFUND", {"modification.action": "refund"}, eventCode="CANCEL_OR_REFUND")
    assert names(one("adyen", refund)) == ["Order Refunded"]
    cancel = _adyen("REFUND", {"modification.action": "cancel"}, eventCode="CANCEL_OR_REFUND")
    assert names(one("adyen", cancel)) == ["Payment Cancelled"]
    assert isinstance(one("adyen", _adyen("REFUND", {}, eventCode="CANCEL_OR_REFUND")), Ignored)
    failed = _adyen("REFUND", {"modification.action": "refund"}, eventCode="CANCEL_OR_REFUND", success="false")
    assert names(one("adyen", failed)) == ["Refund Failed"]


def test_an_authorisation_of_nothing_is_no_order() -> None:
    """A zero-value authorisation checks a card before it is saved."""
    body = _adyen("AUTHORISATION", amount={"currency": "EUR", "value": 0})
    assert isinstance(one("adyen", body), Ignored)
    refused = _adyen("AUTHORISATION", amount={"currency": "EUR", "value": 0}, success="false")
    assert names(one("adyen", refused)) == ["Payment Failed"]


@pytest.mark.parametrize(
    ("code", "name", "outcome"),
    [
        ("EXPIRE", "Payment Authorization Expired", None),
        ("SECOND_CHARGEBACK", "Dispute Closed", "lost"),
        ("PREARBITRATION_LOST", "Dispute Closed", "lost"),
        ("PREARBITRATION_WON", "Dispute Closed", "won"),
    ],
)
def test_adyens_ends_of_payments_and_disputes_have_names(code: str, name: str, outcome: str | None) -> None:
    told_ = one("adyen", _adyen("CHARGEBACK", eventCode=code))
    assert names(told_) == [name]
    assert properties(told_).get("outcome") == outcome


def test_adyens_platform_webhooks_are_taken_and_declared_ignored() -> None:
    """The `platform` scheme is of no use where its bodies are refused: they hold no notificationItems."""
    body = {
        "type": "balancePlatform.transfer.updated", "environment": "live", "timestamp": "2026-01-02T03:04:05+01:00",
        "data": {"id": "48POO45JDF7YYEEK", "status": "booked"},
    }  # fmt: skip
    ((event, outcome),) = told("adyen", body)
    assert event.type == "balancePlatform.transfer.updated"
    assert event.occurred_at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert isinstance(outcome, Ignored)


# RevenueCat


def _revenuecat(case: str, **changes: Any) -> Any:
    body = golden("revenuecat", case)
    body["event"].update(changes)
    return body


def test_revenuecat_signs_where_its_operator_switches_that_on() -> None:
    scheme = SOURCES["revenuecat"].schemes["signature"]
    signed = sign(scheme, body=b"{}", secret="whsec_1", now=NOW)
    (header,) = signed.headers
    assert header == "X-RevenueCat-Webhook-Signature"
    request = Request(body=b"{}", headers={name.lower(): value for name, value in signed.headers.items()})
    assert verify(scheme, request, ["whsec_1"], now=NOW).ok
    assert verify(scheme, request, ["whsec_1"], now=NOW).strength == "verified"


def test_what_you_grant_yourself_is_no_order() -> None:
    granted = _revenuecat("NON_RENEWING_PURCHASE", store="PROMOTIONAL", price_in_purchased_currency=0)
    assert isinstance(one("revenuecat", granted), Ignored)


def test_a_revenuecat_trial_ends_when_it_is_converted_or_runs_out() -> None:
    assert "Trial Ended" in names(one("revenuecat", golden("revenuecat", "RENEWAL__trial_conversion")))
    assert names(one("revenuecat", _revenuecat("EXPIRATION", period_type="TRIAL"))) == [
        "Trial Ended", "Subscription Cancelled",
    ]  # fmt: skip
    assert names(one("revenuecat", golden("revenuecat", "EXPIRATION"))) == ["Subscription Cancelled"]


def test_what_a_family_shares_is_no_order_and_neither_is_a_granted_subscription() -> None:
    for changes in ({"is_family_share": True}, {"period_type": "PROMOTIONAL"}, {"store": "PROMOTIONAL"}):
        assert names(one("revenuecat", _revenuecat("INITIAL_PURCHASE", **changes))) == ["Subscription Started"]
        assert "Order Completed" not in names(one("revenuecat", _revenuecat("RENEWAL", **changes)))


def test_a_transfer_joins_no_two_people() -> None:
    """They may share a store's account. An anonymous RevenueCat id never was an id at Segment."""
    moved = _revenuecat("TRANSFER", transferred_from=["$RCAnonymousID:1", "u_1", "u_2"], transferred_to=["u_3"])
    (message,) = one("revenuecat", moved).messages
    assert (message["event"], message["userId"]) == ("Subscription Transferred", "u_3")
    assert message["properties"]["previous_user_ids"] == ["u_1", "u_2"]
    anonymous = _revenuecat("TRANSFER", transferred_from=["$RCAnonymousID:1"], transferred_to=["u_3"])
    assert isinstance(one("revenuecat", anonymous), Ignored)


# PayPal


def _paypal(case: str, **changes: Any) -> Any:
    body = golden("paypal", case)
    body["resource"].update(changes)
    return body


def test_a_paypal_guests_payment_its_refund_and_its_dispute_are_one_person() -> None:
    capture = _paypal("PAYMENT.CAPTURE.COMPLETED", id="CAP1", payer=None)
    refund = _paypal(
        "PAYMENT.CAPTURE.REFUNDED", id="REF1", payer=None, supplementary_data=None,
        links=[{"rel": "up", "href": "https://api.paypal.com/v2/payments/captures/CAP1"}],
    )  # fmt: skip
    dispute = _paypal("CUSTOMER.DISPUTE.CREATED", disputed_transactions=[{"seller_transaction_id": "CAP1"}])
    assert person(one("paypal", capture)) == person(one("paypal", refund)) == person(one("paypal", dispute))
    assert properties(one("paypal", refund))["payment_id"] == "CAP1"
    assert properties(one("paypal", dispute))["payment_id"] == "CAP1"


@pytest.mark.parametrize(
    ("type_", "wanted"), [("PAYMENT.REFUND.FAILED", ["Refund Failed"]), ("PAYMENT.REFUND.PENDING", None)]
)
def test_a_paypal_refund_that_does_not_go_through(type_: str, wanted: list[str] | None) -> None:
    body = _paypal("PAYMENT.CAPTURE.REFUNDED", status=type_.rpartition(".")[2])
    body["event_type"] = type_
    outcome = one("paypal", body)
    assert isinstance(outcome, Ignored) if wanted is None else names(outcome) == wanted


# Paddle


def _paddle(case: str, **changes: Any) -> Any:
    body = golden("paddle", case)
    body["data"].update(changes)
    return body


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ("chargeback", ["Dispute Opened"]),
        ("chargeback_reverse", ["Dispute Funds Reinstated"]),
        ("chargeback_warning", None),
        ("chargeback_warning_reverse", None),
        ("credit", ["Credit Note Created"]),
        ("credit_reverse", ["Credit Note Voided"]),
    ],
)
def test_each_kind_of_paddles_adjustments_is_itself(action: str, wanted: list[str] | None) -> None:
    outcome = one("paddle", _paddle("adjustment.created__chargeback", action=action))
    assert isinstance(outcome, Ignored) if wanted is None else names(outcome) == wanted


def test_a_new_card_at_paddle_is_no_order() -> None:
    """Paddle makes a transaction of nothing where a customer changes the payment method."""
    body = _paddle("transaction.completed", origin="subscription_payment_method_change")
    assert isinstance(one("paddle", body), Ignored)


# Shopify


def _shopify(case: str, **changes: Any) -> Any:
    return {**golden("shopify", case), **changes}


def test_the_tax_on_shipping_is_not_taken_off_the_goods() -> None:
    """Prices with tax: the subtotal holds the goods' tax alone, `total_tax` the shipping's too."""
    case = "orders.paid__guest_with_tax_included"
    body = _shopify(case, subtotal_price="119.00", total_tax="20.90", total_price="130.90", taxes_included=True)
    body["line_items"] = [{"title": "A", "quantity": 1, "price": "119.00", "tax_lines": [{"price": "19.00"}]}]
    assert properties(one("shopify", body, case=case))["revenue"] == Decimal("100.00")
    body["line_items"][0].pop("tax_lines")
    assert properties(one("shopify", body, case=case))["revenue"] == Decimal("98.10"), "what the order tells as a whole"


def test_a_test_order_of_shopify_is_skipped_unless_it_is_asked_for() -> None:
    body = _shopify("orders.paid", test=True)
    assert isinstance(one("shopify", body, case="orders.paid"), Ignored)
    both = one("shopify", body, case="orders.paid", environment="both")
    assert both.messages[0]["context"]["webhook"]["test"] is True


def test_a_shopify_refund_that_gave_no_money_back_yet_is_none() -> None:
    body = copy.deepcopy(golden("shopify", "refunds.create"))
    for transaction in body["transactions"]:
        transaction["status"] = "pending"
    assert isinstance(one("shopify", body, case="refunds.create"), Ignored)


# Chargebee


def test_a_chargebee_trial_that_is_cancelled_has_ended() -> None:
    body = golden("chargebee", "subscription_cancelled")
    body["content"]["subscription"].update(trial_start=1767000000, trial_end=1768000000, cancelled_at=1767500000)
    assert names(one("chargebee", body)) == ["Trial Ended", "Subscription Cancelled"]
    body["content"]["subscription"].update(cancelled_at=1769000000)
    assert names(one("chargebee", body)) == ["Subscription Cancelled"]


def test_an_invoice_or_dispute_of_paypal_names_somebody() -> None:
    for case in ("INVOICING.INVOICE.PAID", "INVOICING.INVOICE.CANCELLED"):
        assert all(message["anonymousId"] for message in one("paypal", golden("paypal", case)).messages)


@pytest.mark.parametrize("price", [0, "0", "0.00"])
def test_a_revenuecat_purchase_for_nothing_is_no_order(price: Any) -> None:
    for type_ in ("INITIAL_PURCHASE", "RENEWAL"):
        free = _revenuecat(type_, price_in_purchased_currency=price)
        assert "Order Completed" in names(one("revenuecat", golden("revenuecat", type_)))
        assert "Order Completed" not in names(one("revenuecat", free))
    bought = _revenuecat("NON_RENEWING_PURCHASE", price_in_purchased_currency=price)
    assert isinstance(one("revenuecat", bought), Ignored)


@pytest.mark.parametrize("at", [0, 253402300799000])
def test_a_time_of_purchase_that_cannot_be_is_not_taken(at: int) -> None:
    for message in one("revenuecat", _revenuecat("INITIAL_PURCHASE", purchased_at_ms=at)).messages:
        assert message["timestamp"].startswith("20")


def test_adyens_test_configuration_is_no_payment_in_a_live_account_either() -> None:
    body = golden("adyen", "AUTHORISATION")
    item = body["notificationItems"][0]["NotificationRequestItem"]
    item["pspReference"] = "test_AUTHORISATION_1"
    outcome = one("adyen", body | {"live": "true"})
    assert isinstance(outcome, Ignored)
    assert "a test payment" in outcome.reason
    assert isinstance(one("adyen", body | {"live": "true"}, environment="both"), Translated)
