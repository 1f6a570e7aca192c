"""Commerce sources beyond the goldens: no revenue counted twice, shared ids, events that are not orders."""

import copy
import json
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from translators.kit import Delivery, to_iso
from webhooks.signatures import sign, verify
from webhooks.signatures.model import Request
from webhooks.sources import plugins
from webhooks.translation.goldens import find_goldens, outcomes
from webhooks.translation.translate import Ignored, Translated

SOURCES = plugins.load().sources
GOLDEN = Path(__file__).parent.parent / "golden"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def golden(name: str, case: str) -> Any:
    return json.loads((GOLDEN / name / f"{case}.json").read_text())


def events_and_outcomes(name: str, body: Any, *, case: str = "", **options: Any) -> list[Any]:
    """Return events with their outcomes; `case` is the golden whose headers are sent."""
    source = SOURCES[name]
    request = next((candidate.request for candidate in find_goldens(GOLDEN / name) if candidate.name == case), {})
    delivery = Delivery(
        source=name, body=json.dumps(body).encode(), received_at=NOW,
        headers={key.lower(): value for key, value in request.get("headers", {}).items()},
        options=source.defaults() | options,
    )  # fmt: skip
    return outcomes(source, delivery)


def outcome_of(name: str, body: Any, **more: Any) -> Any:
    ((_, outcome),) = events_and_outcomes(name, body, **more)
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
def test_square_payment_or_refund_sent_again_for_a_detail_is_a_duplicate(case: str) -> None:
    """https://developer.squareup.com/forums/t/21485: `payment.updated` comes several times for one completed payment."""
    first, again = _square(case), _square(case, version=7, processing_fee=[{"amount_money": {"amount": 60}}])
    again["event_id"], again["created_at"] = "another", "2026-01-02T03:09:00Z"
    ((event, _),), ((other, _),) = events_and_outcomes("square", first), events_and_outcomes("square", again)
    assert event.key == other.key
    failed = _square(case, status="FAILED")
    assert events_and_outcomes("square", failed)[0][0].key != event.key


def test_square_created_and_updated_of_a_completed_payment_are_one_event() -> None:
    created, updated = _square("payment.created", status="COMPLETED"), _square("payment.updated", status="COMPLETED")
    updated["data"]["object"]["payment"]["id"] = created["data"]["object"]["payment"]["id"]
    assert events_and_outcomes("square", created)[0][0].key == events_and_outcomes("square", updated)[0][0].key


def test_late_detail_of_a_square_payment_is_ignored() -> None:
    """The journal recognises the first delivery for a week only."""
    late = _square("payment.updated", created_at="2025-12-01T00:00:00Z", refund_ids=[])
    assert isinstance(outcome_of("square", late), Ignored)


def test_square_refund_has_the_id_of_its_payment() -> None:
    refund = _square("refund.updated")
    assert properties(outcome_of("square", refund))["payment_id"] == refund["data"]["object"]["refund"]["payment_id"]


# Adyen


def _adyen(case: str, extra: dict[str, str] | None = None, **changes: Any) -> Any:
    body = golden("adyen", case)
    item = body["notificationItems"][0]["NotificationRequestItem"]
    item.update(changes)
    if extra is not None:
        item["additionalData"] = {"hmacSignature": "x", **extra}
    return body


def test_adyen_additional_data_with_dots_in_the_name_is_read() -> None:
    """`recurring.shopperReference` is one flat key: https://docs.adyen.com/development-resources/webhooks/webhook-types/"""
    assert person(outcome_of("adyen", _adyen("AUTHORISATION", {"recurring.shopperReference": "u_9"}))) == "u_9"


