"""Behaviour of Freshdesk that its goldens do not cover."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support.unreadable import problem
from translators.freshdesk import freshdesk
from translators.kit import Delivery
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Broken, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(body: dict[str, Any]) -> Delivery:
    return Delivery(source="freshdesk", body=json.dumps(body).encode(), received_at=NOW)


def simple(event: str) -> Delivery:
    template = {"ticket_id": "7", "requester_email": "a@example.com", "triggered_event": event}
    return delivery({"freshdesk_webhook": template})


@pytest.mark.parametrize(
    ("before", "after", "type_"),
    [
        ("2", "4", "ticket.solved"),
        ("3", "5", "ticket.solved"),
        ("4", "5", "ticket.status_changed"),
        ("5", "2", "ticket.reopened"),
        ("4", "6", "ticket.reopened"),
        ("2", "3", "ticket.status_changed"),
    ],
)
def test_a_change_of_status_is_solved_reopened_or_neither(before: str, after: str, type_: str) -> None:
    (event,) = SourceRuntime(freshdesk).events(simple(f"{{status:{{from:{before},to:{after}}}}}"))
    assert event.type == type_


@given(st.text(alphabet="{}:,abcdefromt 0123456789_", min_size=1, max_size=40))
def test_any_triggered_event_has_a_declared_type(text: str) -> None:
    (event,) = SourceRuntime(freshdesk).events(simple(text))
    if event.problem:
        assert not text.strip() or text.strip().startswith("{{")
        return
    assert SourceRuntime(freshdesk).find(event.type) is not None


def test_a_body_without_any_type_is_malformed() -> None:
    assert "$.type" in problem(freshdesk, delivery({"ticket": {"id": "7"}, "requester": {"email": "a@example.com"}}))


def test_a_reply_of_our_template_must_say_who_wrote_it() -> None:
    body = {"type": "ticket.replied", "author": "", "ticket": {"id": "7"}, "requester": {"email": "a@example.com"}}
    ((_, outcome),) = outcomes(freshdesk, delivery(body))
    assert isinstance(outcome, Broken)
    assert "$.author" in outcome.reason


def test_one_address_is_one_person_with_any_spelling() -> None:
    anonymous_ids = set()
    for address in ("A@Example.com ", "a@example.com"):
        body = {"type": "ticket.created", "ticket": {"id": "7"}, "requester": {"email": address}}
        ((_, outcome),) = outcomes(freshdesk, delivery(body))
        assert isinstance(outcome, Translated)
        anonymous_ids.add(outcome.messages[0]["anonymousId"])
    assert len(anonymous_ids) == 1


def test_same_change_at_another_time_is_another_event() -> None:
    body = {"type": "ticket.solved", "ticket": {"id": "7"}, "requester": {"email": "a@example.com"}}
    keys = {
        SourceRuntime(freshdesk).events(delivery(body | {"at": f"2026-10-05T09:3{minute}:00Z"}))[0].id
        for minute in range(3)
    }
    assert len(keys) == 3
