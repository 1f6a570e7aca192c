"""What the goldens of Calendly cannot tell by themselves."""

import hmac
import json
from datetime import UTC, datetime, timedelta
from typing import Any

from translators.calendly import calendly
from translators.kit import Delivery
from webhooks.signatures import Request, verify
from webhooks.transcript import outcomes
from webhooks.translate import Broken, Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URI = "https://api.calendly.com/scheduled_events/E1/invitees/I1"


def delivery(event: str = "invitee.created", at: str = "2026-10-05T09:00:00Z", **payload: Any) -> Delivery:
    body = {"event": event, "created_at": at, "payload": {"uri": URI, "email": "Jane@Example.com"} | payload}
    return Delivery(source="calendly", body=json.dumps(body).encode(), received_at=NOW)


def test_a_retry_and_a_second_subscription_have_the_same_key_and_another_event_has_not() -> None:
    keys = [
        calendly.events(told)[0].key
        for told in (delivery(), delivery(), delivery("invitee.canceled"), delivery(at="2026-10-05T09:00:01Z"))
    ]
    assert keys[0] == keys[1]
    assert keys[0] == keys[3], "the notification of a second subscription is made a second later"
    assert len(set(keys)) == 2


def test_a_moved_meeting_is_told_once() -> None:
    ((_, gone),) = outcomes(calendly, delivery("invitee.canceled", rescheduled=True))
    ((_, made),) = outcomes(calendly, delivery(old_invitee=f"{URI}0"))
    assert isinstance(gone, Ignored)
    assert isinstance(made, Translated)
    assert [message["event"] for message in made.messages] == ["Meeting Rescheduled"]


def test_what_the_invitee_answered_is_not_sent() -> None:
    ((_, outcome),) = outcomes(calendly, delivery(questions_and_answers=[{"question": "Why?", "answer": "my secret"}]))
    assert isinstance(outcome, Translated)
    assert "my secret" not in repr(outcome.messages)


def test_a_time_that_is_none_is_malformed_with_its_path() -> None:
    ((_, outcome),) = outcomes(calendly, delivery(scheduled_event={"start_time": "soon"}))
    assert isinstance(outcome, Broken)
    assert "start_time" in outcome.reason


def test_a_delivery_signed_as_calendly_signs_it_is_accepted_for_three_minutes() -> None:
    scheme, body, at = calendly.schemes["default"], delivery().body, int(NOW.timestamp())
    made = hmac.new(b"a key", f"{at}.".encode() + body, "sha256").hexdigest()
    request = Request(body=body, headers={"calendly-webhook-signature": f"t={at},v1={made}"})
    assert verify(scheme, request, ["a key"], now=NOW + timedelta(seconds=170)).ok
    assert not verify(scheme, request, ["a key"], now=NOW + timedelta(seconds=200)).ok