def test_adyen_reversal_is_translated_as_refund_or_cancellation() -> None:
    """Adyen sends CANCEL_OR_REFUND instead of CANCELLATION or REFUND if you requested a reversal."""
    refund = _adyen("REFUND", {"modification.action": "refund"}, eventCode="CANCEL_OR_REFUND")
    assert names(outcome_of("adyen", refund)) == ["Order Refunded"]
    cancel = _adyen("REFUND", {"modification.action": "cancel"}, eventCode="CANCEL_OR_REFUND")
    assert names(outcome_of("adyen", cancel)) == ["Payment Cancelled"]
    assert isinstance(outcome_of("adyen", _adyen("REFUND", {}, eventCode="CANCEL_OR_REFUND")), Ignored)
    failed = _adyen("REFUND", {"modification.action": "refund"}, eventCode="CANCEL_OR_REFUND", success="false")
    assert names(outcome_of("adyen", failed)) == ["Refund Failed"]


def test_adyen_zero_value_authorisation_is_not_an_order() -> None:
    """A zero-value authorisation checks a card before it is saved."""
    body = _adyen("AUTHORISATION", amount={"currency": "EUR", "value": 0})
    assert isinstance(outcome_of("adyen", body), Ignored)
    refused = _adyen("AUTHORISATION", amount={"currency": "EUR", "value": 0}, success="false")
    assert names(outcome_of("adyen", refused)) == ["Payment Failed"]


@pytest.mark.parametrize(
    ("code", "name", "outcome"),
    [
        ("EXPIRE", "Payment Authorization Expired", None),
        ("SECOND_CHARGEBACK", "Dispute Closed", "lost"),
        ("PREARBITRATION_LOST", "Dispute Closed", "lost"),
        ("PREARBITRATION_WON", "Dispute Closed", "won"),
    ],
)
def test_adyen_final_events_of_payments_and_disputes_have_names(code: str, name: str, outcome: str | None) -> None:
    translated = outcome_of("adyen", _adyen("CHARGEBACK", eventCode=code))
    assert names(translated) == [name]
    assert properties(translated).get("outcome") == outcome


def test_adyen_platform_webhooks_are_accepted_and_ignored() -> None:
    """Bodies of the `platform` scheme have no notificationItems and must not be refused."""
    body = {
        "type": "balancePlatform.transfer.updated", "environment": "live", "timestamp": "2026-01-02T03:04:05+01:00",
        "data": {"id": "48POO45JDF7YYEEK", "status": "booked"},
    }  # fmt: skip
    ((event, outcome),) = events_and_outcomes("adyen", body)
    assert event.type == "balancePlatform.transfer.updated"
    assert event.occurred_at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert isinstance(outcome, Ignored)


# RevenueCat


def _revenuecat(case: str, **changes: Any) -> Any:
    body = golden("revenuecat", case)
    body["event"].update(changes)
    return body


def test_revenuecat_signature_scheme_is_verified() -> None:
    scheme = SOURCES["revenuecat"].schemes["signature"]
    signed = sign(scheme, body=b"{}", secret="whsec_1", now=NOW)
    (header,) = signed.headers
    assert header == "X-RevenueCat-Webhook-Signature"
    request = Request(body=b"{}", headers={name.lower(): value for name, value in signed.headers.items()})
    assert verify(scheme, request, ["whsec_1"], now=NOW).ok
    assert verify(scheme, request, ["whsec_1"], now=NOW).strength == "verified"


def test_revenuecat_granted_purchase_is_not_an_order() -> None:
    granted = _revenuecat("NON_RENEWING_PURCHASE", store="PROMOTIONAL", price_in_purchased_currency=0)
    assert isinstance(outcome_of("revenuecat", granted), Ignored)


def test_revenuecat_trial_ends_on_conversion_or_expiration() -> None:
    assert "Trial Ended" in names(outcome_of("revenuecat", golden("revenuecat", "RENEWAL__trial_conversion")))
    assert names(outcome_of("revenuecat", _revenuecat("EXPIRATION", period_type="TRIAL"))) == [
        "Trial Ended", "Subscription Cancelled",
    ]  # fmt: skip
    assert names(outcome_of("revenuecat", golden("revenuecat", "EXPIRATION"))) == ["Subscription Cancelled"]


