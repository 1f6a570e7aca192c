"""Behaviour of Kustomer that its goldens do not cover."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from translators.kit import Delivery, Refused
from translators.kustomer import kustomer
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(name: str, data: dict[str, Any], changes: Any = None, **options: str) -> Delivery:
    event = {"id": "e1", "name": f"kustomer.{name}", "org": "o1", "createdAt": "2026-10-05T09:01:11.435Z", "data": data}
    body = json.dumps(event | {"changes": changes}).encode()
    return Delivery(source="kustomer", body=body, received_at=NOW, options=kustomer.defaults() | options)


def conversation(**attributes: Any) -> dict[str, Any]:
    customer = {"data": {"type": "customer", "id": "c1"}}
    return {"id": "t1", "attributes": attributes, "relationships": {"customer": customer}}


def message(direction: str, created_by: dict[str, str] | None = None, **attributes: Any) -> dict[str, Any]:
    related: dict[str, Any] = {"customer": {"data": {"id": "c1"}}, "conversation": {"data": {"id": "t1"}}}
    if created_by:
        related["createdBy"] = {"data": created_by}
    return {"id": "m1", "attributes": {"direction": direction} | attributes, "relationships": related}


def names(delivery: Delivery) -> list[str]:
    ((_, outcome),) = outcomes(kustomer, delivery)
    assert isinstance(outcome, Translated), outcome
    return [message["event"] for message in outcome.messages]


def test_signature_follows_kustomers_documentation() -> None:
    """https://developer.kustomer.com/docs/events/delivery-and-retries"""
    body = b'{"id":"e1","name":"kustomer.conversation.update"}'
    right = hmac.new(b"webhook-token", body, hashlib.sha256).hexdigest()
    scheme = next(iter(kustomer.schemes.values()))
    request = HttpRequest(body=body, headers={"x-kustomer-webhook-signature": right})
    assert verify(scheme, request, ["webhook-token"], now=NOW).strength == "verified"
    bare = HttpRequest(body=body, headers={"x-segue-token": "webhook-token"})
    assert verify(scheme, bare, ["webhook-token"], now=NOW).fault is Fault.MISSING
    assert verify(kustomer.schemes["token"], bare, ["webhook-token"], now=NOW).strength == "authenticated"


@pytest.mark.parametrize(
    ("before", "after", "name"),
    [
        ("open", "done", "Ticket Solved"),
        ("snoozed", "done", "Ticket Solved"),
        ("done", "open", "Ticket Reopened"),
        ("done", "snoozed", "Ticket Reopened"),
        ("open", "snoozed", "Ticket Status Changed"),
        ("done", "done", "Ticket Status Changed"),
        (None, "open", "Ticket Status Changed"),
    ],
)
def test_status_event_depends_on_the_old_status(before: str | None, after: str, name: str) -> None:
    changes = {"attributes": {"status": {"op": "replace", "before": before, "after": after}}}
    assert names(delivery("conversation.update", conversation(status=after), changes)) == [name]


@pytest.mark.parametrize(
    ("before", "after", "rated"),
    [
        ({}, {"rating": 4}, True),
        ({"rating": 4}, {"rating": 2}, True),
        ({"rating": 4}, {"rating": 4, "answers": [{"answer": "x"}]}, False),
        ({}, {"status": "sent"}, False),
        ({"rating": 4}, {}, False),
    ],
)
def test_only_a_new_rating_is_one(before: Any, after: Any, rated: bool) -> None:
    changes = {"attributes": {"satisfactionLevel": {"op": "replace", "before": before, "after": after}}}
    ((_, outcome),) = outcomes(kustomer, delivery("conversation.update", conversation(), changes))
    assert isinstance(outcome, Translated if rated else Ignored)


@pytest.mark.parametrize(
    "fields",
    [
        message("out", {"type": "user", "id": "u1"}, auto=True),
        message("out"),
        message("out", {"type": "customer", "id": "c1"}),
        message("out", {"type": "app", "id": "a1"}),
        message("in", auto=True),
        message("out", {"type": "user", "id": "u1"}, errorAt="2026-10-05T09:00:10Z"),
    ],
)
@pytest.mark.parametrize("channel", ["chat", "email"])
def test_message_without_a_person_as_writer_is_ignored(fields: dict[str, Any], channel: str) -> None:
    fields["attributes"]["channel"] = channel
    ((_, outcome),) = outcomes(kustomer, delivery("message.create", fields))
    assert isinstance(outcome, Ignored)


def test_other_organization_than_configured_is_refused() -> None:
    SourceRuntime(kustomer).guard(delivery("conversation.create", conversation(), org_id="o1"))
    SourceRuntime(kustomer).guard(delivery("conversation.create", conversation()))
    with pytest.raises(Refused):
        SourceRuntime(kustomer).guard(delivery("conversation.create", conversation(), org_id="o2"))


@pytest.mark.parametrize("attribute", ["name", "emails", "username", "birthdayAt", "avatarUrl", "locale"])
@pytest.mark.parametrize("sent", [True, False])
def test_an_emptied_trait_is_cleared_whether_its_attribute_is_null_or_missing(attribute: str, sent: bool) -> None:
    customer = {"id": "c1", "attributes": {attribute: None} if sent else {}}
    changes = {"attributes": {attribute: {"op": "replace", "before": "x", "after": None}}}
    ((_, outcome),) = outcomes(kustomer, delivery("customer.update", customer, changes))
    assert isinstance(outcome, Translated), outcome
    trait = {"emails": "email", "birthdayAt": "birthday", "avatarUrl": "avatar"}.get(attribute, attribute)
    assert outcome.messages[0]["traits"] == {trait: None}
