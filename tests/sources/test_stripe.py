"""Stripe behaviour that the goldens do not cover."""

import json
import re
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import stripe.params._webhook_endpoint_create_params as official

from support.outcomes import changed_golden
from translators.kit import Delivery, Payload, SharedToken
from translators.kit.source import IgnoredType
from translators.stripe import stripe
from translators.stripe.money import amount
from webhooks.errors import Rejected
from webhooks.http.request import HttpRequest
from webhooks.journal import SqliteJournal
from webhooks.signatures import sign, verify
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import endpoint, outcomes
from webhooks.translation.translate import Ignored, Translated
from webhooks.web.handler import WebhookHandler

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def messages_of(type_: str, obj: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    options = stripe.defaults() | more.pop("options", {})
    body = {"id": "evt_1", "type": type_, "created": 1767229200, "livemode": True, "data": {"object": obj}} | more
    delivery = Delivery(source="stripe", body=json.dumps(body).encode(), received_at=NOW, options=options)
    ((_, outcome),) = outcomes(stripe, delivery)
    return outcome.messages if isinstance(outcome, Translated) else []


def official_types() -> list[str]:
    text = Path(official.__file__).read_text()
    names = set(re.findall(r'"([a-z0-9_]+(?:\.[a-z0-9_]+)+)"', text))
    return sorted(name for name in names if not re.match(r"\d{4}", name))


def test_every_type_of_stripes_list_is_translated_or_ignored() -> None:
    types = official_types()
    assert len(types) > 250
    assert [type_ for type_ in types if SourceRuntime(stripe).find(type_) is None] == []


SESSION = {
    "id": "cs_1", "object": "checkout.session", "mode": "payment", "payment_status": "paid", "currency": "usd",
    "amount_total": 1000, "amount_subtotal": 1000, "payment_intent": "pi_1", "invoice": None,
}  # fmt: skip
INTENT = {"id": "pi_1", "object": "payment_intent", "amount": 1000, "amount_received": 1000, "currency": "usd"}
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "amount": 1000,
    "currency": "usd",
    "payment_intent": "pi_1",
    "captured": True,
}
INVOICE = {"id": "in_1", "object": "invoice", "customer": "cus_1", "currency": "usd", "total": 1000, "status": "paid"}
SUBSCRIPTION = {"id": "sub_1", "object": "subscription", "status": "active", "customer": "cus_1"}
REFUND = CHARGE | {"amount_refunded": 1000, "refunded": True}

CHECKOUT = [("checkout.session.completed", SESSION)]
PAYMENT = [
    ("payment_intent.created", INTENT),
    ("payment_intent.succeeded", INTENT),
    ("charge.succeeded", CHARGE),
    ("charge.captured", CHARGE),
]
PAID_INVOICE = [
    ("invoice.payment_succeeded", INVOICE),
    ("invoice.paid", INVOICE),
    ("invoice_payment.paid", {"id": "inpay_1"}),
]
LATER = [
    ("checkout.session.completed", SESSION | {"payment_status": "unpaid"}),
    ("checkout.session.async_payment_succeeded", SESSION),
]
SUBSCRIBING = [
    ("checkout.session.completed", SESSION | {"mode": "subscription", "payment_intent": None, "subscription": "sub_1"}),
    ("customer.subscription.created", SUBSCRIPTION),
]
INVOICED = [("checkout.session.completed", SESSION | {"invoice": "in_1"})]


def revenues(events: list[tuple[str, dict[str, Any]]], revenue_from: str) -> list[Decimal]:
    options = {"revenue_from": revenue_from}
    messages = [message for type_, obj in events for message in messages_of(type_, obj, options=options)]
    return [message["properties"]["revenue"] for message in messages if "revenue" in message.get("properties", {})]


@pytest.mark.parametrize("revenue_from", ["checkout", "payments"])
@pytest.mark.parametrize(
    "events",
    [CHECKOUT + PAYMENT, LATER + PAYMENT, SUBSCRIBING + PAYMENT + PAID_INVOICE, PAYMENT + PAID_INVOICE, INVOICED + PAYMENT + PAID_INVOICE],
    ids=["checkout", "a delayed payment", "a subscription", "an invoice", "a checkout with an invoice"],
)  # fmt: skip
def test_one_purchase_has_one_revenue_in_every_sequence_of_events(
    events: list[tuple[str, dict[str, Any]]], revenue_from: str
) -> None:
    assert revenues(events, revenue_from) == [Decimal("10.00")]


