"""What the goldens of Intercom cannot tell by themselves."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from translators.intercom import intercom
from translators.intercom.source import of_contact
from translators.kit import Delivery, Payload, Refused
from webhooks.transcript import outcomes
from webhooks.translate import Broken, Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(topic: str, item: dict[str, Any], **options: str) -> Delivery:
    body = {"id": "notif_1", "topic": topic, "app_id": "mine", "created_at": 1791190000, "data": {"item": item}}
    raw = json.dumps(body).encode()
    return Delivery(source="intercom", body=raw, received_at=NOW, options=intercom.defaults() | options)


def test_another_workspace_is_refused_where_one_is_named() -> None:
    intercom.check(delivery("ping", {}))
    intercom.check(delivery("ping", {}, app_id="mine"))
    with pytest.raises(Refused):
        intercom.check(delivery("ping", {}, app_id="theirs"))


@pytest.mark.parametrize(
    ("contact", "mine"),
    [
        ({"role": "user", "external_id": "usr_1"}, True),
        ({"role": "user", "external_id": ""}, False),
        ({"role": "lead", "external_id": "made-up"}, False),
        ({"type": "user", "user_id": "usr_1", "anonymous": False}, True),
        ({"type": "contact", "user_id": "made-up", "anonymous": True}, False),
        ({"type": "lead", "user_id": "made-up"}, False),
        ({"type": "contact", "external_id": "usr_1"}, True),
        ({"type": "contact", "external_id": "0b4c7f0e-8d1e-4a62-9f0a-3f6f1c2b7a55"}, False),
        ({"type": "contact", "role": "user", "external_id": "0b4c7f0e-8d1e-4a62-9f0a-3f6f1c2b7a55"}, True),
        ({"external_id": "usr_1"}, True),
    ],
)
def test_only_a_users_external_id_is_the_merchants_own(contact: dict[str, Any], mine: bool) -> None:
    identity = of_contact(Payload({"id": "1"} | contact))
    assert any(identity.user_ids) is mine
    assert identity.anonymous == ("contact", "1")


def test_a_leads_made_up_id_is_not_taken_from_a_conversation_either() -> None:
    item = {
        "id": "c1",
        "type": "conversation",
        "contacts": {"contacts": [{"type": "contact", "id": "1", "external_id": "made-up"}]},
        "source": {"id": "s1", "author": {"type": "lead", "id": "1"}},
    }
    ((_, outcome),) = outcomes(intercom, delivery("conversation.user.created", item))
    assert isinstance(outcome, Translated)
    assert "userId" not in outcome.messages[0]


def test_the_newest_part_is_the_one_that_was_sent_for() -> None:
    parts = [{"id": str(number), "author": {"type": "admin", "id": "9"}} for number in (1, 2)]
    item = {"id": "c1", "user": {"id": "1"}, "conversation_parts": {"conversation_parts": parts}}
    ((_, outcome),) = outcomes(intercom, delivery("conversation.admin.replied", item))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"]["message_id"] == "2"


def test_a_conversation_without_a_contact_is_malformed() -> None:
    ((_, outcome),) = outcomes(intercom, delivery("conversation.user.created", {"id": "c1"}))
    assert isinstance(outcome, Broken)
    assert "$.data.item" in outcome.reason


MADE_UP = "0b4c7f0e-8d1e-4a62-9f0a-3f6f1c2b7a55"


def of(topic: str, item: dict[str, Any]) -> Any:
    ((_, outcome),) = outcomes(intercom, delivery(topic, item))
    return outcome


def said(outcome: Any) -> dict[str, Any]:
    assert isinstance(outcome, Translated), outcome
    return outcome.messages[0]


def test_an_id_that_intercom_made_up_for_a_lead_is_no_user_id_where_the_role_is_not_told() -> None:
    """A ticket, and a conversation that a teammate began, name a contact without its role."""
    contacts = {"contacts": [{"type": "contact", "id": "1", "external_id": MADE_UP}]}
    ticket = said(of("ticket.created", {"type": "ticket", "id": "t1", "contacts": contacts}))
    assert "userId" not in ticket
    source = {"id": "s1", "author": {"type": "admin", "id": "9"}}
    begun = said(of("conversation.admin.single.created", {"id": "c1", "contacts": contacts, "source": source}))
    assert "userId" not in begun
    assert begun["context"]["externalIds"][0]["id"] == "1"


@pytest.mark.parametrize(
    ("topic", "parts"),
    [
        ("conversation.user.replied", "conversation_parts"),
        ("ticket.contact.replied", "ticket_parts"),
    ],
)
def test_a_reply_is_the_act_of_the_contact_who_wrote_it(topic: str, parts: str) -> None:
    contacts = {"contacts": [{"type": "contact", "id": "1"}, {"type": "contact", "id": "2", "external_id": "usr_2"}]}
    for writer, user_id in (("2", "usr_2"), ("3", None)):
        part = {"id": "p1", "author": {"type": "user", "id": writer, "name": "Ana", "email": "ana@example.com"}}
        message = said(of(topic, {"id": "c1", "contacts": contacts, parts: {parts: [part]}}))
        assert message.get("userId") == user_id
        assert [each["id"] for each in message["context"]["externalIds"]] == [writer]


@pytest.mark.parametrize("kind", ["bot", "admin", "team", ""])
def test_what_no_contact_wrote_is_no_customers_message(kind: str) -> None:
    part = {"id": "p1", "author": {"type": kind, "id": "9"}}
    item = {"id": "c1", "user": {"id": "1"}, "conversation_parts": {"conversation_parts": [part]}}
    assert isinstance(of("conversation.user.replied", item), Ignored)


def test_a_deleted_contact_is_known_by_its_id_alone() -> None:
    """`*.deleted` topics carry identifying fields only: https://developers.intercom.com/docs/references/2.16/webhooks"""
    message = said(of("contact.deleted", {"id": "1", "deleted": True}))
    assert message["properties"] == {"contact_id": "1"}
    assert message["context"]["externalIds"][0]["id"] == "1"


@pytest.mark.parametrize(
    ("topic", "name"),
    [
        ("contact.unsubscribed", "Unsubscribed"),
        ("granular.unsubscribe", "Unsubscribed"),
        ("granular.subscribe", "Email Resubscribed"),
        ("user.unsubscribed_from_sms", "SMS Unsubscribed"),
        ("contact.unsubscribed_from_sms", "SMS Unsubscribed"),
    ],
)
def test_a_subscription_is_its_contacts(topic: str, name: str) -> None:
    item = {"type": "subscription", "contact": {"type": "contact", "id": "1"}, "subscription_type": {"id": "135"}}
    message = said(of(topic, item))
    assert message["event"] == name
    assert message["context"]["externalIds"][0]["id"] == "1"


def test_a_subscription_that_names_no_contact_is_nobodys() -> None:
    outcome = of("contact.unsubscribed", {"type": "subscription", "id": "135"})
    assert isinstance(outcome, Broken)


@pytest.mark.parametrize(
    "topic", ["call.started", "call.recording_available", "messenger.deployment_completed.event.created"]
)
def test_what_is_no_conversation_is_decided(topic: str) -> None:
    assert isinstance(of(topic, {"id": "1"}), Ignored)
