"""Calendly behaviour that the goldens do not cover."""

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from translators.calendly import calendly
from translators.kit import Delivery
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Broken, Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URI = "https://api.calendly.com/scheduled_events/E1/invitees/I1"


def delivery(event: str = "invitee.created", at: str = "2026-10-05T09:00:00Z", **payload: Any) -> Delivery:
    body = {"event": event, "created_at": at, "payload": {"uri": URI, "email": "Jane@Example.com"} | payload}
    return Delivery(source="calendly", body=json.dumps(body).encode(), received_at=NOW)


def test_retry_and_second_subscription_share_a_key_and_other_events_differ() -> None:
    keys = [
        SourceRuntime(calendly).events(sent)[0].id
        for sent in (delivery(), delivery(), delivery("invitee.canceled"), delivery(at="2026-10-05T09:00:01Z"))
    ]
    assert keys[0] == keys[1]
    assert keys[0] == keys[3], "the second subscription's notification has a later time"
    assert len(set(keys)) == 2


def test_rescheduled_meeting_is_reported_once() -> None:
    ((_, cancelled),) = outcomes(calendly, delivery("invitee.canceled", rescheduled=True))
    ((_, created),) = outcomes(calendly, delivery(old_invitee=f"{URI}0"))
    assert isinstance(cancelled, Ignored)
    assert isinstance(created, Translated)
    assert [message["event"] for message in created.messages] == ["Meeting Rescheduled"]


def test_answers_of_the_invitee_are_not_sent() -> None:
    ((_, outcome),) = outcomes(calendly, delivery(questions_and_answers=[{"question": "Why?", "answer": "my secret"}]))
    assert isinstance(outcome, Translated)
    assert "my secret" not in repr(outcome.messages)


def test_invalid_time_is_malformed_with_its_path() -> None:
    ((_, outcome),) = outcomes(calendly, delivery(scheduled_event={"start_time": "soon"}))
    assert isinstance(outcome, Broken)
    assert "start_time" in outcome.reason


def test_calendly_signature_is_accepted_for_three_minutes() -> None:
    scheme, body, at = calendly.schemes["default"], delivery().body, int(NOW.timestamp())
    digest = hmac.new(b"a key", f"{at}.".encode() + body, "sha256").hexdigest()
    request = HttpRequest(body=body, headers={"calendly-webhook-signature": f"t={at},v1={digest}"})
    assert verify(scheme, request, ["a key"], now=NOW + timedelta(seconds=170)).ok
    assert not verify(scheme, request, ["a key"], now=NOW + timedelta(seconds=200)).ok
