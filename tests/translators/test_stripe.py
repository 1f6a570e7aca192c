"""What the goldens of Stripe cannot tell by themselves."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import stripe.params._webhook_endpoint_create_params as official

from translators.kit import Delivery, Payload, SharedToken
from translators.kit.source import Ignored
from translators.stripe import stripe
from translators.stripe.money import amount
from webhooks.signatures import Request, sign, verify
from webhooks.transcript import endpoint, outcomes
from webhooks.translate import Translated

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def told(type_: str, thing: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    options = stripe.defaults() | more.pop("options", {})
    body = {"id": "evt_1", "type": type_, "created": 1767229200, "livemode": True, "data": {"object": thing}} | more
    delivery = Delivery(source="stripe", body=json.dumps(body).encode(), received_at=NOW, options=options)
    ((_, outcome),) = outcomes(stripe, delivery)
    return outcome.messages if isinstance(outcome, Translated) else []


def official_types() -> list[str]:
    text = Path(official.__file__).read_text()
    found = set(re.findall(r'"([a-z0-9_]+(?:\.[a-z0-9_]+)+)"', text))
    return sorted(name for name in found if not re.match(r"\d{4}", name))


def test_every_type_that_stripe_knows_is_translated_or_declared_ignored() -> None:
    types = official_types()
    assert len(types) > 250
    assert [type_ for type_ in types if stripe.find(type_) is None] == []


def test_one_purchase_has_one_revenue_whichever_way_it_is_told() -> None:
    session = {
        "id": "cs_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid", "currency": "usd",
        "amount_total": 1000, "amount_subtotal": 1000, "payment_intent": "pi_1",
    }  # fmt: skip
    intent = {"id": "pi_1", "object": "payment_intent", "amount": 1000, "amount_received": 1000, "currency": "usd"}
    charge = {"id": "ch_1", "object": "charge", "amount": 1000, "currency": "usd", "payment_intent": "pi_1"}
    for wanted in ("checkout", "payments"):
        messages = [
            message
            for type_, thing in (
                ("checkout.session.completed", session), ("payment_intent.succeeded", intent), ("charge.succeeded", charge),
            )
            for message in told(type_, thing, options={"revenue_from": wanted})
        ]  # fmt: skip
        assert [m["properties"]["revenue"] for m in messages if "revenue" in m["properties"]] == [Decimal("10.00")]


def test_an_invoice_is_told_once_although_stripe_tells_it_thrice() -> None:
    for twin in ("invoice.payment_succeeded", "invoice_payment.paid"):
        assert isinstance(stripe.find(twin), Ignored)
    assert callable(stripe.find("invoice.paid"))


@pytest.mark.parametrize(
    ("minor", "currency", "exact"),
    [(1999, "usd", "19.99"), (500, "jpy", "500"), (500, "ugx", "5"), (500, "isk", "5"), (500, "mga", "500"), (5120, "kwd", "5.12"),
     (100, "huf", "1"), (100, "twd", "1")],
)  # fmt: skip
def test_amounts_follow_stripes_own_exponents(minor: int, currency: str, exact: str) -> None:
    assert amount(Payload({"amount": minor, "currency": currency}), "amount") == Decimal(exact)


def test_a_guest_of_one_purchase_is_one_person_over_its_events() -> None:
    of = {
        "checkout.session.completed": {
            "id": "cs_1",
            "object": "checkout.session",
            "mode": "payment",
            "payment_intent": "pi_1",
        },
        "payment_intent.succeeded": {"id": "pi_1", "object": "payment_intent"},
        "charge.dispute.created": {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1", "charge": "ch_1"},
    }
    people = {message["anonymousId"] for type_, thing in of.items() for message in told(type_, thing)}
    assert len(people) == 1


def test_an_event_about_the_merchant_is_never_a_customers() -> None:
    (payout,) = told("payout.paid", {"id": "po_1", "object": "payout"})
    (other,) = told("payout.paid", {"id": "po_1", "object": "payout"}, account="acct_1")
    assert payout["anonymousId"] != other["anonymousId"]
    assert "externalIds" not in payout["context"]


def test_the_time_of_a_fact_is_never_after_stripe_recorded_it() -> None:
    late = 1767229200 + 60
    invoice = {"id": "in_1", "object": "invoice", "customer": "cus_1", "status_transitions": {"paid_at": late}}
    (message,) = told("invoice.paid", invoice)
    assert message["timestamp"] == "2026-01-01T01:00:00.000Z"


def test_an_envelope_comes_in_by_the_token_in_its_url() -> None:
    scheme = stripe.schemes["token"]
    assert isinstance(scheme, SharedToken)
    signed = sign(scheme, body=b"{}", secret="tok", now=NOW)
    request = Request(body=b"{}", headers={}, path_token=signed.path_token)
    verdict = verify(scheme, request, ["tok"], now=NOW)
    assert verdict.ok
    assert verdict.strength == "authenticated"


def test_a_body_that_only_looks_like_a_handshake_is_none() -> None:
    for body in (
        b'{"a": "SubscriptionValidationEvent"}',
        b'["SubscriptionValidationEvent"]',
        b'[{"eventType": "SubscriptionValidationEvent"}]',
    ):
        delivery = Delivery(source="stripe", body=body, received_at=NOW, options=stripe.defaults())
        assert stripe.greet(delivery, signed=True) is None
    assert endpoint(stripe, delivery).name == "stripe"
