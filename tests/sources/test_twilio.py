"""Twilio: callbacks that are not about a message, opt-out, keys."""

from urllib.parse import urlencode

import pytest

from translators.kit import Delivery, Event, FormerId
from translators.twilio import twilio
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Ignored, Outcome, Translated

CALL = {"AccountSid": "AC1", "CallSid": "CA1"}


def delivery(**form: str) -> Delivery:
    body = urlencode(form).encode()
    return Delivery(source="twilio", body=body, received_at=RECEIVED, options=twilio.defaults())


def outcome_of(**form: str) -> tuple[Event, Outcome]:
    ((event, outcome),) = outcomes(twilio, delivery(**form))
    return event, outcome


@pytest.mark.parametrize(
    ("form", "type_"),
    [
        (CALL | {"RecordingSid": "RE1", "RecordingStatus": "completed"}, "recording.completed"),
        ({"ConferenceSid": "CF1", "RecordingSid": "RE1", "RecordingStatus": "absent"}, "recording.absent"),
        ({"ConferenceSid": "CF1", "StatusCallbackEvent": "conference-end"}, "conference.end"),
        (CALL | {"ConferenceSid": "CF1", "StatusCallbackEvent": "participant-leave"}, "conference.participant-leave"),
        (CALL | {"CallStatus": "completed", "TranscriptionSid": "TR1", "TranscriptionStatus": "failed"}, "transcription.failed"),
        (CALL | {"TranscriptionSid": "GT1", "TranscriptionEvent": "transcription-started"}, "transcription.started"),
        (CALL | {"StreamSid": "MZ1", "StreamEvent": "stream-stopped"}, "stream.stopped"),
        (CALL | {"SiprecSid": "SR1", "SiprecEvent": "siprec-started"}, "siprec.started"),
        (CALL | {"AnsweredBy": "machine_start"}, "call.other"),
        (CALL | {"CallStatus": "in-progress", "Digits": "1"}, "call.in-progress"),
        ({"RoomSid": "RM1", "StatusCallbackEvent": "room-created", "Timestamp": "2026-10-05T09:31:00.123Z"}, "room.created"),
        ({"WorkspaceSid": "WS1", "EventType": "task.created", "Timestamp": "1791192661"}, "taskrouter.task.created"),
        ({"ConversationSid": "CH1", "MessageSid": "IM1", "EventType": "onMessageAdded", "Body": "x"}, "conversation.onMessageAdded"),
        ({"AccountSid": "AC1", "Sid": "NO1", "Level": "ERROR", "PayloadType": "application/json"}, "debugger.ERROR"),
    ],
)  # fmt: skip
def test_callback_that_is_not_about_a_message_is_ignored(form: dict[str, str], type_: str) -> None:
    event, outcome = outcome_of(**form)
    assert event.type == type_
    assert isinstance(outcome, Ignored), outcome


def test_two_requests_of_one_call_are_two_events() -> None:
    forms = [CALL | {"CallStatus": "in-progress", "Digits": digits} for digits in "12"]
    first, second = (outcome_of(**form)[0] for form in forms)
    assert first.id != second.id
    assert first.former_ids == (FormerId("CA1|in-progress|", same_bytes=True),)


@pytest.mark.parametrize(
    ("choice", "events"),
    [
        ("STOP", ["SMS Received", "SMS Unsubscribed"]),
        ("START", ["SMS Received", "SMS Resubscribed"]),
        ("HELP", ["SMS Received"]),
        ("", ["SMS Received"]),
    ],
)
def test_opt_out_and_opt_in_make_an_event_with_the_message(choice: str, events: list[str]) -> None:
    _, outcome = outcome_of(MessageSid="SM1", SmsStatus="received", Body=choice, OptOutType=choice, From="+15005550006")
    assert isinstance(outcome, Translated)
    assert [message["event"] for message in outcome.messages] == events
    assert {message["context"]["traits"]["phone"] for message in outcome.messages} == {"+15005550006"}


def test_an_incoming_message_without_a_status_is_received() -> None:
    event, outcome = outcome_of(MessageSid="SM1", Body="", From="+15005550006", To="+15005550001")
    assert (event.id, event.type) == ("SM1|received", "message.received")
    assert isinstance(outcome, Translated)
