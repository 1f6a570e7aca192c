"""Behaviour of Intercom that its goldens do not cover."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.outcomes import Change, changed_golden, golden_messages, golden_outcomes, send_signed
from translators.intercom import intercom
from translators.intercom.source import of_contact
from translators.kit import Delivery, Payload, Refused
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Broken, Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MADE_UP = "0b4c7f0e-8d1e-4a62-9f0a-3f6f1c2b7a55"  # by Intercom, for a lead


def delivery(topic: str, item: dict[str, Any], **options: str) -> Delivery:
    body = {"id": "notif_1", "topic": topic, "app_id": "mine", "created_at": 1791190000, "data": {"item": item}}
    raw = json.dumps(body).encode()
    return Delivery(source="intercom", body=raw, received_at=NOW, options=intercom.defaults() | options)


def test_other_workspace_than_configured_is_refused() -> None:
    SourceRuntime(intercom).guard(delivery("ping", {}))
    SourceRuntime(intercom).guard(delivery("ping", {}, app_id="mine"))
    with pytest.raises(Refused):
        SourceRuntime(intercom).guard(delivery("ping", {}, app_id="theirs"))


@pytest.mark.parametrize(
    ("contact", "mine"),
    [
        ({"role": "user", "external_id": "usr_1"}, True),
        ({"role": "user", "external_id": ""}, False),
        ({"role": "lead", "external_id": "0b4c7f0e-8d1e-4a62-9f0a-3f6f1c2b7a55"}, False),
        ({"role": "lead", "external_id": "usr_1"}, True),
        ({"type": "user", "user_id": "usr_1", "anonymous": False}, True),
        ({"type": "contact", "user_id": "0b4c7f0e-8d1e-4a62-9f0a-3f6f1c2b7a55", "anonymous": True}, False),
        ({"type": "lead", "user_id": "0b4c7f0e-8d1e-4a62-9f0a-3f6f1c2b7a55"}, False),
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
        "contacts": {"contacts": [{"type": "contact", "id": "1", "external_id": MADE_UP}]},
        "source": {"id": "s1", "author": {"type": "lead", "id": "1"}},
    }
    ((_, outcome),) = outcomes(intercom, delivery("conversation.user.created", item))
    assert isinstance(outcome, Translated)
    assert "userId" not in outcome.messages[0]


def test_contact_with_role_user_keeps_a_uuid_after_a_first_message_as_lead() -> None:
    contact = Payload({"type": "contact", "id": "1", "role": "user", "external_id": MADE_UP})
    assert of_contact(contact, "lead").user_ids[0] == MADE_UP
    assert not any(of_contact(Payload(contact.value | {"role": "lead"}), "user").user_ids)


def test_newest_part_is_the_subject_of_the_notification() -> None:
    parts = [{"id": str(number), "author": {"type": "admin", "id": "9"}} for number in (1, 2)]
    item = {"id": "c1", "user": {"id": "1"}, "conversation_parts": {"conversation_parts": parts}}
    ((_, outcome),) = outcomes(intercom, delivery("conversation.admin.replied", item))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"]["message_id"] == "2"


@pytest.mark.parametrize("topic", ["conversation.user.created", "ticket.created", "ticket.state.updated"])
def test_a_conversation_or_ticket_without_a_contact_is_ignored(topic: str) -> None:
    ((_, outcome),) = outcomes(intercom, delivery(topic, {"id": "c1", "contacts": {"contacts": []}}))
    assert isinstance(outcome, Ignored)
    assert outcome.reason.startswith("no customer")


def test_a_contact_event_without_a_contact_is_malformed() -> None:
    ((_, outcome),) = outcomes(intercom, delivery("contact.subscribed", {"id": "s1", "type": "subscription"}))
    assert isinstance(outcome, Broken)
    assert "$.data.item" in outcome.reason


@pytest.mark.parametrize(
    ("proof", "user_id"),
    [({}, None), ({"anonymous": True}, None), ({"anonymous": False}, MADE_UP), ({"role": "user"}, MADE_UP)],
    ids=str,
)
def test_a_deleted_leads_uuid_is_no_user_id(proof: dict[str, Any], user_id: str | None) -> None:
    item = {"type": "user", "id": "1", "user_id": MADE_UP} | proof
    ((_, outcome),) = outcomes(intercom, delivery("user.deleted", item))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0].get("userId") == user_id


def test_a_lead_who_became_a_user_keeps_the_merchants_id_in_the_whole_conversation() -> None:
    item = {
        "id": "c1",
        "type": "conversation",
        "contacts": {"contacts": [{"type": "contact", "id": "1", "external_id": "cust_42"}]},
        "source": {"id": "s1", "author": {"type": "lead", "id": "1", "name": "Rose Poodle from Paris"}},
        "conversation_rating": {"rating": 5},
    }
    for topic in ("conversation.admin.closed", "conversation.admin.opened", "conversation.rating.added"):
        ((_, outcome),) = outcomes(intercom, delivery(topic, item))
        assert isinstance(outcome, Translated)
        assert outcome.messages[0]["userId"] == "cust_42"


@pytest.mark.parametrize(
    ("contact", "name"),
    [
        ({"role": "lead", "name": "Rose Poodle from Paris"}, None),
        ({"type": "lead", "name": "Azure Bus", "pseudonym": "Azure Bus"}, None),
        ({"role": "lead", "name": "Jeanne Brun"}, "Jeanne Brun"),
        ({"role": "lead", "name": "Rose Miller"}, "Rose Miller"),
        ({"role": "lead", "name": "Turquoise Elephant"}, None),
        ({"type": "user", "name": "Rose Poodle from Paris"}, None),  # the author of a message may be a lead
        ({"role": "user", "name": "Rose Miller from Leeds"}, "Rose Miller from Leeds"),
        ({"role": "user", "name": "Visitor 4711"}, None),
        ({"role": "user", "name": ""}, None),
    ],
    ids=str,
)
def test_name_that_intercom_generated_for_a_lead_is_no_trait(contact: dict[str, Any], name: str | None) -> None:
    assert of_contact(Payload({"id": "1"} | contact)).traits.get("name") == name


def test_unassigned_conversation_is_ignored() -> None:
    unassigned = {"id": "c1", "contacts": {"contacts": [{"id": "1"}]}, "admin_assignee_id": 0, "team_assignee_id": "0"}
    ((_, outcome),) = outcomes(intercom, delivery("conversation.admin.assigned", unassigned))
    assert isinstance(outcome, Ignored)


def test_a_ping_with_a_null_id_is_kept_and_ignored() -> None:
    body = {"topic": "ping", "id": None, "app_id": "a", "created_at": 1553288147, "data": {"item": {"type": "ping"}}}
    sent = Delivery(source="intercom", body=json.dumps(body).encode(), received_at=NOW, options=intercom.defaults())
    ((event, outcome),) = outcomes(intercom, sent)
    assert isinstance(outcome, Ignored)
    assert event.id.startswith("ping:")


def test_health_check_with_its_own_signature_header_is_answered_without_an_event() -> None:
    headers = {"x-body-signature": "sha256=00"}
    check = Delivery(source="intercom", body=b"{}", received_at=NOW, headers=headers, options=intercom.defaults())
    answer = SourceRuntime(intercom).handshake(check, signed=False)
    assert answer is not None
    assert answer.status == 200
    both = replace(check, headers=headers | {"x-hub-signature": "sha1=00"})
    assert SourceRuntime(intercom).handshake(both, signed=False) is None


def of(topic: str, item: dict[str, Any]) -> Any:
    ((_, outcome),) = outcomes(intercom, delivery(topic, item))
    return outcome


def message_of(outcome: Any) -> dict[str, Any]:
    assert isinstance(outcome, Translated), outcome
    return outcome.messages[0]


def test_generated_id_of_a_lead_is_no_user_id_if_the_role_is_unknown() -> None:
    """A ticket, and a conversation that a teammate started, name a contact without its role."""
    contacts = {"contacts": [{"type": "contact", "id": "1", "external_id": MADE_UP}]}
    ticket = message_of(of("ticket.created", {"type": "ticket", "id": "t1", "contacts": contacts}))
    assert "userId" not in ticket
    source = {"id": "s1", "author": {"type": "admin", "id": "9"}}
    begun = message_of(of("conversation.admin.single.created", {"id": "c1", "contacts": contacts, "source": source}))
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
        message = message_of(of(topic, {"id": "c1", "contacts": contacts, parts: {parts: [part]}}))
        assert message.get("userId") == user_id
        assert [entry["id"] for entry in message["context"]["externalIds"]] == [writer]


@pytest.mark.parametrize("kind", ["bot", "admin", "team", ""])
def test_message_not_written_by_a_contact_is_ignored(kind: str) -> None:
    part = {"id": "p1", "author": {"type": kind, "id": "9"}}
    item = {"id": "c1", "user": {"id": "1"}, "conversation_parts": {"conversation_parts": [part]}}
    assert isinstance(of("conversation.user.replied", item), Ignored)


def test_a_deleted_contact_is_known_by_its_id_alone() -> None:
    """`*.deleted` topics have identifying fields only: https://developers.intercom.com/docs/references/2.16/webhooks"""
    message = message_of(of("contact.deleted", {"id": "1", "deleted": True}))
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
    message = message_of(of(topic, item))
    assert message["event"] == name
    assert message["context"]["externalIds"][0]["id"] == "1"


