"""Recurly: signatures, keys, and whose event a thin notification is."""

import hmac
from typing import Any

import pytest

from support.outcomes import event_of, golden_body, message_of, outcome_of, properties
from translators.recurly import recurly
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, verify
from webhooks.translation.goldens import RECEIVED
from webhooks.translation.translate import Broken, Ignored


@pytest.mark.parametrize("digits", [1, 1000], ids=["seconds", "milliseconds"])
def test_recurly_signature_has_its_time_in_seconds_or_milliseconds(digits: int) -> None:
    """The documentation's text says milliseconds and its example has seconds."""
    body, secret = b'{"object_type": "account"}', "recurly-secret"

    def fault(at: int, sent: bytes = body) -> Fault:
        signed = hmac.new(secret.encode(), f"{at}.".encode() + body, "sha256").hexdigest()
        request = HttpRequest(body=sent, headers={"recurly-signature": f"{at},0123,{signed}"})
        return verify(recurly.schemes["default"], request, secrets=(secret,), now=RECEIVED).fault

    now = int(RECEIVED.timestamp()) * digits
    assert fault(now) is Fault.NONE
    assert fault(now, body + b" ") is Fault.BODY
    assert fault(now - 3600 * digits) is Fault.CLOCK


def test_recurly_notification_sent_again_is_the_same_event() -> None:
    renewed = golden_body(recurly, "subscription.renewed")
    key = event_of(recurly, renewed).id
    assert event_of(recurly, dict(reversed(renewed.items()))).id == key
    assert event_of(recurly, renewed | {"event_time": "2026-11-01T00:00:00Z"}).id != key
    assert event_of(recurly, renewed | {"uuid": "another"}).id != key


def test_recurly_account_code_is_the_user_id() -> None:
    renewed = golden_body(recurly, "subscription.renewed")
    message = message_of(recurly, renewed)
    assert message["userId"] == renewed["account_code"]
    (external,) = message["context"]["externalIds"]
    assert (external["type"], external["id"]) == ("recurly_account_code", renewed["account_code"])


def test_recurly_event_without_account_code_belongs_to_its_object() -> None:
    """An account is known by its id, another object by its own, so a subscription's events share one person."""

    def person(case: str, **changes: Any) -> str:
        return str(message_of(recurly, golden_body(recurly, case) | {"account_code": None, **changes})["anonymousId"])

    assert person("subscription.renewed", uuid="s1") == person("subscription.expired", uuid="s1")
    assert person("subscription.renewed", uuid="s1") != person("subscription.renewed", uuid="s2")
    assert person("account.created", id="a1", uuid="x") == person("account.closed", id="a1", uuid="y")


def test_recurly_refund_has_the_payment_as_order_and_no_amount() -> None:
    refunded = golden_body(recurly, "payment.refunded")
    sent = properties(outcome_of(recurly, refunded))
    assert sent["order_id"] == sent["payment_id"] == refunded["uuid"]
    assert not {"revenue", "total", "amount"} & set(sent)


def test_recurly_time_without_a_zone_is_utc() -> None:
    renewed = golden_body(recurly, "subscription.renewed") | {"event_time": "2026-11-01T10:00:00"}
    assert event_of(recurly, renewed).occurred_at.isoformat() == "2026-11-01T10:00:00+00:00"


def test_recurly_object_without_an_id_is_malformed() -> None:
    renewed = golden_body(recurly, "subscription.renewed") | {"uuid": None, "id": None}
    outcome = outcome_of(recurly, renewed)
    assert isinstance(outcome, Broken)
    assert "$.id" in outcome.reason


@pytest.mark.parametrize(
    ("kind", "event", "reason"),
    [
        ("account", "updated", "does not say what changed"),
        ("charge_invoice", "processing", "an intermediate step"),
        ("dunning_event", "created", "holds only the object's id"),
        ("plan", "created", "the merchant's catalogue"),
    ],
)
def test_recurly_notification_that_says_nothing_of_a_customer_is_ignored(kind: str, event: str, reason: str) -> None:
    body = golden_body(recurly, "subscription.renewed") | {"object_type": kind, "event_type": event}
    outcome = outcome_of(recurly, body)
    assert isinstance(outcome, Ignored)
    assert reason in outcome.reason
