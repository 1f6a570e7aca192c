"""Square: payments that are sent again, order ids and guests."""

from typing import Any

import pytest

from support.outcomes import event_of, events_and_outcomes, golden_body, messages_of, outcome_of, properties
from translators.square import square
from webhooks.translation.translate import Broken, Ignored


def _square(case: str, **changes: Any) -> Any:
    body = golden_body(square, case)
    body["data"]["object"]["payment" if case.startswith("payment") else "refund"].update(changes)
    return body


@pytest.mark.parametrize("case", ["payment.updated", "refund.updated"])
def test_square_payment_or_refund_sent_again_for_a_detail_is_a_duplicate(case: str) -> None:
    """https://developer.squareup.com/forums/t/21485: `payment.updated` comes several times for one completed payment."""
    first, again = _square(case), _square(case, version=7, processing_fee=[{"amount_money": {"amount": 60}}])
    again["event_id"], again["created_at"] = "another", "2026-01-02T03:09:00Z"
    ((event, _),), ((other, _),) = events_and_outcomes(square, first), events_and_outcomes(square, again)
    assert event.id == other.id
    failed = _square(case, status="FAILED")
    assert event_of(square, failed).id != event.id


def test_square_created_and_updated_of_a_completed_payment_are_one_event() -> None:
    created, updated = _square("payment.created", status="COMPLETED"), _square("payment.updated", status="COMPLETED")
    updated["data"]["object"]["payment"]["id"] = created["data"]["object"]["payment"]["id"]
    assert event_of(square, created).id == event_of(square, updated).id


def test_late_detail_of_a_square_payment_is_ignored() -> None:
    """The journal recognises the first delivery for a week only."""
    late = _square("payment.updated", created_at="2025-12-01T00:00:00Z", refund_ids=[])
    assert isinstance(outcome_of(square, late), Ignored)


def test_square_refund_has_the_id_of_its_payment() -> None:
    refund = _square("refund.updated")
    assert properties(outcome_of(square, refund))["payment_id"] == refund["data"]["object"]["refund"]["payment_id"]


def test_square_payment_refund_and_dispute_share_order_id_and_guest() -> None:
    """Square creates another order for each refund."""
    payment, refund, dispute = (
        golden_body(square, case) for case in ("payment.updated__guest", "refund.updated", "dispute.created")
    )
    id_ = payment["data"]["object"]["payment"]["id"]
    refund["data"]["object"]["refund"].update(payment_id=id_, order_id="another-order")
    dispute["data"]["object"]["dispute"]["disputed_payment"]["payment_id"] = id_
    messages = [messages_of(square, body)[0] for body in (payment, refund, dispute)]
    assert {message["properties"]["order_id"] for message in messages} == {id_}
    assert len({message["anonymousId"] for message in messages}) == 1


def test_square_payment_without_a_source_type_or_a_currency_is_an_order() -> None:
    order = properties(outcome_of(square, _square("payment.updated", source_type=None, amount_money={"amount": 1990})))
    assert order["payment_id"] == order["order_id"]
    assert not {"payment_method", "revenue", "currency"} & order.keys()


@pytest.mark.parametrize("case", ["payment.updated", "refund.updated"])
def test_square_event_without_its_object_is_malformed_and_not_ignored_as_pending(case: str) -> None:
    body = golden_body(square, case)
    body["data"]["object"] = {}
    assert isinstance(outcome_of(square, body), Broken)
