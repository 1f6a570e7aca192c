"""Metadata of yours that a provider carries: sent by option, with your user id; ids that are unique in one account."""

import json
from typing import Any

import pytest

from translators.calcom import calcom
from translators.calendly import calendly
from translators.github import github
from translators.kit import Delivery, Source
from translators.postmark import postmark
from translators.salesforce import salesforce_marketing_cloud
from translators.standard_webhooks import standard_webhooks
from translators.twilio import twilio
from translators.typeform import typeform
from webhooks.sources.endpoints import Endpoint
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Translated, translate

METADATA = {"user_id": "usr_1", "plan": "pro", "order_id": "1001"}


def message_of(source: Source, body: Any, *, query: Any = None, headers: Any = None, **options: Any) -> dict[str, Any]:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    delivery = Delivery(
        source=source.name, body=raw, received_at=RECEIVED, query=query or {}, headers=headers or {},
        options=source.defaults() | options,
    )  # fmt: skip
    ((_, outcome),) = outcomes(source, delivery)
    assert isinstance(outcome, Translated), outcome
    return outcome.messages[0]


def request_with(source: Source, metadata: Any) -> dict[str, Any]:
    """Return the body, and the query if the source uses it, of an event with this metadata."""
    at = "2026-10-05T09:00:00.000000Z"
    if source is typeform:
        response = {"form_id": "f1", "token": "t1", "submitted_at": at, "hidden": metadata, "answers": []}
        return {"body": {"event_id": "1", "event_type": "form_response", "form_response": response}}
    if source is calcom:
        payload = {"uid": "b1", "metadata": metadata, "attendees": [{"email": "ada@example.com"}]}
        return {"body": {"triggerEvent": "BOOKING_CREATED", "createdAt": at, "payload": payload}}
    if source is calendly:
        payload = {"uri": "https://api.calendly.com/invitees/1", "email": "ada@example.com", "tracking": metadata}
        return {"body": {"event": "invitee.created", "created_at": at, "payload": payload}}
    return {"body": b"MessageSid=SM1&MessageStatus=sent&To=%2B14155550100", "query": metadata}


@pytest.mark.parametrize("source", [typeform, calcom, calendly, twilio], ids=lambda source: source.name)
def test_metadata_is_sent_only_if_metadata_fields_names_it(source: Source) -> None:
    plain = message_of(source, **request_with(source, METADATA))
    assert plain["userId"] == "usr_1"
    assert "metadata" not in plain["properties"]
    chosen = message_of(source, **request_with(source, METADATA), metadata_fields=("plan", "none"))
    assert chosen["properties"]["metadata"] == {"plan": "pro"}
    assert (
        message_of(source, **request_with(source, METADATA), metadata_fields=("*",))["properties"]["metadata"]
        == METADATA
    )
    assert "metadata" not in message_of(source, **request_with(source, {}), metadata_fields=("*",))["properties"]


@pytest.mark.parametrize("source", [typeform, calcom, calendly], ids=lambda source: source.name)
def test_numeric_user_id_is_sent_as_text(source: Source) -> None:
    assert message_of(source, **request_with(source, {"user_id": 4711}))["userId"] == "4711"


def test_hidden_field_with_a_placeholder_value_is_empty() -> None:
    message = message_of(
        typeform, **request_with(typeform, {"user_id": "xxxxx", "plan": "xxxxx"}), metadata_fields=("*",)
    )
    assert "userId" not in message
    assert "metadata" not in message["properties"]


def test_hidden_field_with_a_dot_in_its_name_is_sent() -> None:
    message = message_of(typeform, **request_with(typeform, {"crm.id": "7"}), metadata_fields=("crm.id",))
    assert message["properties"]["metadata"] == {"crm.id": "7"}


def test_postmark_metadata_that_is_not_an_object_is_ignored() -> None:
    body = {"RecordType": "Delivery", "MessageID": "1", "Recipient": "a@example.com", "Metadata": [1]}
    assert message_of(postmark, body)["event"] == "Email Delivered"


def test_same_user_number_on_two_github_servers_is_two_people() -> None:
    def person(url: str | None) -> tuple[str, str]:
        body = {"action": "created", "sender": {"id": 7, "type": "User", "html_url": url}}
        headers = {"x-github-event": "star", "x-github-delivery": "1"}
        message = message_of(github, body, headers=headers)
        return message["anonymousId"], message["context"]["externalIds"][0]["id"]

    public = person("https://github.com/jane")
    assert public == person(None) == (public[0], "7")
    enterprise = person("https://git.acme.example/jane")
    assert set(enterprise).isdisjoint(public)
    assert set(enterprise).isdisjoint(person("https://git.globex.example/jane"))


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


def test_same_customer_id_of_two_providers_is_two_people() -> None:
    body = json.dumps({"type": "invoice.paid", "data": {"customer_id": 7}}).encode()
    options = standard_webhooks.defaults() | {"customer_id": "data.customer_id"}

    def person(name: str) -> str:
        scheme = standard_webhooks.schemes["default"]
        endpoint = Endpoint(name=name, source=standard_webhooks, scheme=scheme, options=options)
        delivery = Delivery(source=name, body=body, received_at=RECEIVED, options=options)
        outcome = translate(standard_webhooks.events(delivery)[0], endpoint, namespace="test")
        assert isinstance(outcome, Translated), outcome
        return str(outcome.messages[0]["anonymousId"])

    assert len({person("standard_webhooks"), person("clerk"), person("polar")}) == 3
