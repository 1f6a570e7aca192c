"""What the goldens of Pylon cannot tell by themselves."""

import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from translators.kit import Delivery
from translators.pylon import pylon
from webhooks.signatures import Request, verify
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Outcome, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def delivery(body: dict[str, Any]) -> Delivery:
    return Delivery(source="pylon", body=json.dumps(body).encode(), received_at=NOW)


def told(type_: str, **more: Any) -> Outcome:
    body = {"type": type_, "issue": {"id": "i1"}, "requester": {"id": "c1"}} | more
    ((_, outcome),) = outcomes(pylon, delivery(body))
    return outcome


def test_each_way_of_signing_is_its_own() -> None:
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
            request = Request(body=body, headers=headers)
            assert verify(scheme, request, secrets=("pylon-secret",), now=NOW).ok == (name == way)


def test_a_message_is_named_by_its_id_and_anything_else_by_its_bytes() -> None:
    said = {"type": "issue.customer_replied", "issue": {"id": "i1", "updated_at": "a"}, "message": {"id": "m1"}}
    later = {**said, "issue": {"id": "i1", "updated_at": "b"}}
    assert pylon.events(delivery(said))[0].key == pylon.events(delivery(later))[0].key == "issue.customer_replied:m1"
    closed, again = ({**told, "type": "issue.closed"} for told in (said, later))
    assert pylon.events(delivery(closed))[0].key != pylon.events(delivery(again))[0].key


@pytest.mark.parametrize("flag", ["private", "automated"])
@pytest.mark.parametrize("printed", ["true", "True", True])
def test_a_note_or_an_automatic_message_is_never_sent(flag: str, printed: Any) -> None:
    for type_ in ("issue.agent_replied", "issue.customer_replied"):
        assert isinstance(told(type_, message={"id": "m1", flag: printed}), Ignored)
        assert isinstance(told(type_, message={"id": "m1", flag: "false"}), Translated)


def test_an_agents_chat_message_without_the_agent_is_a_reply() -> None:
    outcome = told("issue.agent_replied", issue={"id": "i1", "source": "chat_widget"}, message={"id": "m1"})
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["event"] == "Ticket Replied"


def test_an_issue_without_a_requester_is_ignored() -> None:
    outcome = told("issue.created", requester={"name": "Jeanne"})
    assert isinstance(outcome, Ignored)
    assert outcome.reason.startswith("no customer")


@pytest.mark.parametrize(("printed", "score"), [("5", 5), ("10", 10), ("Great", None), ("²", None), ("5000", None)])
def test_a_rating_has_a_score_where_it_is_a_small_number(printed: str, score: int | None) -> None:
    outcome = told("issue.rated", rating=printed)
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"].get("score") == score


def test_a_time_without_a_zone_is_no_time() -> None:
    """Pylon does not document how its variables print a time, so nothing is assumed of one."""
    for printed, clock in (("2026-10-05T09:00:00+02:00", "event"), ("2026-10-05 09:00:00", "received")):
        (event,) = pylon.events(delivery({"type": "issue.created", "at": printed, "issue": {"id": "i1"}}))
        assert event.clock == clock
