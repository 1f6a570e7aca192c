"""Behaviour of Pylon that its goldens do not cover."""

import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from translators.kit import Delivery
from translators.pylon import pylon
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Outcome, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(body: dict[str, Any]) -> Delivery:
    return Delivery(source="pylon", body=json.dumps(body).encode(), received_at=NOW)


def outcome_of(type_: str, **more: Any) -> Outcome:
    body = {"type": type_, "issue": {"id": "i1"}, "requester": {"id": "c1"}} | more
    ((_, outcome),) = outcomes(pylon, delivery(body))
    return outcome


def test_each_signature_scheme_accepts_only_its_own() -> None:
    body, now = b'{"type": "test"}', str(int(NOW.timestamp()))
    plain = hmac.new(b"pylon-secret", body, "sha256").hexdigest()
    stamped = hmac.new(b"pylon-secret", now.encode() + b"." + body, "sha256").hexdigest()
    sent = {
        "default": {"x-pylon-signature": plain},
        "timestamped": {"pylon-webhook-signature": f"hs256={stamped}", "pylon-webhook-timestamp": now},
        "token": {"x-segue-token": "pylon-secret"},
    }
    assert set(sent) == set(pylon.schemes)
    for name, scheme in pylon.schemes.items():
        for way, headers in sent.items():
            request = HttpRequest(body=body, headers=headers)
            assert verify(scheme, request, secrets=("pylon-secret",), now=NOW).ok == (name == way)


def test_key_is_the_message_id_or_the_digest_of_the_bytes() -> None:
    reply = {"type": "issue.customer_replied", "issue": {"id": "i1", "updated_at": "a"}, "message": {"id": "m1"}}
    later = {**reply, "issue": {"id": "i1", "updated_at": "b"}}
    assert (
        SourceRuntime(pylon).events(delivery(reply))[0].id
        == SourceRuntime(pylon).events(delivery(later))[0].id
        == "issue.customer_replied:m1"
    )
    closed, again = ({**body, "type": "issue.closed"} for body in (reply, later))
    assert SourceRuntime(pylon).events(delivery(closed))[0].id != SourceRuntime(pylon).events(delivery(again))[0].id


@pytest.mark.parametrize("flag", ["private", "automated"])
@pytest.mark.parametrize("printed", ["true", "True", True])
def test_a_note_or_an_automatic_message_is_never_sent(flag: str, printed: Any) -> None:
    for type_ in ("issue.agent_replied", "issue.customer_replied"):
        assert isinstance(outcome_of(type_, message={"id": "m1", flag: printed}), Ignored)
        assert isinstance(outcome_of(type_, message={"id": "m1", flag: "false"}), Translated)


def test_an_agents_chat_message_without_the_agent_is_a_reply() -> None:
    outcome = outcome_of("issue.agent_replied", issue={"id": "i1", "source": "chat_widget"}, message={"id": "m1"})
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["event"] == "Ticket Replied"


def test_an_issue_without_a_requester_is_ignored() -> None:
    outcome = outcome_of("issue.created", requester={"name": "Jeanne"})
    assert isinstance(outcome, Ignored)
    assert outcome.reason.startswith("no customer")


@pytest.mark.parametrize(("printed", "score"), [("5", 5), ("10", 10), ("Great", None), ("²", None), ("5000", None)])
def test_rating_has_a_score_if_it_is_a_small_number(printed: str, score: int | None) -> None:
    outcome = outcome_of("issue.rated", rating=printed)
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"].get("score") == score


def test_a_time_without_a_zone_is_no_time() -> None:
    """Pylon does not document the time format of its variables, so no zone is assumed."""
    for printed, clock in (("2026-10-05T09:00:00+02:00", "event"), ("2026-10-05 09:00:00", "received")):
        (event,) = SourceRuntime(pylon).events(
            delivery({"type": "issue.created", "at": printed, "issue": {"id": "i1"}})
        )
        assert event.clock == clock
