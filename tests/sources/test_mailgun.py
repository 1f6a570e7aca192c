"""Mailgun: signatures, keys, and e-mails to several recipients."""

import json

from support.emails import TokenMemory, email_to
from support.outcomes import event_of, messages_of
from translators.kit import Delivery, FormerId
from translators.mailgun import mailgun
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, sign, verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import RECEIVED, outcomes
from webhooks.translation.translate import Broken


def test_mailgun_token_is_refused_with_another_body() -> None:
    scheme, memory = mailgun.schemes["default"], TokenMemory()
    body = sign(scheme, body=json.dumps(email_to(mailgun, "a@example.com")).encode(), secret="key", now=RECEIVED).body
    forged = json.dumps(json.loads(body) | email_to(mailgun, "b@example.com")).encode()
    faults = [
        verify(scheme, HttpRequest(body=sent, headers={}), secrets=("key",), now=RECEIVED, remember=memory).fault
        for sent in (body, body, forged)
    ]
    assert faults == [Fault.NONE, Fault.NONE, Fault.REPLAYED]


def test_mailgun_retry_with_a_new_signature_has_the_same_key() -> None:
    event = {"event": "complained", "timestamp": 1790000000.25, "recipient": "a@example.com"}
    keys = set()
    for token in ("1", "2"):
        body = {"signature": {"timestamp": token, "token": token, "signature": token}, "event-data": event}
        (received,) = SourceRuntime(mailgun).events(
            Delivery(source="mailgun", body=json.dumps(body).encode(), received_at=RECEIVED)
        )
        keys.add(received.id)
    assert len(keys) == 1


def test_rejected_email_to_several_makes_one_message_per_recipient() -> None:
    headers = {"to": '"Vo, Lin" <lin@example.com>, mila@example.com, lin@example.com', "message-id": "m1"}
    event = {"id": "e1", "event": "rejected", "timestamp": 1790000000.5, "message": {"headers": headers}}
    messages = messages_of(mailgun, {"event-data": event | {"user-variables": {"user_id": "usr_1"}}})
    assert [message["context"]["traits"]["email"] for message in messages] == ["lin@example.com", "mila@example.com"]
    assert len({message["messageId"] for message in messages}) == 2
    assert not [message for message in messages if "userId" in message], "the variables are of the message, not of one"
    event["message"]["headers"]["to"] = "mila@example.com"  # type: ignore[index]
    (alone,) = messages_of(mailgun, {"event-data": event | {"user-variables": {"user_id": "usr_1"}}})
    assert alone["userId"] == "usr_1"
    event |= {"event": "complained", "message": {"headers": {"to": "lin@example.com, mila@example.com"}}}
    delivery = Delivery(
        source="mailgun",
        body=json.dumps({"event-data": event}).encode(),
        received_at=RECEIVED,
        options=mailgun.defaults(),
    )
    ((_, outcome),) = outcomes(mailgun, delivery)
    assert isinstance(outcome, Broken)
    assert "$.event-data.recipient" in outcome.reason


def test_a_mailgun_id_used_again_on_another_day_is_another_event() -> None:
    event = {"id": "e1", "event": "opened", "recipient": "a@example.com"}
    days = [event_of(mailgun, {"event-data": event | {"timestamp": at}}) for at in (1795879942.5, 1795966342.5)]
    assert days[0].id != days[1].id
    assert days[0].former_ids == (FormerId("e1", same_bytes=True),)