def test_revenuecat_family_share_or_granted_subscription_is_not_an_order() -> None:
    for changes in ({"is_family_share": True}, {"period_type": "PROMOTIONAL"}, {"store": "PROMOTIONAL"}):
        assert names(outcome_of("revenuecat", _revenuecat("INITIAL_PURCHASE", **changes))) == ["Subscription Started"]
        assert "Order Completed" not in names(outcome_of("revenuecat", _revenuecat("RENEWAL", **changes)))


def test_revenuecat_transfer_does_not_merge_two_people() -> None:
    """They may share a store account. An anonymous RevenueCat id was never an id at Segment."""
    moved = _revenuecat("TRANSFER", transferred_from=["$RCAnonymousID:1", "u_1", "u_2"], transferred_to=["u_3"])
    (message,) = outcome_of("revenuecat", moved).messages
    assert (message["event"], message["userId"]) == ("Subscription Transferred", "u_3")
    assert message["properties"]["previous_user_ids"] == ["u_1", "u_2"]
    anonymous = _revenuecat("TRANSFER", transferred_from=["$RCAnonymousID:1"], transferred_to=["u_3"])
    assert isinstance(outcome_of("revenuecat", anonymous), Ignored)


# PayPal


def _paypal(case: str, **changes: Any) -> Any:
    body = golden("paypal", case)
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
        person(outcome_of("paypal", capture))
        == person(outcome_of("paypal", refund))
        == person(outcome_of("paypal", dispute))
    )
    assert properties(outcome_of("paypal", refund))["payment_id"] == "CAP1"
    assert properties(outcome_of("paypal", dispute))["payment_id"] == "CAP1"


@pytest.mark.parametrize(
    ("type_", "expected"), [("PAYMENT.REFUND.FAILED", ["Refund Failed"]), ("PAYMENT.REFUND.PENDING", None)]
)
def test_paypal_failed_refund_is_reported_and_pending_refund_ignored(type_: str, expected: list[str] | None) -> None:
    body = _paypal("PAYMENT.CAPTURE.REFUNDED", status=type_.rpartition(".")[2])
    body["event_type"] = type_
    outcome = outcome_of("paypal", body)
    assert isinstance(outcome, Ignored) if expected is None else names(outcome) == expected


# Paddle


def _paddle(case: str, **changes: Any) -> Any:
    body = golden("paddle", case)
    body["data"].update(changes)
    return body


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        ("chargeback", ["Dispute Opened"]),
        ("chargeback_reverse", ["Dispute Funds Reinstated"]),
        ("chargeback_warning", None),
        ("chargeback_warning_reverse", None),
        ("credit", ["Credit Note Created"]),
        ("credit_reverse", ["Credit Note Voided"]),
    ],
)
def test_paddle_adjustment_actions_have_their_own_events(action: str, expected: list[str] | None) -> None:
    outcome = outcome_of("paddle", _paddle("adjustment.created__chargeback", action=action))
    assert isinstance(outcome, Ignored) if expected is None else names(outcome) == expected


def test_paddle_change_of_payment_method_is_not_an_order() -> None:
    """Paddle creates a zero-value transaction if a customer changes the payment method."""
    body = _paddle("transaction.completed", origin="subscription_payment_method_change")
    assert isinstance(outcome_of("paddle", body), Ignored)


# Shopify


def _shopify(case: str, **changes: Any) -> Any:
    return {**golden("shopify", case), **changes}


def test_shopify_shipping_tax_is_not_subtracted_from_the_goods() -> None:
    """With tax included the subtotal contains the goods' tax only, `total_tax` the shipping's too."""
    case = "orders.paid__guest_with_tax_included"
    body = _shopify(case, subtotal_price="119.00", total_tax="20.90", total_price="130.90", taxes_included=True)
    body["line_items"] = [{"title": "A", "quantity": 1, "price": "119.00", "tax_lines": [{"price": "19.00"}]}]
    assert properties(outcome_of("shopify", body, case=case))["revenue"] == Decimal("100.00")
    body["line_items"][0].pop("tax_lines")
    assert properties(outcome_of("shopify", body, case=case))["revenue"] == Decimal("98.10"), "the order's total tax"