def test_subscription_without_a_contact_is_malformed() -> None:
    outcome = of("contact.unsubscribed", {"type": "subscription", "id": "135"})
    assert isinstance(outcome, Broken)


@pytest.mark.parametrize(
    "topic", ["call.started", "call.recording_available", "messenger.deployment_completed.event.created"]
)
def test_topic_without_a_conversation_is_translated_or_ignored(topic: str) -> None:
    assert isinstance(of(topic, {"id": "1"}), Ignored)


def test_intercoms_ping_is_acknowledged(tmp_path: Path) -> None:
    ping = changed_golden(intercom, "ping__null_id__ignored").body
    assert send_signed(tmp_path, intercom, (ping, {})) == ([200], 1)


def test_conversation_started_by_a_teammate_without_a_message_id_is_no_message() -> None:
    change: Change = {"data.item.source.id": None, "data.item.conversation_parts.conversation_parts": []}
    (started,) = golden_messages(intercom, "conversation_admin_single_created", change)
    assert started["event"] == "Live Chat Conversation Started"


def test_merged_contact_without_the_absorbed_one_is_identified_alone() -> None:
    (whole,) = golden_messages(intercom, "contact_merged")
    (alone,) = golden_messages(intercom, "contact_merged", {"data.item.merged_from": None})
    assert len(whole["context"]["externalIds"]) == len(alone["context"]["externalIds"]) + 1
    assert alone["userId"] == whole["userId"]


