"""Salesforce Marketing Cloud: verification of the callback, the signing key, batches, subscribers."""

import base64
import hashlib
import hmac
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.journals import rows_of
from support.outcomes import delivery_of, golden_body, message_of
from translators.salesforce import salesforce_marketing_cloud
from webhooks.errors import Rejected
from webhooks.http.request import HttpRequest
from webhooks.journal import SqliteJournal
from webhooks.signatures import verify
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Broken
from webhooks.web.handler import WebhookHandler


def test_same_subscriber_id_in_two_marketing_cloud_accounts_is_two_people() -> None:
    def person(eid: Any, **more: Any) -> str:
        event = {
            "eventCategoryType": "EngagementEvents.EmailOpen",
            "timestampUTC": 1791192667412,
            "eid": eid,
            "info": more,
        }
        return str(message_of(salesforce_marketing_cloud, event | {"composite": {"subscriberId": "7"}})["anonymousId"])

    assert person(1) == person(1, subscriberKey="k")
    assert len({person(1), person(2), person(None)}) == 3


@pytest.fixture
def handler(tmp_path: Path) -> Iterator[WebhookHandler]:
    journal = SqliteJournal(tmp_path / "j.db")
    endpoints = {
        name: Endpoint(
            name=name,
            source=salesforce_marketing_cloud,
            scheme=salesforce_marketing_cloud.schemes["text"],
            secrets=("signature key",),
            options=salesforce_marketing_cloud.defaults() | {"verification": verification},
        )
        for name, verification in (("hiding", "hide"), ("showing", "show"))
    }
    yield WebhookHandler(endpoints=endpoints, sources={}, journal=journal, max_body=10**6)
    journal.close()


def post(handler: WebhookHandler, body: Any, name: str = "hiding") -> Any:
    return handler.handle(name, HttpRequest(method="POST", body=json.dumps(body).encode(), headers={}))


HELLO = {"callbackId": "0e2c9a41-5d5c-4b0b", "verificationKey": "golden-once"}


def test_unsigned_verification_is_answered_and_not_stored_or_logged(
    handler: WebhookHandler, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        response = post(handler, HELLO)
    assert (response.status, response.body) == (200, b"{}")
    assert rows_of(handler) == []
    assert "golden-once" not in repr([vars(record) for record in caplog.records])


def test_verification_code_is_logged_if_configured(handler: WebhookHandler, caplog: pytest.LogCaptureFixture) -> None:
    response = post(handler, HELLO, "showing")
    assert (response.status, response.body) == (200, b"{}")
    (record,) = caplog.records
    assert record.__dict__["note"] == "verify the callback: callbackId 0e2c9a41-5d5c-4b0b, verificationKey golden-once"


@pytest.mark.parametrize(
    "body",
    [
        HELLO | {"eventCategoryType": "EngagementEvents.EmailOpen"}, {"callbackId": "x"}, [HELLO], {}, [],
        HELLO | {"verificationKey": 5}, HELLO | {"verificationKey": ""}, HELLO | {"verificationKey": "a b\n"},
        HELLO | {"verificationKey": "x" * 501}, HELLO | {"callbackId": " " * 3000}, [{"eventCategoryType": "x"}],
    ],
)  # fmt: skip
def test_nothing_else_is_answered_without_a_signature(handler: WebhookHandler, body: Any) -> None:
    for name in ("hiding", "showing"):
        with pytest.raises(Rejected) as caught:
            post(handler, body, name)
        assert caught.value.status == 401
    assert rows_of(handler) == []


@pytest.mark.parametrize(
    ("name", "key"), [("text", b"c2VjcmV0c2VjcmV0"), ("decoded", base64.b64decode("c2VjcmV0c2VjcmV0"))]
)
def test_signature_key_can_be_used_as_text_or_decoded(name: str, key: bytes) -> None:
    body = json.dumps(golden_body(salesforce_marketing_cloud, "EngagementEvents.EmailOpen")).encode()
    made = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
    for scheme, read in salesforce_marketing_cloud.schemes.items():
        request = HttpRequest(body=body, headers={"x-sfmc-ens-signature": made})
        assert verify(read, request, secrets=("c2VjcmV0c2VjcmV0",), now=RECEIVED).ok == (scheme == name)


def test_a_batch_of_a_thousand_is_a_thousand_events() -> None:
    (one,) = golden_body(salesforce_marketing_cloud, "EngagementEvents.EmailOpen")
    many = [one | {"timestampUTC": one["timestampUTC"] + number} for number in range(1000)]
    events = SourceRuntime(salesforce_marketing_cloud).events(delivery_of(salesforce_marketing_cloud, many))
    assert len({event.id for event in events}) == 1000
    again = SourceRuntime(salesforce_marketing_cloud).events(delivery_of(salesforce_marketing_cloud, many))
    assert [event.id for event in again] == [event.id for event in events]


def test_event_without_a_subscriber_is_malformed() -> None:
    (one,) = golden_body(salesforce_marketing_cloud, "EngagementEvents.EmailOpen")
    for composite in ({}, {"subscriberId": "0"}, {"subscriberId": ""}):
        ((_, outcome),) = outcomes(
            salesforce_marketing_cloud,
            delivery_of(salesforce_marketing_cloud, [one | {"composite": composite, "info": {}}]),
        )
        assert isinstance(outcome, Broken)
        assert "$.composite.subscriberId" in outcome.reason
