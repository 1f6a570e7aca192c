"""Salesforce Data Cloud: the signing key, times, Person Accounts."""

import base64
import hashlib
import hmac
import json
from typing import Any

import pytest

from support.outcomes import delivery_of, golden_body
from translators.kit import Delivery, Source
from translators.salesforce import salesforce_data_cloud
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Translated


def test_the_key_of_data_cloud_is_used_as_text_though_it_looks_like_base64() -> None:
    scheme, body, secret = salesforce_data_cloud.schemes["default"], b'{"events": []}', "c2VjcmV0c2VjcmV0"
    for key, ok in ((secret.encode(), True), (base64.b64decode(secret), False)):
        made = base64.b64encode(hmac.new(key, body, hashlib.sha256).digest()).decode()
        assert (
            verify(scheme, HttpRequest(body=body, headers={"x-signature": made}), secrets=(secret,), now=RECEIVED).ok
            == ok
        )


@pytest.mark.parametrize("text", ["", "yesterday", "2026-10-05T09:31:07", 5, None])
def test_unreadable_data_cloud_time_is_the_time_of_receipt(text: Any) -> None:
    body = golden_body(salesforce_data_cloud, "Pipeline_Grew")
    body["events"][0] |= {"EventCreationDateTime": text, "EventPublishDateTime": text}
    (event,) = SourceRuntime(salesforce_data_cloud).events(
        delivery_of(salesforce_data_cloud, body | {"creationDateTime": ""})
    )
    if text == "2026-10-05T09:31:07":
        assert (event.occurred_at.isoformat(), event.clock) == ("2026-10-05T09:31:07+00:00", "event")
    else:
        assert (event.occurred_at, event.clock) == (RECEIVED, "received")


def messages_of(source: Source, body: bytes, **options: Any) -> list[dict[str, Any]]:
    delivery = Delivery(source=source.name, body=body, received_at=RECEIVED, options=source.defaults() | options)
    ((_, outcome),) = outcomes(source, delivery)
    assert isinstance(outcome, Translated), outcome
    return outcome.messages


ACCOUNT, CONTACT = "001000000000009AAA", "003000000000009AAA"


PERSON = {"FirstName": "Pat", "LastName": "Ito", "PersonEmail": "pat@example.com", "PersonContactId": CONTACT}


@pytest.mark.parametrize("prefix", ["", "Account_Home__dll_"])
def test_a_data_action_on_a_person_account_identifies_the_person(prefix: str) -> None:
    event = {
        "ActionDeveloperName": "Changed",
        "SourceObjectDeveloperName": "Account_Home__dll",
        "PayloadCurrentValue": {f"{prefix}{name}__c": value for name, value in PERSON.items()},
    }
    identify, track = messages_of(salesforce_data_cloud, json.dumps({"events": [event]}).encode())
    assert identify["traits"] == {"email": "pat@example.com", "firstName": "Pat", "lastName": "Ito"}
    assert {entry["type"]: entry["id"] for entry in identify["context"]["externalIds"]} == {
        "salesforce_contact_id": CONTACT
    }
    assert track["event"] == "Data Action Triggered"
