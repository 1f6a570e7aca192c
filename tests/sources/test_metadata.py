"""Metadata of yours that a provider carries: sent by option, with your user id."""

from typing import Any

import pytest

from support.outcomes import message_of, named
from translators.calcom import calcom
from translators.calendly import calendly
from translators.kit import Source
from translators.twilio import twilio
from translators.typeform import typeform

METADATA = {"user_id": "usr_1", "plan": "pro", "order_id": "1001"}


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


@pytest.mark.parametrize("source", [typeform, calcom, calendly, twilio], ids=named)
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


@pytest.mark.parametrize("source", [typeform, calcom, calendly], ids=named)
def test_numeric_user_id_is_sent_as_text(source: Source) -> None:
    assert message_of(source, **request_with(source, {"user_id": 4711}))["userId"] == "4711"
