"""Slack behaviour that the goldens do not cover."""

import hmac
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from support.outcomes import golden_outcomes
from translators.kit import Delivery, FormerId
from translators.slack import slack
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(body: bytes, **headers: str) -> Delivery:
    return Delivery(source="slack", body=body, received_at=NOW, headers=headers)


def callback(**event: Any) -> Delivery:
    body = {"type": "event_callback", "event_id": "Ev1", "event_time": 1791190800, "team_id": "T1", "event": event}
    return delivery(json.dumps(body).encode())


def test_challenge_is_answered_only_if_signed() -> None:
    request = delivery(json.dumps({"type": "url_verification", "challenge": "abc"}).encode())
    answer = SourceRuntime(slack).handshake(request, signed=True)
    assert answer is not None
    assert json.loads(answer.body) == {"challenge": "abc"}
    assert not SourceRuntime(slack).has_unsigned_handshake


def test_event_or_form_is_not_a_handshake() -> None:
    assert SourceRuntime(slack).handshake(callback(type="message"), signed=True) is None
    assert SourceRuntime(slack).handshake(delivery(b"command=%2Forder&user_id=U1"), signed=True) is None


def test_a_retry_has_the_same_key() -> None:
    first, again = callback(type="message"), callback(type="message")
    assert SourceRuntime(slack).events(first)[0].id == SourceRuntime(slack).events(again)[0].id == "Ev1"


def test_event_time_is_kept_to_the_microsecond() -> None:
    (event,) = SourceRuntime(slack).events(callback(type="message", event_ts="1791190800.123456"))
    assert event.occurred_at == datetime.fromtimestamp(1791190800, UTC).replace(microsecond=123456)


def test_text_of_messages_forms_and_commands_is_never_sent() -> None:
    view = {"id": "V1", "callback_id": "order", "state": {"values": {"b": {"a": {"value": "my secret"}}}}}
    forms = [
        {"payload": json.dumps({"type": "view_submission", "user": {"id": "U1"}, "trigger_id": "1", "view": view})},
        {"command": "/order", "text": "my secret", "user_id": "U1", "trigger_id": "2"},
    ]
    deliveries = [delivery(urlencode(form).encode(), **{"x-slack-request-timestamp": "1791190800"}) for form in forms]
    for sent in [*deliveries, callback(type="message", user="U1", ts="1.000001", text="my secret")]:
        ((_, outcome),) = outcomes(slack, sent)
        assert isinstance(outcome, Translated)
        assert "my secret" not in repr(outcome.messages)


def test_form_field_cannot_set_the_event_type() -> None:
    (event,) = SourceRuntime(slack).events(delivery(b"command=%2Forder&user_id=U1&type=app_uninstalled&trigger_id=1"))
    assert event.type == "slash_command"


def test_signed_command_is_accepted_and_a_changed_one_refused() -> None:
    scheme, body = slack.schemes["default"], b"command=%2Forder&user_id=U1&trigger_id=1"
    digest = hmac.new(b"signing-secret", b"v0:1791190800:" + body, "sha256").hexdigest()
    headers = {"x-slack-signature": f"v0={digest}", "x-slack-request-timestamp": "1791190800"}
    now = datetime.fromtimestamp(1791190810, UTC)
    assert verify(scheme, HttpRequest(body=body, headers=headers), ["signing-secret"], now=now).ok
    assert not verify(scheme, HttpRequest(body=body + b"&x=1", headers=headers), ["signing-secret"], now=now).ok


def test_response_to_commands_and_modals_is_empty() -> None:
    assert slack.ack is not None
    assert (slack.ack.status, slack.ack.body) == (200, b"")


def test_one_message_under_several_event_ids_is_one_event() -> None:
    payload = {"type": "message", "channel": "C1", "user": "U1", "ts": "1791190800.000100"}
    first, again = callback(**payload), callback(**payload)
    again = delivery(again.body.replace(b"Ev1", b"Ev2"))
    events = [SourceRuntime(slack).events(sent)[0] for sent in (first, again)]
    assert {event.id for event in events} == {"message:T1:C1:1791190800.000100"}
    assert [event.former_ids for event in events] == [(FormerId("Ev1"),), (FormerId("Ev2"),)]


