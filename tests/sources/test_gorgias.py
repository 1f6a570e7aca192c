"""Behaviour of Gorgias that its goldens do not cover."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from translators.gorgias import gorgias
from translators.kit import Delivery
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import endpoint
from webhooks.translation.translate import Broken, Outcome, Translated, translate

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def outcome_of(body: dict[str, Any], *keys: str) -> Outcome:
    delivery = Delivery(source="gorgias", body=json.dumps(body).encode(), received_at=NOW)
    (event,) = SourceRuntime(gorgias).events(delivery)
    return translate(event, replace(endpoint(gorgias, delivery.options), user_id_keys=keys), namespace="test")


def message(**more: str) -> dict[str, Any]:
    fields = {"id": "1", "from_agent": "False", "public": "True", "channel": "email"} | more
    return {
        "type": "ticket-message-created",
        "id": "9",
        "ticket": {"id": "7"},
        "customer": {"id": "3"},
        "message": fields,
    }


@pytest.mark.parametrize("field", ["public", "from_agent"])
@pytest.mark.parametrize("value", ["", "None", "maybe"])
def test_a_message_that_may_be_a_note_is_never_sent(field: str, value: str) -> None:
    outcome = outcome_of(message(**{field: value}))
    assert isinstance(outcome, Broken)
    assert f"$.message.{field}" in outcome.reason


@pytest.mark.parametrize(("printed", "author"), [("True", "agent"), ("true", "agent"), ("False", "customer")])
def test_false_in_a_template_is_false(printed: str, author: str) -> None:
    outcome = outcome_of(message(from_agent=printed))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"]["author"] == author


def test_external_id_is_the_user_id_only_if_configured() -> None:
    body = {"type": "ticket-created", "ticket": {"id": "7"}, "customer": {"id": "3", "external_id": "shop-1"}}
    for keys, expected in ((("user_id",), None), (("user_id", "external_id"), "shop-1")):
        outcome = outcome_of(body, *keys)
        assert isinstance(outcome, Translated)
        assert outcome.messages[0].get("userId") == expected


def test_event_time_is_the_most_specific_time_sent() -> None:
    ticket = {"id": "7", "created_at": "2026-10-05T09:00:00", "updated_at": "2026-10-05T09:02:00"}
    body = {"type": "ticket-status-updated", "ticket": ticket, "customer": {"id": "3"}}
    (event,) = SourceRuntime(gorgias).events(
        Delivery(source="gorgias", body=json.dumps(body).encode(), received_at=NOW)
    )
    assert (event.occurred_at, event.clock) == (datetime(2026, 10, 5, 9, 2, tzinfo=UTC), "record")


def keyed(body: dict[str, Any]) -> str:
    (event,) = SourceRuntime(gorgias).events(
        Delivery(source="gorgias", body=json.dumps(body).encode(), received_at=NOW)
    )
    return event.id


def test_creation_is_one_event_even_if_a_retry_has_a_later_state() -> None:
    created: dict[str, Any] = {"type": "ticket-created", "ticket": {"id": "7"}, "customer": {"id": "3"}}
    for first in (message(), created):
        first.pop("id", None)
        again = first | {"ticket": first["ticket"] | {"updated_at": "2026-10-05T09:02:00"}}
        assert keyed(first) == keyed(again)
        assert keyed(first | {"id": "9"}) == f"{first['type']}:9"
    first = message()
    del first["id"]
    other = first | {"message": first["message"] | {"id": "2"}}
    assert keyed(first) != keyed(other)


def test_a_ticket_that_changes_twice_is_two_events() -> None:
    body = {"type": "ticket-status-updated", "ticket": {"id": "7", "updated_at": "2026-10-05T09:02:00.1"}}
    assert keyed(body) == keyed(body)
    assert keyed(body) != keyed(body | {"ticket": body["ticket"] | {"updated_at": "2026-10-05T09:02:00.2"}})  # type: ignore[operator]


def test_the_key_of_a_change_without_a_time_is_the_digest_of_the_bytes() -> None:
    body = json.dumps(
        {"type": "ticket-status-updated", "ticket": {"id": "7", "updated_at": ""}, "customer": {}}
    ).encode()
    (event,) = SourceRuntime(gorgias).events(Delivery(source="gorgias", body=body, received_at=NOW))
    assert (event.id, event.clock) == (event.digest, "received")
