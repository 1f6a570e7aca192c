"""What the goldens of Standard Webhooks cannot tell by themselves."""

import base64
import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from translators.kit import Delivery
from translators.standard_webhooks import name_of, standard_webhooks
from webhooks.signatures import Request, verify
from webhooks.transcript import outcomes
from webhooks.translate import Broken, Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(data: Any, **options: str) -> Delivery:
    body = {"type": "invoice.paid", "timestamp": "2026-10-05T09:00:00Z", "data": data}
    return Delivery(
        source="standard_webhooks",
        body=json.dumps(body).encode(),
        received_at=NOW,
        headers={"webhook-id": "msg_1", "webhook-timestamp": "1791200000"},
        options=standard_webhooks.defaults() | options,
    )


@pytest.mark.parametrize("type_", ["invoice.paid", "invoice_paid", "invoice/paid", "invoicePaid", "invoice-paid"])
def test_however_a_type_is_written_its_name_is_the_same(type_: str) -> None:
    assert name_of(type_) == "Invoice Paid"


@pytest.mark.parametrize(
    ("type_", "name"), [("user.SSO.enabled", "User SSO Enabled"), ("v2.user", "V2 User"), ("größe.neu", "Größe Neu")]
)
def test_capitals_numbers_and_other_alphabets_stay(type_: str, name: str) -> None:
    assert name_of(type_) == name


@given(st.text(min_size=1))
def test_every_type_has_a_name(type_: str) -> None:
    assert name_of(type_)


def test_only_scalar_members_of_data_are_sent() -> None:
    data = {"id": "inv_1", "paid": True, "customer_id": "cus_1", "lines": [1], "address": {"city": "X"}, "note": None}
    ((_, outcome),) = outcomes(standard_webhooks, delivery(data, customer_id="data.customer_id"))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"] == {"id": "inv_1", "paid": True, "customer_id": "cus_1"}


def test_the_attempts_time_is_not_the_events() -> None:
    (event,) = standard_webhooks.events(delivery({}))
    assert (event.occurred_at, event.clock) == (datetime(2026, 10, 5, 9, tzinfo=UTC), "event")


def test_nobody_is_made_up_where_no_path_is_set() -> None:
    ((_, outcome),) = outcomes(standard_webhooks, delivery({"id": "inv_1", "customer_id": "cus_1"}))
    assert isinstance(outcome, Broken)
    assert "customer_id" in outcome.reason


def test_the_plain_key_scheme_takes_the_secrets_text_as_the_key() -> None:
    body, at = b"{}", int(NOW.timestamp())
    made = base64.b64encode(hmac.digest(b"polar_whs_example", f"msg_1.{at}.".encode() + body, "sha256")).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": f"v1,{made}"}
    scheme = standard_webhooks.schemes["plain_key"]
    assert verify(scheme, Request(body=body, headers=headers), ["polar_whs_example"], now=NOW).ok


@pytest.mark.parametrize("customer", [None, "", " ", {}])
def test_a_record_without_a_customer_is_ignored_and_a_path_that_is_nowhere_is_a_fault(customer: Any) -> None:
    ((_, outcome),) = outcomes(
        standard_webhooks, delivery({"id": "inv_1", "customer_id": customer}, customer_id="data.customer_id")
    )
    assert outcome == Ignored("no customer: $.data.customer_id is empty")
    ((_, outcome),) = outcomes(standard_webhooks, delivery({"id": "inv_1"}, customer_id="data.customer_id"))
    assert isinstance(outcome, Broken)


def test_type_and_id_that_hold_the_separator_name_two_events() -> None:
    def key(type_: str, id_: str) -> str:
        body = json.dumps({"type": type_, "data": {"id": id_}}).encode()
        sent = replace(delivery({}, event_id="data.id"), body=body)
        return standard_webhooks.events(sent)[0].key

    assert key("a:b", "c") != key("a", "b:c")
    assert key("a", "c") == "a:c"
