"""Behaviour of Crisp that its goldens do not cover."""

import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from translators.crisp import crisp
from translators.kit import Delivery, Refused
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Outcome, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SESSION = "session_36ba3566-9651-4790-afc8-000000000002"


def delivery(event: str, at: int = 1791192580000, options: dict[str, Any] | None = None, **data: Any) -> Delivery:
    body = {"website_id": "w1", "event": event, "data": data, "timestamp": at}
    raw = json.dumps(body, separators=(",", ":")).encode()
    return Delivery(source="crisp", body=raw, received_at=NOW, options=crisp.defaults() | (options or {}))


def outcome_of(event: str, **data: Any) -> Outcome:
    ((_, outcome),) = outcomes(crisp, delivery(event, **data))
    return outcome


def message(**more: Any) -> dict[str, Any]:
    user = {"user_id": "o1", "nickname": "Ole"}
    fields = {
        "session_id": SESSION,
        "type": "text",
        "from": "operator",
        "origin": "chat",
        "fingerprint": 17,
        "user": user,
    }
    return fields | more


@pytest.mark.parametrize("timestamp", ["1795435199000", "1795435199"])
def test_brackets_and_semicolon_are_signed_with_both_timestamp_units(timestamp: str) -> None:
    scheme, body = crisp.schemes["plugin"], delivery("session:set_state", state="resolved").body
    digest = hmac.new(b"signing-secret", b"[" + timestamp.encode() + b";" + body + b"]", "sha256").hexdigest()
    headers = {"x-crisp-signature": digest, "x-crisp-request-timestamp": timestamp}
    assert verify(scheme, HttpRequest(body=body, headers=headers), secrets=("signing-secret",), now=NOW).ok
    assert not verify(scheme, HttpRequest(body=body + b" ", headers=headers), secrets=("signing-secret",), now=NOW).ok


def test_website_hook_is_verified_by_its_key() -> None:
    scheme = crisp.schemes["website"]
    assert verify(
        scheme, HttpRequest(body=b"{}", headers={}, query={"key": "long-random"}), ("long-random",), now=NOW
    ).ok
    assert not verify(scheme, HttpRequest(body=b"{}", headers={}, query={}), ("long-random",), now=NOW).ok


def test_other_website_than_configured_is_refused() -> None:
    SourceRuntime(crisp).guard(delivery("message:send"))
    SourceRuntime(crisp).guard(delivery("message:send", options={"website_ids": ("w0", "w1")}))
    with pytest.raises(Refused):
        SourceRuntime(crisp).guard(delivery("message:send", options={"website_ids": ("w2",)}))


def test_key_is_the_fingerprint_of_a_message_and_the_bytes_of_a_change() -> None:
    first, again = (
        SourceRuntime(crisp).events(delivery("message:send", at, **message()))[0]
        for at in (1791192580000, 1791192580001)
    )
    assert first.id == again.id
    one, two = (
        SourceRuntime(crisp).events(delivery("session:set_data", session_id=SESSION, data={"a": x}))[0].id
        for x in ("1", "2")
    )
    assert one != two


@pytest.mark.parametrize(
    "more",
    [
        {"type": "note"},
        {"type": "event"},
        {"automated": True},
        {"from": "user"},
        {"user": {"type": "website", "user_id": "w1"}},
        {"user": {"nickname": "Campaign"}},
        {"user": None},
    ],
    ids=str,
)
def test_message_without_an_operator_as_writer_is_ignored(more: dict[str, Any]) -> None:
    assert isinstance(outcome_of("message:received", **message()), Translated)
    assert isinstance(outcome_of("message:received", **message(**more)), Ignored)


def test_person_without_a_session_is_known_by_address_else_ignored() -> None:
    upper, lower = (
        outcome_of("email:subscribe", email=email, subscribed=True) for email in ("A@Example.com ", "a@example.com")
    )
    assert isinstance(upper, Translated)
    assert isinstance(lower, Translated)
    assert upper.messages[0]["anonymousId"] == lower.messages[0]["anonymousId"]
    unnamed = outcome_of("session:set_email")
    assert isinstance(unnamed, Ignored)
    assert unnamed.reason.startswith("no customer")


def test_session_data_becomes_traits_only_if_configured() -> None:
    sent = delivery("session:set_data", session_id=SESSION, data={"plan": "pro", "deep": {"a": 1}, "secret": "x"})
    ((_, none),) = outcomes(crisp, sent)
    assert isinstance(none, Translated)
    assert none.messages[0]["traits"] == {}
    options = {"data_traits": ("plan", "deep", "missing")}
    ((_, asked),) = outcomes(
        crisp, delivery("session:set_data", options=options, session_id=SESSION, data=sent.payload.get("data.data"))
    )
    assert isinstance(asked, Translated)
    assert asked.messages[0]["traits"] == {"plan": "pro"}
