"""What the goldens of Intercom cannot tell by themselves."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from translators.intercom import intercom
from translators.intercom.source import of_contact
from translators.kit import Delivery, Payload, Refused
from webhooks.transcript import outcomes
from webhooks.translate import Broken, Translated

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