def test_standalone_payment_has_revenue_only_with_revenue_from_payments() -> None:
    assert revenues(PAYMENT, "checkout") == []
    assert revenues(PAYMENT, "payments") == [Decimal("10.00")]


def test_charge_without_intent_has_revenue_when_captured() -> None:
    authorised = CHARGE | {"payment_intent": None, "captured": False, "amount_captured": 0}
    captured = authorised | {"captured": True, "amount_captured": 700}
    assert revenues([("charge.succeeded", authorised)], "payments") == []
    assert revenues([("charge.succeeded", authorised), ("charge.captured", captured)], "payments") == [Decimal("7.00")]
    assert revenues([("charge.succeeded", CHARGE | {"payment_intent": None})], "payments") == [Decimal("10.00")]


def test_invoice_paid_outside_stripe_has_revenue_without_a_payment() -> None:
    for outside in ({"paid_out_of_band": True}, {"amount_paid_off_stripe": 1000}):
        for revenue_from in ("checkout", "payments"):
            assert revenues([("invoice.paid", INVOICE | outside)], revenue_from) == [Decimal("10.00")]
    assert revenues([("invoice.paid", INVOICE | {"amount_paid_off_stripe": 400})], "payments") == [Decimal("4.00")]


def test_partial_refunds_add_up_to_the_refunded_amount() -> None:
    steps = [(300, 0), (1000, 300)]
    refunds = [
        messages_of("charge.refunded", CHARGE | {"amount_refunded": now}, data={"object": CHARGE | {"amount_refunded": now}, "previous_attributes": {"amount_refunded": before}})
        for now, before in steps
    ]  # fmt: skip
    assert [message["properties"]["total"] for (message,) in refunds] == [Decimal("3.00"), Decimal("7.00")]


def test_released_authorisation_is_not_a_refund() -> None:
    assert messages_of("charge.refunded", REFUND | {"captured": False}) == []
    (whole,) = messages_of("charge.refunded", REFUND)
    assert whole["event"] == "Order Refunded"


def test_paid_invoice_is_reported_once_although_stripe_sends_three_events() -> None:
    for type_ in ("invoice.payment_succeeded", "invoice_payment.paid"):
        assert isinstance(SourceRuntime(stripe).find(type_), IgnoredType)
    assert callable(SourceRuntime(stripe).find("invoice.paid"))


@pytest.mark.parametrize(
    ("minor", "currency", "exact"),
    [(1999, "usd", "19.99"), (500, "jpy", "500"), (500, "ugx", "5"), (500, "isk", "5"), (500, "mga", "500"), (5120, "kwd", "5.12"),
     (100, "huf", "1"), (100, "twd", "1")],
)  # fmt: skip
def test_amounts_use_stripes_own_exponents(minor: int, currency: str, exact: str) -> None:
    assert amount(Payload({"amount": minor, "currency": currency}), "amount") == Decimal(exact)


def test_guest_of_one_purchase_is_one_person_in_all_events() -> None:
    objects = {
        "checkout.session.completed": {
            "id": "cs_1",
            "object": "checkout.session",
            "mode": "payment",
            "payment_intent": "pi_1",
        },
        "payment_intent.succeeded": {"id": "pi_1", "object": "payment_intent"},
        "charge.dispute.created": {"id": "dp_1", "object": "dispute", "payment_intent": "pi_1", "charge": "ch_1"},
    }
    people = {message["anonymousId"] for type_, obj in objects.items() for message in messages_of(type_, obj)}
    assert len(people) == 1


def test_merchant_event_has_the_account_as_person() -> None:
    (payout,) = messages_of("payout.paid", {"id": "po_1", "object": "payout"})
    (other,) = messages_of("payout.paid", {"id": "po_1", "object": "payout"}, account="acct_1")
    assert payout["anonymousId"] != other["anonymousId"]
    assert "externalIds" not in payout["context"]


@pytest.mark.parametrize(("paid_at", "timestamp"), [
    (1767229200 - 60, "2026-01-01T00:59:00.000Z"),
    (1767229200 + 60, "2026-01-01T01:00:00.000Z"),
    (1704067200, "2026-01-01T01:00:00.000Z"),
], ids=["closer", "after the event", "years before"])  # fmt: skip
def test_objects_own_time_is_used_only_up_to_31_days_before_the_event(paid_at: int, timestamp: str) -> None:
    (message,) = messages_of("invoice.paid", INVOICE | {"status_transitions": {"paid_at": paid_at}})
    assert message["timestamp"] == timestamp