def test_reply_without_an_author_belongs_to_the_conversations_contact() -> None:
    path = "data.item.conversation_parts.conversation_parts.0.author"
    (known,) = golden_messages(intercom, "conversation_user_replied")
    (unknown,) = golden_messages(intercom, "conversation_user_replied", {path: {}})
    assert unknown["event"] == "Live Chat Message Sent"
    assert unknown["userId"] == known["userId"]


@pytest.mark.parametrize("case", ["ticket_admin_assigned", "ticket_team_assigned"])
def test_ticket_without_assignee_and_team_is_unassigned(case: str) -> None:
    item = (
        "data.item.ticket"
        if "ticket" in json.loads(changed_golden(intercom, case).body)["data"]["item"]
        else "data.item"
    )
    change = {f"{item}.admin_assignee_id": 0, f"{item}.team_assignee_id": 0}
    assert golden_outcomes(intercom, case, change) == [Ignored("the ticket was unassigned")]


def test_the_author_of_a_conversation_without_contacts_is_its_customer() -> None:
    item = {"id": "c1", "source": {"id": "m1", "author": {"type": "lead", "id": "l1"}}}
    ((_, outcome),) = outcomes(intercom, delivery("conversation.user.created", item))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["context"]["externalIds"][0]["id"] == "l1"