def person(member: str, **outer: Any) -> tuple[str, str]:
    payload = {"type": "event_callback", "event_id": "Ev1", "event_time": 1791190800, **outer}
    event = {"type": "reaction_added", "user": member, "reaction": "tada"}
    ((_, outcome),) = outcomes(slack, delivery(json.dumps({**payload, "event": event}).encode()))
    assert isinstance(outcome, Translated)
    (message,) = outcome.messages
    return message["anonymousId"], message["context"]["externalIds"][0]["id"]


def test_same_user_id_in_two_workspaces_is_two_people() -> None:
    assert set(person("U1", team_id="T1")).isdisjoint(person("U1", team_id="T2"))
    assert person("U1", team_id="T1") == person("U1", team_id="T1")


def test_enterprise_grid_member_is_one_person_in_all_workspaces() -> None:
    assert person("W1", team_id="T1") == person("W1", team_id="T2", enterprise_id="E1")
    assert person("U1", team_id="T1", enterprise_id="E1") == person("U1", team_id="T2", enterprise_id="E1")
    assert person("U1", team_id="T1", enterprise_id="E1") != person("U1", team_id="T1", enterprise_id="E2")


def test_shared_channel_does_not_split_a_member() -> None:
    ours = person("U1", team_id="T1", context_team_id="T1")
    assert person("U1", team_id="T9", context_team_id="T1", context_enterprise_id=None) == ours


def test_interaction_and_event_of_a_member_are_one_person() -> None:
    action = {"type": "shortcut", "user": {"id": "U1"}, "team": {"id": "T1"}, "enterprise": None, "trigger_id": "1"}
    form = urlencode({"payload": json.dumps(action)}).encode()
    command = b"command=%2Forder&user_id=U1&team_id=T1&trigger_id=1"
    for body in (form, command):
        ((_, outcome),) = outcomes(slack, delivery(body, **{"x-slack-request-timestamp": "1791190800"}))
        assert isinstance(outcome, Translated)
        assert outcome.messages[0]["anonymousId"] == person("U1", team_id="T1")[0]


def test_app_removed_from_an_organisation_has_the_organisation_as_account() -> None:
    payload = {
        "type": "event_callback",
        "event_id": "Ev1",
        "event_time": 1791190800,
        "team_id": None,
        "enterprise_id": "E1",
    }
    ((_, outcome),) = outcomes(slack, delivery(json.dumps(payload | {"event": {"type": "app_uninstalled"}}).encode()))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"]["account_id"] == "E1"


def test_message_key_ignores_a_channel_that_is_not_an_id() -> None:
    for channel in ({"id": "C1"}, {"id": ""}, ["C1"], 7):
        assert SourceRuntime(slack).events(callback(type="channel_rename", channel=channel, ts=7))[0].id == "Ev1"


def test_event_without_a_member_is_ignored() -> None:
    ((_, outcome),) = outcomes(
        slack,
        callback(
            type="reaction_added", reaction="eyes", item={"type": "message", "channel": "C1", "ts": "1791190800.000100"}
        ),
    )
    assert outcome == Ignored("no person: Slack names no member, for example if an app acted")


def test_mention_by_a_bot_is_ignored() -> None:
    assert golden_outcomes(slack, "app_mention", {"event.bot_id": "B0BOT001"}) == [Ignored("written by a bot")]


def test_new_channel_belongs_to_its_creator_unless_slack_names_a_user() -> None:
    people = []
    for change in ({}, {"event.user": "U0OTHER01"}):
        (outcome,) = golden_outcomes(slack, "channel_created", change)
        assert isinstance(outcome, Translated)
        people.append(outcome.messages[0]["context"]["externalIds"][0]["id"])
    assert people == ["T0ACME001|U0JANE001", "T0ACME001|U0OTHER01"]
