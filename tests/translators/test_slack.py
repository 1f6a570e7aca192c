"""What the goldens of Slack cannot tell by themselves."""

import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from translators.kit import Delivery
from translators.slack import slack
from webhooks.signatures import Request, verify
from webhooks.transcript import outcomes
from webhooks.translate import Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(body: bytes, **headers: str) -> Delivery:
    return Delivery(source="slack", body=body, received_at=NOW, headers=headers)


def callback(**event: Any) -> Delivery:
    told = {"type": "event_callback", "event_id": "Ev1", "event_time": 1791190800, "team_id": "T1", "event": event}
    return delivery(json.dumps(told).encode())


def test_the_challenge_is_answered_only_once_it_is_verified() -> None:
    asked = delivery(json.dumps({"type": "url_verification", "challenge": "abc"}).encode())
    answer = slack.greet(asked, signed=True)
    assert answer is not None
    assert json.loads(answer.body) == {"challenge": "abc"}
    assert not slack.has_unsigned_handshake


def test_an_event_or_a_form_is_no_handshake() -> None:
    assert slack.greet(callback(type="message"), signed=True) is None
    assert slack.greet(delivery(b"command=%2Forder&user_id=U1"), signed=True) is None


def test_a_retry_has_the_same_key() -> None:
    first, again = callback(type="message"), callback(type="message")
    assert slack.events(first)[0].key == slack.events(again)[0].key == "Ev1"


def test_the_finer_time_is_kept_to_the_microsecond() -> None:
    (event,) = slack.events(callback(type="message", event_ts="1791190800.123456"))
    assert event.occurred_at == datetime.fromtimestamp(1791190800, UTC).replace(microsecond=123456)


def test_what_was_typed_is_never_sent() -> None:
    view = {"id": "V1", "callback_id": "order", "state": {"values": {"b": {"a": {"value": "my secret"}}}}}
    forms = [
        {"payload": json.dumps({"type": "view_submission", "user": {"id": "U1"}, "trigger_id": "1", "view": view})},
        {"command": "/order", "text": "my secret", "user_id": "U1", "trigger_id": "2"},
    ]
    told = [delivery(urlencode(form).encode(), **{"x-slack-request-timestamp": "1791190800"}) for form in forms]
    for sent in [*told, callback(type="message", user="U1", ts="1.000001", text="my secret")]:
        ((_, outcome),) = outcomes(slack, sent)
        assert isinstance(outcome, Translated)
        assert "my secret" not in repr(outcome.messages)


def test_a_form_cannot_name_its_own_type() -> None:
    (event,) = slack.events(delivery(b"command=%2Forder&user_id=U1&type=app_uninstalled&trigger_id=1"))
    assert event.type == "slash_command"


def test_a_command_signed_as_slack_signs_it_is_accepted_and_a_changed_one_is_not() -> None:
    scheme, body = slack.schemes["default"], b"command=%2Forder&user_id=U1&trigger_id=1"
    digest = hmac.new(b"signing-secret", b"v0:1791190800:" + body, "sha256").hexdigest()
    headers = {"x-slack-signature": f"v0={digest}", "x-slack-request-timestamp": "1791190800"}
    now = datetime.fromtimestamp(1791190810, UTC)
    assert verify(scheme, Request(body=body, headers=headers), ["signing-secret"], now=now).ok
    assert not verify(scheme, Request(body=body + b"&x=1", headers=headers), ["signing-secret"], now=now).ok


def test_a_command_or_a_modal_is_answered_with_nothing_since_slack_would_show_it() -> None:
    assert slack.ack is not None
    assert (slack.ack.status, slack.ack.body) == (200, b"")
