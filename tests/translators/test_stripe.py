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
from webhooks.endpoints import Endpoint
from webhooks.errors import Rejected
from webhooks.journal import SqliteJournal
from webhooks.receive import Door, Incoming
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
    messages = [message for type_, thing in events for message in told(type_, thing, options=options)]
    return [told["properties"]["revenue"] for told in messages if "revenue" in told.get("properties", {})]


@pytest.mark.parametrize("revenue_from", ["checkout", "payments"])
@pytest.mark.parametrize(
    "events",
    [CHECKOUT + PAYMENT, LATER + PAYMENT, SUBSCRIBING + PAYMENT + PAID_INVOICE, PAYMENT + PAID_INVOICE, INVOICED + PAYMENT + PAID_INVOICE],
    ids=["checkout", "a delayed payment", "a subscription", "an invoice", "a checkout with an invoice"],
)  # fmt: skip
def test_one_purchase_has_one_revenue_whichever_way_it_is_told(
    events: list[tuple[str, dict[str, Any]]], revenue_from: str
) -> None:
    assert revenues(events, revenue_from) == [Decimal("10.00")]


def test_a_payment_that_is_neither_checkouts_nor_an_invoices_has_revenue_only_where_payments_have_it() -> None:
    assert revenues(PAYMENT, "checkout") == []
    assert revenues(PAYMENT, "payments") == [Decimal("10.00")]


def test_an_old_charge_has_revenue_once_it_is_captured_and_not_before() -> None:
    held = CHARGE | {"payment_intent": None, "captured": False, "amount_captured": 0}
    taken = held | {"captured": True, "amount_captured": 700}
    assert revenues([("charge.succeeded", held)], "payments") == []
    assert revenues([("charge.succeeded", held), ("charge.captured", taken)], "payments") == [Decimal("7.00")]
    assert revenues([("charge.succeeded", CHARGE | {"payment_intent": None})], "payments") == [Decimal("10.00")]


def test_an_invoice_paid_outside_stripe_has_its_revenue_although_no_payment_tells_of_it() -> None:
    for outside in ({"paid_out_of_band": True}, {"amount_paid_off_stripe": 1000}):
        for revenue_from in ("checkout", "payments"):
            assert revenues([("invoice.paid", INVOICE | outside)], revenue_from) == [Decimal("10.00")]
    assert revenues([("invoice.paid", INVOICE | {"amount_paid_off_stripe": 400})], "payments") == [Decimal("4.00")]


def test_partial_refunds_sum_to_what_was_refunded() -> None:
    steps = [(300, 0), (1000, 300)]
    refunds = [
        told("charge.refunded", CHARGE | {"amount_refunded": now}, data={"object": CHARGE | {"amount_refunded": now}, "previous_attributes": {"amount_refunded": before}})
        for now, before in steps
    ]  # fmt: skip
    assert [message["properties"]["total"] for (message,) in refunds] == [Decimal("3.00"), Decimal("7.00")]


def test_what_was_never_captured_is_not_refunded() -> None:
    assert told("charge.refunded", REFUND | {"captured": False}) == []
    (whole,) = told("charge.refunded", REFUND)
    assert whole["event"] == "Order Refunded"


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


@pytest.mark.parametrize(("paid_at", "timestamp"), [
    (1767229200 - 60, "2026-01-01T00:59:00.000Z"),
    (1767229200 + 60, "2026-01-01T01:00:00.000Z"),
    (1704067200, "2026-01-01T01:00:00.000Z"),
], ids=["closer", "after the event", "years before"])  # fmt: skip
def test_the_time_of_a_fact_is_the_objects_own_only_shortly_before_stripe_recorded_it(
    paid_at: int, timestamp: str
) -> None:
    (message,) = told("invoice.paid", INVOICE | {"status_transitions": {"paid_at": paid_at}})
    assert message["timestamp"] == timestamp


def test_a_test_is_told_from_the_real_thing_and_left_out_unless_asked_for() -> None:
    customer = {"id": "cus_1", "object": "customer"}
    assert told("customer.deleted", customer, livemode=False) == []
    (test,) = told("customer.deleted", customer, livemode=False, options={"livemode": "both"})
    (live,) = told("customer.deleted", customer, options={"livemode": "both"})
    assert test["context"]["webhook"]["livemode"] is False
    assert "livemode" not in live["context"]["webhook"]


def test_the_group_comes_from_the_configured_key_and_from_nowhere_else() -> None:
    thing = SUBSCRIPTION | {"metadata": {"workspace_id": "w_9"}}
    for type_ in ("customer.subscription.created", "customer.subscription.paused"):
        (with_key,) = told(type_, thing, options={"group_key": "workspace_id"})
        (without,) = told(type_, thing, account="acct_1")
        assert with_key["context"]["groupId"] == "w_9"
        assert "groupId" not in without["context"]
    (thin,) = told("v2.core.account.created", {}, related_object={"id": "acct_9", "type": "v2.core.account"})
    assert "groupId" not in thin["context"]


def test_two_endpoints_of_two_merchants_are_two_accounts() -> None:
    body = json.dumps(
        {"id": "evt_1", "type": "payout.paid", "created": 1, "data": {"object": {"id": "po_1", "object": "payout"}}}
    ).encode()
    people = set()
    for name in ("stripe_eu", "stripe_us"):
        delivery = Delivery(source=name, body=body, received_at=NOW, options=stripe.defaults())
        (event,) = stripe.events(delivery)
        people.add(stripe.identity(event).anonymous)
    assert len(people) == 2


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


def knock(
    journal: SqliteJournal, *, token: str = "tok", headers: dict[str, str] | None = None, scheme: str = "token"
) -> Any:
    endpoint = Endpoint(
        name="stripe", source=stripe, scheme=stripe.schemes[scheme], secrets=("tok",), options=stripe.defaults()
    )
    door = Door(endpoints={"stripe": endpoint}, sources={}, journal=journal, max_body=1000)
    return door.take("stripe", Incoming(method="OPTIONS", body=b"", headers=headers or {}, token=token))


def test_event_grid_asks_by_options_and_is_answered_behind_the_token_only(tmp_path: Path) -> None:
    journal = SqliteJournal(tmp_path / "segue.db")
    asked = {"webhook-request-origin": "eventgrid.azure.net", "webhook-request-rate": "120"}
    answer = knock(journal, headers=asked)
    assert answer.status == 200
    assert answer.headers == {"WebHook-Allowed-Origin": "eventgrid.azure.net", "WebHook-Allowed-Rate": "*"}
    for fault, given in (
        (401, {"token": "guess", "headers": asked}),
        (401, {"scheme": "stripe", "headers": asked}),
        (405, {}),
        (405, {"headers": {"webhook-request-origin": "eventgrid.azure.net\r\nx: y"}}),
    ):
        with pytest.raises(Rejected) as refused:
            knock(journal, **given)
        assert refused.value.status == fault
    assert list(journal.rows(limit=1)) == []
    journal.close()
