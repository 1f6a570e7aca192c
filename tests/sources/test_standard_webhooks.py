"""Standard Webhooks behaviour that the goldens do not cover."""

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
from translators.standard_webhooks import message_name, standard_webhooks
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Broken, Ignored, Translated, translate

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
def test_name_is_the_same_in_every_spelling_of_a_type(type_: str) -> None:
    assert message_name(type_) == "Invoice Paid"


@pytest.mark.parametrize(
    ("type_", "name"), [("user.SSO.enabled", "User SSO Enabled"), ("v2.user", "V2 User"), ("größe.neu", "Größe Neu")]
)
def test_name_keeps_capitals_numbers_and_other_alphabets(type_: str, name: str) -> None:
    assert message_name(type_) == name


@given(st.text(min_size=1))
def test_every_type_has_a_name(type_: str) -> None:
    assert message_name(type_)


def test_only_scalar_members_of_data_are_sent() -> None:
    data = {"id": "inv_1", "paid": True, "customer_id": "cus_1", "lines": [1], "address": {"city": "X"}, "note": None}
    ((_, outcome),) = outcomes(standard_webhooks, delivery(data, customer_id="data.customer_id"))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"] == {"id": "inv_1", "paid": True, "customer_id": "cus_1"}


def test_event_time_is_not_the_time_of_the_attempt() -> None:
    (event,) = SourceRuntime(standard_webhooks).events(delivery({}))
    assert (event.occurred_at, event.clock) == (datetime(2026, 10, 5, 9, tzinfo=UTC), "event")


def test_event_without_configured_person_paths_is_broken() -> None:
    ((_, outcome),) = outcomes(standard_webhooks, delivery({"id": "inv_1", "customer_id": "cus_1"}))
    assert isinstance(outcome, Broken)
    assert "customer_id" in outcome.reason


def test_plain_key_scheme_uses_the_secrets_text_as_key() -> None:
    body, at = b"{}", int(NOW.timestamp())
    signature = base64.b64encode(hmac.digest(b"polar_whs_example", f"msg_1.{at}.".encode() + body, "sha256")).decode()
    headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": f"v1,{signature}"}
    scheme = standard_webhooks.schemes["plain_key"]
    assert verify(scheme, HttpRequest(body=body, headers=headers), ["polar_whs_example"], now=NOW).ok


@pytest.mark.parametrize("customer", [None, "", " ", {}])
def test_empty_customer_is_ignored_and_missing_path_is_broken(customer: Any) -> None:
    ((_, outcome),) = outcomes(
        standard_webhooks, delivery({"id": "inv_1", "customer_id": customer}, customer_id="data.customer_id")
    )
    assert outcome == Ignored("no customer: $.data.customer_id is empty")
    ((_, outcome),) = outcomes(standard_webhooks, delivery({"id": "inv_1"}, customer_id="data.customer_id"))
    assert isinstance(outcome, Broken)


def test_separator_in_type_and_id_gives_two_keys() -> None:
    def key(type_: str, id_: str) -> str:
        body = json.dumps({"type": type_, "data": {"id": id_}}).encode()
        sent = replace(delivery({}, event_id="data.id"), body=body)
        return SourceRuntime(standard_webhooks).events(sent)[0].id

    assert key("a:b", "c") != key("a", "b:c")
    assert key("a", "c") == "a:c"


def test_same_customer_id_of_two_providers_is_two_people() -> None:
    body = json.dumps({"type": "invoice.paid", "data": {"customer_id": 7}}).encode()
    options = standard_webhooks.defaults() | {"customer_id": "data.customer_id"}

    def person(name: str) -> str:
        scheme = standard_webhooks.schemes["default"]
        endpoint = Endpoint(name=name, source=standard_webhooks, scheme=scheme, options=options)
        delivery = Delivery(source=name, body=body, received_at=RECEIVED, options=options)
        outcome = translate(SourceRuntime(standard_webhooks).events(delivery)[0], endpoint, namespace="test")
        assert isinstance(outcome, Translated), outcome
        return str(outcome.messages[0]["anonymousId"])

    assert len({person("standard_webhooks"), person("clerk"), person("polar")}) == 3