def test_test_event_is_skipped_or_marked_by_livemode() -> None:
    customer = {"id": "cus_1", "object": "customer"}
    assert messages_of("customer.deleted", customer, livemode=False) == []
    (test,) = messages_of("customer.deleted", customer, livemode=False, options={"livemode": "both"})
    (live,) = messages_of("customer.deleted", customer, options={"livemode": "both"})
    assert test["context"]["webhook"]["livemode"] is False
    assert "livemode" not in live["context"]["webhook"]


def test_group_comes_only_from_the_configured_metadata_key() -> None:
    obj = SUBSCRIPTION | {"metadata": {"workspace_id": "w_9"}}
    for type_ in ("customer.subscription.created", "customer.subscription.paused"):
        (with_key,) = messages_of(type_, obj, options={"group_key": "workspace_id"})
        (without,) = messages_of(type_, obj, account="acct_1")
        assert with_key["context"]["groupId"] == "w_9"
        assert "groupId" not in without["context"]
    (thin,) = messages_of("v2.core.account.created", {}, related_object={"id": "acct_9", "type": "v2.core.account"})
    assert "groupId" not in thin["context"]


def test_two_endpoints_have_two_merchant_accounts() -> None:
    body = json.dumps(
        {"id": "evt_1", "type": "payout.paid", "created": 1, "data": {"object": {"id": "po_1", "object": "payout"}}}
    ).encode()
    people = set()
    for name in ("stripe_eu", "stripe_us"):
        delivery = Delivery(source=name, body=body, received_at=NOW, options=stripe.defaults())
        (event,) = SourceRuntime(stripe).events(delivery)
        people.add(SourceRuntime(stripe).identity(event).anonymous)
    assert len(people) == 2


def test_token_in_the_url_authenticates_an_envelope() -> None:
    scheme = stripe.schemes["token"]
    assert isinstance(scheme, SharedToken)
    signed = sign(scheme, body=b"{}", secret="tok", now=NOW)
    request = HttpRequest(body=b"{}", headers={}, path_token=signed.path_token)
    verdict = verify(scheme, request, ["tok"], now=NOW)
    assert verdict.ok
    assert verdict.strength == "authenticated"


def test_body_similar_to_a_handshake_is_not_one() -> None:
    for body in (
        b'{"a": "SubscriptionValidationEvent"}',
        b'["SubscriptionValidationEvent"]',
        b'[{"eventType": "SubscriptionValidationEvent"}]',
    ):
        delivery = Delivery(source="stripe", body=body, received_at=NOW, options=stripe.defaults())
        assert SourceRuntime(stripe).handshake(delivery, signed=True) is None
    assert endpoint(stripe, delivery.options).name == "stripe"


def send_options(
    journal: SqliteJournal, *, token: str = "tok", headers: dict[str, str] | None = None, scheme: str = "token"
) -> Any:
    endpoint = Endpoint(
        name="stripe", source=stripe, scheme=stripe.schemes[scheme], secrets=("tok",), options=stripe.defaults()
    )
    handler = WebhookHandler(endpoints={"stripe": endpoint}, sources={}, journal=journal, max_body=1000)
    return handler.handle("stripe", HttpRequest(method="OPTIONS", body=b"", headers=headers or {}, path_token=token))


def test_event_grid_options_request_requires_the_token(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    headers = {"webhook-request-origin": "eventgrid.azure.net", "webhook-request-rate": "120"}
    answer = send_options(journal, headers=headers)
    assert answer.status == 200
    assert answer.headers == {"WebHook-Allowed-Origin": "eventgrid.azure.net", "WebHook-Allowed-Rate": "*"}
    for status, request in (
        (401, {"token": "guess", "headers": headers}),
        (401, {"scheme": "stripe", "headers": headers}),
        (405, {}),
        (405, {"headers": {"webhook-request-origin": "eventgrid.azure.net\r\nx: y"}}),
    ):
        with pytest.raises(Rejected) as error:
            send_options(journal, **request)
        assert error.value.status == status
    assert list(journal.rows(limit=1)) == []
    journal.close()


def test_subscription_checkout_that_is_paid_later_has_its_revenue_in_the_invoice() -> None:
    paid = changed_golden(stripe, "checkout.session.async_payment_succeeded", {"data.object.mode": "subscription"})
    ((_, outcome),) = outcomes(stripe, paid.delivery(stripe))
    assert outcome == Ignored("invoice.paid carries the revenue of a subscription")
