"""Behaviour of Help Scout that its goldens do not cover."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.outcomes import golden_outcomes, send_signed
from support.unreadable import problem
from translators.helpscout import helpscout
from translators.kit import Delivery
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Broken, Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(type_: str, body: dict[str, Any]) -> Delivery:
    headers = {"x-helpscout-event": type_} if type_ else {}
    return Delivery(source="helpscout", body=json.dumps(body).encode(), received_at=NOW, headers=headers)


def test_a_delivery_without_the_event_header_is_malformed() -> None:
    assert "X-HelpScout-Event" in problem(helpscout, delivery("", {"id": 1}))


def test_two_types_of_one_record_at_one_time_are_two_events() -> None:
    body = {"id": 1, "userUpdatedAt": "2026-10-05T09:00:00Z"}
    keys = {SourceRuntime(helpscout).events(delivery(type_, body))[0].id for type_ in ("convo.tags", "convo.moved")}
    assert len(keys) == 2


@pytest.mark.parametrize(
    ("type_", "before", "after"),
    [
        ("convo.status", {"status": "active"}, {"status": "closed"}),
        ("convo.assigned", {"assignee": {"id": 1}}, {"assignee": {"id": 2}}),
        ("convo.tags", {"tags": [{"tag": "a"}]}, {"tags": [{"tag": "a"}, {"tag": "b"}]}),
        ("convo.moved", {"mailboxId": 1}, {"mailboxId": 2}),
        ("convo.custom-fields", {"customFields": [{"id": 1, "value": "a"}]}, {"customFields": []}),
    ],
)
def test_workflow_change_with_the_same_time_is_another_event(
    type_: str, before: dict[str, Any], after: dict[str, Any]
) -> None:
    body = {"id": 1, "userUpdatedAt": "2026-10-05T09:00:00Z"}
    first, again, other = (
        SourceRuntime(helpscout).events(delivery(type_, body | state))[0].id for state in (before, before, after)
    )
    assert first == again != other


def test_conversation_with_the_ai_is_created_once_by_either_event() -> None:
    body = {"id": 1, "createdAt": "2026-10-05T09:00:00Z"}
    keys = {
        SourceRuntime(helpscout).events(delivery(type_, body))[0].id
        for type_ in ("convo.created", "convo.ai-answers.created")
    }
    assert len(keys) == 1


def test_a_draft_is_no_reply() -> None:
    threads = [
        {"id": 1, "type": "message", "state": "published", "createdAt": "2026-10-05T09:02:00Z"},
        {"id": 2, "type": "message", "state": "draft", "createdAt": "2026-10-05T09:03:00Z"},
    ]
    body = {"id": 1, "primaryCustomer": {"id": 2}, "_embedded": {"threads": threads}}
    ((event, outcome),) = outcomes(helpscout, delivery("convo.agent.reply.created", body))
    assert event.occurred_at == datetime(2026, 10, 5, 9, 2, tzinfo=UTC)
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"]["message_id"] == "1"


def test_the_newest_reply_of_the_right_side_gives_the_time() -> None:
    threads = [
        {"type": "message", "createdAt": "2026-10-05T09:03:00Z"},
        {"type": "customer", "createdAt": "2026-10-05T09:02:00Z"},
        {"type": "customer", "createdAt": "2026-10-05T09:01:00Z"},
    ]
    body = {"id": 1, "userUpdatedAt": "2026-10-05T10:00:00Z", "_embedded": {"threads": threads}}
    (event,) = SourceRuntime(helpscout).events(delivery("convo.customer.reply.created", body))
    assert event.occurred_at == datetime(2026, 10, 5, 9, 2, tzinfo=UTC)
    assert event.clock == "event"


def test_reply_without_its_thread_has_the_records_time() -> None:
    (event,) = SourceRuntime(helpscout).events(
        delivery("convo.agent.reply.created", {"id": 1, "userUpdatedAt": "2026-10-05T10:00:00Z"})
    )
    assert event.occurred_at == datetime(2026, 10, 5, 10, 0, tzinfo=UTC)
    assert event.clock == "record"


def test_customer_property_is_the_user_id_only_if_configured() -> None:
    user_ids = []
    for slug in ("user_id", "favourite_colour"):
        body = {"id": 1, "_embedded": {"properties": [{"slug": slug, "value": "usr_1"}]}}
        ((_, outcome),) = outcomes(helpscout, delivery("customer.updated", body))
        assert isinstance(outcome, Translated)
        user_ids.append(outcome.messages[0].get("userId"))
    assert user_ids == ["usr_1", None]


def test_a_conversation_without_a_customer_is_ignored() -> None:
    ((_, outcome),) = outcomes(helpscout, delivery("convo.created", {"id": 1, "createdAt": "2026-10-05T10:00:00Z"}))
    assert isinstance(outcome, Ignored)
    assert outcome.reason.startswith("no customer")


def test_two_deletions_of_one_number_at_help_scout_are_both_stored(tmp_path: Path) -> None:
    body = b'{"id": 100}'
    types = ("convo.deleted", "customer.deleted", "organization.deleted", "customer.deleted")
    requests = [(body, {"X-HelpScout-Event": type_}) for type_ in types]
    assert send_signed(tmp_path, helpscout, *requests) == ([200] * 4, 3)


def test_invalid_time_is_malformed_with_its_path() -> None:
    (outcome,) = golden_outcomes(helpscout, "convo_tags", {"userUpdatedAt": "yesterday"})
    assert isinstance(outcome, Broken)
    assert "$.userUpdatedAt is not an ISO 8601 time" in outcome.reason


CUSTOMER = {"id": 5, "email": "ada@example.com"}


def chat(*threads: dict[str, Any]) -> dict[str, Any]:
    written = [{"type": "customer", **thread} for thread in threads]
    return {
        "id": 7,
        "createdAt": "2026-10-05T09:00:00Z",
        "primaryCustomer": CUSTOMER,
        "_embedded": {"threads": written},
    }


def test_a_chat_without_a_message_is_only_started() -> None:
    ((_, outcome),) = outcomes(helpscout, delivery("beacon.chat.created", chat()))
    assert isinstance(outcome, Translated)
    assert [message["event"] for message in outcome.messages] == ["Live Chat Conversation Started"]
    assert outcome.messages[0]["properties"] == {"conversation_id": "7"}


def test_a_chat_message_of_an_unknown_writer_is_the_conversations_customers() -> None:
    first, second = ({"id": id_, "createdAt": f"2026-10-05T09:00:0{id_}Z", "createdBy": {"id": 0}} for id_ in (1, 2))
    ((_, outcome),) = outcomes(helpscout, delivery("beacon.chat.customer.replied", chat(first, second)))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"] == {"conversation_id": "7", "message_id": "2"}
    assert outcome.messages[0]["context"]["traits"] == {"email": "ada@example.com"}
