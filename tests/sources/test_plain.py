"""Behaviour of Plain that its goldens do not cover."""

import hmac
import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.outcomes import golden_messages
from translators.kit import Delivery, Refused
from translators.plain import plain
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Outcome, Translated

NOW = datetime(2026, 10, 5, 9, 40, 30, tzinfo=UTC)
GOLDEN = Path(__file__).parent.parent / "golden" / "plain"
SCHEME = plain.schemes["default"]


def golden(name: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text())
    return read


def delivery(body: dict[str, Any], **options: Any) -> Delivery:
    raw = json.dumps(body).encode()
    return Delivery(source="plain", body=raw, received_at=NOW, options=plain.defaults() | options)


def outcome_of(body: dict[str, Any]) -> Outcome:
    ((_, outcome),) = outcomes(plain, delivery(body))
    return outcome


def test_plains_own_vector_is_accepted() -> None:
    # https://github.com/team-plain/typescript-sdk src/tests/verify-plain-webhook.test.ts
    signature = "1bff4699de4fb5202a4b1e6cefd7b5fdfb02d19a67a1eb371dd417a45b0a47df"
    request = HttpRequest(body=b"hello-world", headers={"plain-request-signature": signature})
    assert verify(replace(SCHEME, ts_path=None), request, secrets=("secret",), now=NOW).ok  # type: ignore[arg-type]
    assert not verify(SCHEME, request, secrets=("secret",), now=NOW).ok, "its body has no time of sending"


def test_sending_time_in_the_signed_body_prevents_a_replay() -> None:
    body = (GOLDEN / "thread_created.json").read_bytes()
    headers = {"plain-request-signature": hmac.new(b"secret", body, "sha256").hexdigest()}
    request = HttpRequest(body=body, headers=headers)
    assert verify(SCHEME, request, secrets=("secret",), now=NOW).ok
    later = verify(SCHEME, request, secrets=("secret",), now=NOW.replace(hour=10))
    assert later.fault is Fault.CLOCK


def test_a_retry_has_the_same_key_though_its_bytes_differ() -> None:
    body = golden("thread_created")
    again = json.loads(json.dumps(body))
    again["webhookMetadata"] |= {"webhookDeliveryAttemptNumber": 2, "webhookDeliveryAttemptId": "whAttempt_2"}
    (first,), (second,) = SourceRuntime(plain).events(delivery(body)), SourceRuntime(plain).events(delivery(again))
    assert (first.id, first.occurred_at) == (second.id, second.occurred_at)


def test_other_workspace_than_configured_is_refused() -> None:
    body = golden("thread_created")
    SourceRuntime(plain).guard(delivery(body))
    SourceRuntime(plain).guard(delivery(body, workspace_id=body["workspaceId"]))
    with pytest.raises(Refused):
        SourceRuntime(plain).guard(delivery(body, workspace_id="w_other"))


@pytest.mark.parametrize(
    "name",
    [
        path.name[:-5]
        for path in sorted(GOLDEN.glob("*.json"))
        if path.name.endswith(("_sent.json", "_sent__machine.json"))
    ],
)
@pytest.mark.parametrize("actor", ["system", "machineUser", "UNKNOWN"])
def test_message_not_written_by_a_teammate_is_ignored(name: str, actor: str) -> None:
    body = golden(name)
    writer = {"actorType": actor, "system": "autoresponder", "machineUserId": "mu_1"}
    for part in ("email", "chat", "slackMessage", "msTeamsMessage", "discordMessage"):
        if part in body["payload"]:
            body["payload"][part]["createdBy"] = writer
    assert isinstance(outcome_of(body), Ignored)


def test_breach_is_reported_once_when_it_happens() -> None:
    body = golden("service_level_agreement_status_transitioned")
    first = outcome_of(body)
    assert isinstance(first, Translated)
    assert first.messages[0]["timestamp"] == "2026-10-05T09:29:10.000Z"
    body["payload"]["serviceLevelAgreementStatusDetail"]["status"] = "BREACHED"
    assert isinstance(outcome_of(body), Ignored)


def test_an_event_without_its_customer_is_ignored() -> None:
    outcome = outcome_of({**golden("thread_created"), "payload": {"thread": {"id": "th_1"}}})
    assert isinstance(outcome, Ignored)
    assert outcome.reason.startswith("no customer")


@pytest.mark.parametrize(
    ("name", "member"),
    [
        ("slack_message_received", "slackMessage"),
        ("chat_received", "chat"),
        ("discord_message_received", "discordMessage"),
    ],
)
def test_teammate_who_writes_from_another_channel_is_an_agent(name: str, member: str) -> None:
    change = {f"payload.{member}.createdBy": {"actorType": "user", "userId": "u_1"}}
    (message,) = golden_messages(plain, name, change)
    assert message["properties"]["agent_id"] == "u_1"
    assert message["event"] in {"Ticket Replied", "Live Chat Message Received"}
