"""Behaviour of Chatwoot that its goldens do not cover."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.outcomes import changed_golden, send_signed
from support.unreadable import problem
from translators.chatwoot import chatwoot
from translators.kit import Delivery
from webhooks.http.request import HttpRequest
from webhooks.signatures import sign, verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import endpoint, outcomes
from webhooks.translation.translate import Broken, Ignored, Outcome, Translated, translate

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
GOLDEN = Path(__file__).parent.parent / "golden" / "chatwoot"


def golden(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return read


def delivery(body: dict[str, Any], **options: Any) -> Delivery:
    raw = json.dumps(body).encode()
    return Delivery(source="chatwoot", body=raw, received_at=NOW, options=chatwoot.defaults() | options)


def outcome_of(body: dict[str, Any], **options: Any) -> Outcome:
    ((_, outcome),) = outcomes(chatwoot, delivery(body, **options))
    return outcome


def key(body: dict[str, Any]) -> str:
    return SourceRuntime(chatwoot).events(delivery(body))[0].id


def test_a_retry_has_the_same_key_and_another_change_another() -> None:
    body = golden("conversation_status_changed__resolved")
    assert key(body) == key(dict(body))
    assert key(body) != key({**body, "updated_at": 1791193999.5})


def test_rating_of_a_survey_that_changes_again_is_sent_once() -> None:
    body = golden("message_updated__rated")
    later = json.loads(json.dumps(body))
    later["content_attributes"]["submitted_values"]["csat_survey_response"]["feedback_message"] = "(another text)"
    assert key(later) == key(body)
    later["content_attributes"]["submitted_values"]["csat_survey_response"]["rating"] = 1
    assert key(later) != key(body)


@pytest.mark.parametrize(
    ("believed", "proved", "expected"),
    [("any", False, "user-4711"), ("verified", True, "user-4711"), ("verified", False, None), ("none", True, None)],
)
def test_identifier_becomes_the_user_id_as_configured(believed: str, *, proved: bool, expected: str | None) -> None:
    body = golden("conversation_created")
    body["meta"]["hmac_verified"] = proved
    outcome = outcome_of(body, identifier=believed)
    assert isinstance(outcome, Translated)
    assert outcome.messages[0].get("userId") == expected


def test_contacts_of_two_servers_are_two_people() -> None:
    body = golden("conversation_created__visitor")
    first, second = outcome_of(body, server="eu"), outcome_of(body, server="us")
    assert isinstance(first, Translated)
    assert isinstance(second, Translated)
    assert first.messages[0]["anonymousId"] != second.messages[0]["anonymousId"]


def test_custom_attribute_takes_precedence_over_identifier() -> None:
    body = golden("conversation_created")
    body["meta"]["sender"]["custom_attributes"] = {"customer_no": "K-9"}
    sent = delivery(body)
    (event,) = SourceRuntime(chatwoot).events(sent)
    outcome = translate(
        event, replace(endpoint(chatwoot, sent.options), user_id_keys=("customer_no",)), namespace="test"
    )
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["userId"] == "K-9"


def test_a_reply_that_may_be_a_note_is_never_sent() -> None:
    body = golden("message_created__agent")
    assert isinstance(outcome_of({**body, "private": True}), Ignored)
    for unknown in (None, "no", 0):
        outcome = outcome_of({**body, "private": unknown})
        assert isinstance(outcome, Broken)
        assert "$.private" in outcome.reason


@pytest.mark.parametrize("sender", [None, {}, {"id": 2, "type": "agent_bot"}, {"id": 3, "type": "captain_assistant"}])
def test_message_without_an_agent_as_sender_is_ignored(sender: Any) -> None:
    assert isinstance(outcome_of({**golden("message_created__agent"), "sender": sender}), Ignored)


def test_a_conversation_without_its_contact_is_ignored() -> None:
    body = golden("message_created__customer")
    del body["conversation"]["meta"]["sender"]
    outcome = outcome_of(body)
    assert isinstance(outcome, Ignored)
    assert outcome.reason.startswith("no customer")
    assert isinstance(outcome_of({**body, "contact": {"id": 7}}), Translated), "as Chatwoot sent it before 1.4"


def test_invalid_time_is_malformed_with_its_path() -> None:
    outcome = [event.problem for event in SourceRuntime(chatwoot).events(delivery(golden("contact_created")))]
    assert outcome == [""]
    late = delivery({**golden("message_created__customer"), "created_at": "soon UTC"})
    assert problem(chatwoot, late) == "$.created_at is not a time"


def test_an_assignment_and_a_reopening_in_one_event_are_two_messages() -> None:
    body = golden("conversation_updated__assigned")
    body["changed_attributes"].append({"status": {"previous_value": "resolved", "current_value": "open"}})
    outcome = outcome_of(body)
    assert isinstance(outcome, Translated)
    names = [message["event"] for message in outcome.messages]
    assert names == ["Live Chat Conversation Reopened", "Live Chat Conversation Assigned"]


def test_changed_attributes_in_another_format_are_ignored() -> None:
    assert isinstance(
        outcome_of({**golden("conversation_updated__assigned"), "changed_attributes": ["assignee_id"]}), Ignored
    )


def test_old_server_is_verified_by_the_token_in_the_url() -> None:
    scheme = chatwoot.schemes["token"]
    signed = sign(scheme, body=b"{}", secret="a-long-random-text", now=NOW)
    request = HttpRequest(body=b"{}", headers={}, path_token=signed.path_token)
    assert verify(scheme, request, secrets=("a-long-random-text",), now=NOW).ok
    assert not verify(scheme, replace(request, path_token="guessed"), secrets=("a-long-random-text",), now=NOW).ok


def test_unsigned_delivery_header_is_not_part_of_the_key() -> None:
    sent = delivery(golden("message_created__customer"))
    named = replace(sent, headers={"x-chatwoot-delivery": "other"})
    assert SourceRuntime(chatwoot).events(sent)[0].id == SourceRuntime(chatwoot).events(named)[0].id


def test_a_chatwoot_message_sent_twice_is_stored_once(tmp_path: Path) -> None:
    first = changed_golden(chatwoot, "message_created__customer").body
    again = changed_golden(chatwoot, "message_created__customer", {"conversation.unread_count": 9}).body
    assert first != again
    assert send_signed(tmp_path, chatwoot, (first, {}), (again, {})) == ([200, 200], 1)


def test_a_change_without_a_time_has_its_bytes_as_key() -> None:
    body = {"event": "conversation_updated", "id": 7, "account": {"id": 1}}
    (event,) = SourceRuntime(chatwoot).events(delivery(body))
    assert event.id == f"conversation_updated:7:{event.digest.removeprefix('sha256:')[:40]}"
