"""Adyen: modifications, disputes, zero-value authorisations and platform webhooks."""

import copy
from datetime import UTC, datetime
from typing import Any

import pytest

from support.outcomes import (
    event_names,
    events_and_outcomes,
    golden_body,
    messages_of,
    outcome_of,
    person_id,
    properties,
)
from translators.adyen import adyen
from webhooks.translation.translate import Ignored, Translated


def _adyen(case: str, extra: dict[str, str] | None = None, **changes: Any) -> Any:
    body = golden_body(adyen, case)
    item = body["notificationItems"][0]["NotificationRequestItem"]
    item.update(changes)
    if extra is not None:
        item["additionalData"] = {"hmacSignature": "x", **extra}
    return body


def test_adyen_additional_data_with_dots_in_the_name_is_read() -> None:
    """`recurring.shopperReference` is one flat key: https://docs.adyen.com/development-resources/webhooks/webhook-types/"""
    assert person_id(outcome_of(adyen, _adyen("AUTHORISATION", {"recurring.shopperReference": "u_9"}))) == "u_9"


def test_adyen_reversal_is_translated_as_refund_or_cancellation() -> None:
    """Adyen sends CANCEL_OR_REFUND instead of CANCELLATION or REFUND if you requested a reversal."""
    refund = _adyen("REFUND", {"modification.action": "refund"}, eventCode="CANCEL_OR_REFUND")
    assert event_names(outcome_of(adyen, refund)) == ["Order Refunded"]
    cancel = _adyen("REFUND", {"modification.action": "cancel"}, eventCode="CANCEL_OR_REFUND")
    assert event_names(outcome_of(adyen, cancel)) == ["Payment Cancelled"]
    assert isinstance(outcome_of(adyen, _adyen("REFUND", {}, eventCode="CANCEL_OR_REFUND")), Ignored)
    failed = _adyen("REFUND", {"modification.action": "refund"}, eventCode="CANCEL_OR_REFUND", success="false")
    assert event_names(outcome_of(adyen, failed)) == ["Refund Failed"]


def test_adyen_zero_value_authorisation_is_not_an_order() -> None:
    """A zero-value authorisation checks a card before it is saved."""
    body = _adyen("AUTHORISATION", amount={"currency": "EUR", "value": 0})
    assert isinstance(outcome_of(adyen, body), Ignored)
    refused = _adyen("AUTHORISATION", amount={"currency": "EUR", "value": 0}, success="false")
    assert event_names(outcome_of(adyen, refused)) == ["Payment Failed"]


@pytest.mark.parametrize("code", ["AUTHORISATION", "REFUND"])
def test_adyen_payment_without_a_currency_has_no_amount(code: str) -> None:
    sent = properties(outcome_of(adyen, _adyen(code, amount={"value": 1990})))
    assert sent["order_id"]
    assert not {"total", "revenue", "currency"} & sent.keys()


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
    translated = outcome_of(adyen, _adyen("CHARGEBACK", eventCode=code))
    assert event_names(translated) == [name]
    assert properties(translated).get("outcome") == outcome


def test_adyen_platform_webhooks_are_accepted_and_ignored() -> None:
    """Bodies of the `platform` scheme have no notificationItems and must not be refused."""
    body = {
        "type": "balancePlatform.transfer.updated", "environment": "live", "timestamp": "2026-01-02T03:04:05+01:00",
        "data": {"id": "48POO45JDF7YYEEK", "status": "booked"},
    }  # fmt: skip
    ((event, outcome),) = events_and_outcomes(adyen, body)
    assert event.type == "balancePlatform.transfer.updated"
    assert event.occurred_at == datetime(2026, 1, 2, 2, 4, 5, tzinfo=UTC)
    assert isinstance(outcome, Ignored)


def test_adyen_test_configuration_is_skipped_in_a_live_account() -> None:
    body = golden_body(adyen, "AUTHORISATION")
    item = body["notificationItems"][0]["NotificationRequestItem"]
    item["pspReference"] = "test_AUTHORISATION_1"
    outcome = outcome_of(adyen, body | {"live": "true"})
    assert isinstance(outcome, Ignored)
    assert "a test payment" in outcome.reason
    assert isinstance(outcome_of(adyen, body | {"live": "true"}, environment="both"), Translated)


@pytest.mark.parametrize("case", ["REFUND", "CAPTURE", "CANCELLATION", "CHARGEBACK", "REFUND_FAILED"])
def test_adyen_modification_has_the_payments_order_id(case: str) -> None:
    payment = golden_body(adyen, "AUTHORISATION")["notificationItems"][0]["NotificationRequestItem"]
    body = golden_body(adyen, case)
    body["notificationItems"][0]["NotificationRequestItem"].update(
        merchantReference="my-refund-9", originalReference=payment["pspReference"]
    )
    (order,) = messages_of(adyen, golden_body(adyen, "AUTHORISATION"))
    (message,) = messages_of(adyen, body)
    assert message["properties"]["order_id"] == order["properties"]["order_id"]


def test_adyen_dispute_events_have_the_status() -> None:
    for case in ("NOTIFICATION_OF_CHARGEBACK", "CHARGEBACK", "CHARGEBACK_REVERSED", "SECOND_CHARGEBACK"):
        body = copy.deepcopy(golden_body(adyen, case))
        body["notificationItems"][0]["NotificationRequestItem"]["additionalData"]["disputeStatus"] = "Pending"
        (message,) = messages_of(adyen, body)
        assert message["properties"]["status"] == "Pending"
