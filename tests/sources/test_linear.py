"""Behaviour of Linear that its goldens do not cover."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from support.outcomes import changed_golden, golden_messages, send_signed
from translators.kit import Delivery, Refused
from translators.linear import linear
from webhooks.http.request import HttpRequest
from webhooks.signatures import Fault, sign, verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Broken, Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCHEME = linear.schemes["default"]
AT = "2026-10-05T11:42:07.118Z"
LONG_AGO = "2026-10-01T08:00:00.000Z"


def delivery(body: dict[str, Any], headers: dict[str, str] | None = None, **options: str) -> Delivery:
    return Delivery(
        source="linear",
        body=json.dumps(body).encode(),
        received_at=NOW,
        headers=headers or {},
        options=linear.defaults() | options,
    )


def body_of(type_: str, action: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": type_, "action": action, "createdAt": AT, "organizationId": "o", "data": data} | more


def updated(was: dict[str, Any], **issue: Any) -> dict[str, Any]:
    state = {"id": "s", "name": "Done", "type": "completed"}
    return body_of("Issue", "update", {"id": "i", "state": state, "creatorId": "u"} | issue, updatedFrom=was)


def names(body: dict[str, Any]) -> list[str]:
    ((_, outcome),) = outcomes(linear, delivery(body))
    assert isinstance(outcome, Translated), outcome
    return [message["event"] for message in outcome.messages]


@pytest.mark.parametrize(
    ("was", "issue", "name"),
    [
        ({"stateId": "x", "completedAt": None}, {"completedAt": AT}, "Ticket Solved"),
        ({"stateId": "x"}, {"completedAt": AT}, "Ticket Solved"),  # the end time is not in updatedFrom, but new
        ({"stateId": "x"}, {"completedAt": LONG_AGO}, "Ticket Status Changed"),  # from one done state to another
        (
            {"stateId": "x", "completedAt": LONG_AGO},
            {"state": {"id": "s", "name": "Todo", "type": "unstarted"}},
            "Ticket Reopened",
        ),
        (
            {"stateId": "x", "canceledAt": LONG_AGO},
            {"state": {"id": "s", "name": "Triage", "type": "triage"}},
            "Ticket Reopened",
        ),
        ({"stateId": "x"}, {"state": {"id": "s", "name": "Todo", "type": "unstarted"}}, "Ticket Status Changed"),
        (
            {"stateId": "x", "canceledAt": None},
            {"state": {"id": "s", "name": "Duplicate", "type": "duplicate"}, "canceledAt": AT},
            "Ticket Solved",
        ),
    ],
)
def test_solved_and_reopened_depend_on_the_old_end_times(was: dict[str, Any], issue: dict[str, Any], name: str) -> None:
    assert names(updated(was, **issue)) == [name]


@pytest.mark.parametrize(
    ("was", "word"),
    [({"priority": 0}, "no priority"), ({"priority": 4, "priorityLabel": "Low"}, "low"), ({"priority": 9}, None)],
)
def test_old_priority_is_sent_as_a_word(was: dict[str, Any], word: str | None) -> None:
    ((_, outcome),) = outcomes(linear, delivery(updated(was)))
    assert isinstance(outcome, Translated)
    assert outcome.messages[0]["properties"].get("previous_priority") == word


def test_signature_time_is_the_bodys_within_one_minute() -> None:
    for age, fault in ((59, Fault.NONE), (61, Fault.CLOCK), (-61, Fault.CLOCK)):
        signed = sign(SCHEME, body=b"{}", secret="s", now=NOW - timedelta(seconds=age))
        headers = dict(signed.headers)
        verdict = verify(SCHEME, HttpRequest(body=signed.body, headers=headers), secrets=("s",), now=NOW)
        assert verdict.fault is fault


def test_another_attempt_is_the_same_event_with_and_without_the_header() -> None:
    body = body_of("Issue", "create", {"id": "i", "creatorId": "u"})
    for headers in ({"linear-delivery": "d-1"}, {}):
        first, again = (
            SourceRuntime(linear).events(delivery(body | {"webhookTimestamp": sent}, headers))[0].id
            for sent in (1791190812990, 2)
        )
        assert first == again
    other = body_of("Issue", "create", {"id": "j", "creatorId": "u"})
    assert SourceRuntime(linear).events(delivery(body))[0].id != SourceRuntime(linear).events(delivery(other))[0].id


def test_other_workspace_than_configured_is_refused() -> None:
    body = body_of("Issue", "create", {"id": "i"})
    SourceRuntime(linear).guard(delivery(body))
    SourceRuntime(linear).guard(delivery(body, organization_id="o"))
    for foreign in (body | {"organizationId": "p"}, {"type": "Issue"}):
        with pytest.raises(Refused):
            SourceRuntime(linear).guard(delivery(foreign, organization_id="o"))


def test_comment_without_an_author_is_ignored() -> None:
    ((_, outcome),) = outcomes(linear, delivery(body_of("Comment", "create", {"id": "c", "issueId": "i"})))
    assert isinstance(outcome, Ignored)
    assert "bot" in outcome.reason


def test_updated_from_must_be_an_object() -> None:
    ((_, outcome),) = outcomes(linear, delivery(updated([])))  # type: ignore[arg-type]
    assert isinstance(outcome, Broken)
    assert "$.updatedFrom" in outcome.reason


def test_a_linear_change_of_two_webhooks_is_stored_once(tmp_path: Path) -> None:
    body = json.loads(changed_golden(linear, "Issue.create").body)
    requests = [
        (json.dumps(body | {"webhookId": name, "webhookTimestamp": int(NOW.timestamp() * 1000)}).encode(),
         {"Linear-Delivery": name})
        for name in ("of-the-team", "of-the-workspace")
    ]  # fmt: skip
    assert send_signed(tmp_path, linear, *requests) == ([200, 200], 1)


def test_an_empty_text_in_a_list_is_no_trait() -> None:
    (message,) = golden_messages(
        linear, "Customer.create", {"data.domains": ["", "acme.example"], "data.externalIds": [""]}
    )
    assert message["traits"]["domains"] == ["acme.example"]
    assert message["traits"]["external_ids"] == []


def test_an_event_without_an_object_id_is_named_by_its_delivery_else_by_its_time() -> None:
    body = body_of("OAuthApp", "revoked", {})
    (delivered,) = SourceRuntime(linear).events(delivery(body, {"linear-delivery": "d1"}))
    (bare,) = SourceRuntime(linear).events(delivery(body))
    assert (delivered.id, bare.id) == ("d1", f"o:OAuthApp.revoked::{AT}")