def test_shopify_test_order_is_skipped_unless_environment_is_both() -> None:
    body = _shopify("orders.paid", test=True)
    assert isinstance(outcome_of("shopify", body, case="orders.paid"), Ignored)
    both = outcome_of("shopify", body, case="orders.paid", environment="both")
    assert both.messages[0]["context"]["webhook"]["test"] is True


def test_shopify_pending_refund_is_ignored() -> None:
    body = copy.deepcopy(golden("shopify", "refunds.create"))
    for transaction in body["transactions"]:
        transaction["status"] = "pending"
    assert isinstance(outcome_of("shopify", body, case="refunds.create"), Ignored)


# Chargebee


def test_chargebee_subscription_cancelled_in_trial_ends_the_trial() -> None:
    body = golden("chargebee", "subscription_cancelled")
    body["content"]["subscription"].update(trial_start=1767000000, trial_end=1768000000, cancelled_at=1767500000)
    assert names(outcome_of("chargebee", body)) == ["Trial Ended", "Subscription Cancelled"]
    body["content"]["subscription"].update(cancelled_at=1769000000)
    assert names(outcome_of("chargebee", body)) == ["Subscription Cancelled"]


def test_paypal_invoice_has_an_anonymous_id() -> None:
    for case in ("INVOICING.INVOICE.PAID", "INVOICING.INVOICE.CANCELLED"):
        assert all(message["anonymousId"] for message in outcome_of("paypal", golden("paypal", case)).messages)


@pytest.mark.parametrize("price", [0, "0", "0.00"])
def test_revenuecat_free_purchase_is_not_an_order(price: Any) -> None:
    for type_ in ("INITIAL_PURCHASE", "RENEWAL"):
        free = _revenuecat(type_, price_in_purchased_currency=price)
        assert "Order Completed" in names(outcome_of("revenuecat", golden("revenuecat", type_)))
        assert "Order Completed" not in names(outcome_of("revenuecat", free))
    bought = _revenuecat("NON_RENEWING_PURCHASE", price_in_purchased_currency=price)
    assert isinstance(outcome_of("revenuecat", bought), Ignored)


@pytest.mark.parametrize("at", [0, 253402300799000])
def test_revenuecat_impossible_purchase_time_is_not_used(at: int) -> None:
    for message in outcome_of("revenuecat", _revenuecat("INITIAL_PURCHASE", purchased_at_ms=at)).messages:
        assert message["timestamp"].startswith("20")


def test_adyen_test_configuration_is_skipped_in_a_live_account() -> None:
    body = golden("adyen", "AUTHORISATION")
    item = body["notificationItems"][0]["NotificationRequestItem"]
    item["pspReference"] = "test_AUTHORISATION_1"
    outcome = outcome_of("adyen", body | {"live": "true"})
    assert isinstance(outcome, Ignored)
    assert "a test payment" in outcome.reason
    assert isinstance(outcome_of("adyen", body | {"live": "true"}, environment="both"), Translated)


def test_a_renewal_that_the_store_dates_ahead_has_the_events_own_time() -> None:
    """Apple charges up to a day before the period begins, and `purchased_at_ms` is then its beginning."""
    body = _revenuecat("RENEWAL")
    sent = int(NOW.timestamp() * 1000)
    body["event"] |= {"event_timestamp_ms": sent, "purchased_at_ms": sent + 20 * 3_600_000}
    assert {message["timestamp"] for message in outcome_of("revenuecat", body).messages} == {to_iso(NOW)}
    body["event"]["purchased_at_ms"] = sent - 20 * 3_600_000
    assert to_iso(NOW) not in {message["timestamp"] for message in outcome_of("revenuecat", body).messages}
