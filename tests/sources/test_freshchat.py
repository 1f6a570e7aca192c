"""Behaviour of Freshchat that its goldens do not cover."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from support.signature_vectors import FRESHCHAT_BODY, FRESHCHAT_KEY, FRESHCHAT_SIGNATURE
from translators.freshchat import freshchat
from translators.kit import Delivery
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def test_real_delivery_is_verified_and_translated() -> None:
    # https://github.com/nyaruka/courier handlers/freshchat
    request = HttpRequest(body=FRESHCHAT_BODY, headers={"x-freshchat-signature": FRESHCHAT_SIGNATURE})
    assert verify(freshchat.schemes["default"], request, secrets=(FRESHCHAT_KEY,), now=NOW).ok
    ((event, outcome),) = outcomes(freshchat, Delivery(source="freshchat", body=FRESHCHAT_BODY, received_at=NOW))
    assert event.occurred_at == datetime(2019, 6, 21, 17, 43, 20, 875000, tzinfo=UTC)
    assert isinstance(outcome, Translated)
    assert [message["event"] for message in outcome.messages] == ["Live Chat Message Sent"]


def test_a_retry_has_the_key_of_its_first_delivery() -> None:
    first, again = (
        SourceRuntime(freshchat).events(Delivery(source="freshchat", body=FRESHCHAT_BODY, received_at=at))[0].id
        for at in (NOW, datetime(2026, 11, 24, tzinfo=UTC))
    )
    assert first == again


@pytest.mark.parametrize("mark", [{"botsPrivateNote": True}, {"message_type": "private"}])
def test_private_note_is_ignored_with_either_mark(mark: dict[str, Any]) -> None:
    body = json.loads(FRESHCHAT_BODY)
    del body["data"]["message"]["message_type"]  # newer deliveries do not have it
    raw = [json.dumps(body).encode()]
    body["data"]["message"] |= mark
    raw.append(json.dumps(body).encode())
    reply, note = (outcomes(freshchat, Delivery(source="freshchat", body=body, received_at=NOW))[0][1] for body in raw)
    assert isinstance(reply, Translated)
    assert isinstance(note, Ignored)


def test_the_key_of_an_object_without_an_id_is_the_digest_of_the_bytes() -> None:
    body = b'{"action": "message_create", "action_time": "2026-10-05T09:00:00Z", "data": {"message": {}}}'
    (event,) = SourceRuntime(freshchat).events(Delivery(source="freshchat", body=body, received_at=NOW))
    assert event.id == event.digest
