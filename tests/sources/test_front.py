"""Behaviour of Front that its goldens do not cover."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from support.memory_journal import MemoryJournal
from support.outcomes import Change, golden_messages, golden_outcomes
from translators.front import front
from translators.kit import Delivery, Refused
from webhooks.errors import Rejected
from webhooks.http.request import HttpRequest
from webhooks.signatures import sign, verify
from webhooks.sources.endpoints import Endpoint
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.translate import Ignored, Outcome, Translated, translate
from webhooks.web.handler import WebhookHandler

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
APP, RULE = front.schemes["app"], front.schemes["rule"]
SYNC = json.dumps({"type": "sync", "authorization": {"id": "cmp_1"}}).encode()


def make_handler() -> tuple[WebhookHandler, MemoryJournal]:
    journal = MemoryJournal()
    endpoint = Endpoint(name="front", source=front, scheme=APP, secrets=("secret",), options=front.defaults())
    handler = WebhookHandler(
        endpoints={"front": endpoint}, sources={}, journal=journal, max_body=10**6, clock=lambda: NOW
    )
    return handler, journal


def incoming(body: bytes, secret: str = "secret", **headers: str) -> HttpRequest:
    signed = sign(APP, body=body, secret=secret, now=NOW)
    sent = dict(signed.headers) | headers
    return HttpRequest(method="POST", headers=sent, body=body)


def test_signed_challenge_is_answered_and_not_stored() -> None:
    handler, journal = make_handler()
    reply = handler.handle("front", incoming(SYNC, **{"x-front-challenge": 'odd "one"'}))
    assert reply.status == 200
    assert json.loads(reply.body) == {"challenge": 'odd "one"'}
    assert journal.rows() == []


def test_challenge_with_a_wrong_signature_is_refused() -> None:
    handler, _ = make_handler()
    with pytest.raises(Rejected):
        handler.handle("front", incoming(SYNC, secret="guess", **{"x-front-challenge": "odd"}))


def test_signature_of_one_scheme_is_refused_by_the_other() -> None:
    for signing, checking in ((APP, RULE), (RULE, APP)):
        signed = sign(signing, body=b"{}", secret="secret", now=NOW)
        headers = dict(signed.headers)
        assert not verify(checking, HttpRequest(body=b"{}", headers=headers), secrets=("secret",), now=NOW).ok


def event(**more: Any) -> dict[str, Any]:
    conversation = {"id": "cnv_1", "recipient": {"handle": "A@Example.com"}, "created_at": 1791191000.6}
    return {"id": "evt_1", "type": "archive", "emitted_at": 1791192000.1, "conversation": conversation} | more


def outcome_of(body: dict[str, Any]) -> Outcome:
    options = front.defaults()
    raw = json.dumps(body).encode()
    (event,) = SourceRuntime(front).events(Delivery(source="front", body=raw, received_at=NOW, options=options))
    return translate(event, Endpoint(name="front", source=front, scheme=APP, options=options), namespace="test")


def translated(body: dict[str, Any]) -> list[dict[str, Any]]:
    outcome = outcome_of(body)
    assert isinstance(outcome, Translated), outcome
    return outcome.messages


def test_application_and_rule_send_the_same_event_with_the_same_id() -> None:
    wrapped = {"type": "conversation_archived", "authorization": {"id": "cmp_1"}, "payload": event()}
    assert translated(wrapped) == translated(event())


def test_one_address_is_one_person_with_any_spelling() -> None:
    other = event()
    other["conversation"]["recipient"] = {"handle": "a@example.com"}
    assert translated(event())[0]["anonymousId"] == translated(other)[0]["anonymousId"]


def test_other_company_than_configured_is_refused() -> None:
    options = front.defaults() | {"company_id": "cmp_2"}
    body = json.dumps({"type": "x", "authorization": {"id": "cmp_1"}, "payload": {}}).encode()
    with pytest.raises(Refused):
        SourceRuntime(front).guard(Delivery(source="front", body=body, received_at=NOW, options=options))


def test_a_snooze_is_not_solved_and_its_end_is_not_reopened() -> None:
    for name, type_ in (("conversation_snoozed", "archive"), ("conversation_snooze_expired", "reopen")):
        wrapped = {"type": name, "authorization": {"id": "cmp_1"}, "payload": event(type=type_)}
        assert isinstance(outcome_of(wrapped), Ignored)
    by_a_rule = event(source={"_meta": {"type": "reminder"}, "data": {}})
    assert isinstance(outcome_of(by_a_rule), Ignored)


def test_internal_discussion_is_ignored() -> None:
    inside = event()
    inside["conversation"]["recipient"] = None
    assert isinstance(outcome_of(inside), Ignored)


def test_preview_without_a_recipient_is_identified_by_its_conversation() -> None:
    preview = event(conversation={"id": "cnv_1", "subject": "Export"})
    (message,) = translated(preview)
    assert message["event"] == "Ticket Solved"
    assert "externalIds" not in message["context"]


def test_preview_of_a_conversation_is_identified_by_its_messages_writer() -> None:
    (whole,) = golden_messages(front, "inbound__reply")
    (preview,) = golden_messages(front, "inbound__reply", {"payload.conversation.recipient": None})
    assert preview["anonymousId"] == whole["anonymousId"]


def test_unassigned_conversation_is_ignored() -> None:
    change: Change = {"payload.target.data": {}, "payload.conversation.assignee": None}
    (outcome,) = golden_outcomes(front, "assign", change)
    assert outcome == Ignored("the conversation was unassigned")
