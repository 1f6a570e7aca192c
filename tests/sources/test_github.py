"""GitHub behaviour that the goldens do not cover."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from support.outcomes import message_of
from support.unreadable import problem
from translators.github import github
from translators.kit import Delivery, Malformed
from webhooks.http.request import HttpRequest
from webhooks.signatures import verify
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import outcomes
from webhooks.translation.translate import Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STAR = {"action": "created", "starred_at": "2026-10-05T09:00:00Z", "sender": {"id": 1, "type": "User"}}


def delivery(body: bytes, event: str = "star", guid: str = "guid-1") -> Delivery:
    headers = {"x-github-event": event, "x-github-delivery": guid}
    return Delivery(source="github", body=body, received_at=NOW, headers=headers)


def test_json_and_form_are_the_same_event() -> None:
    payload = json.dumps(STAR)
    (plain,) = SourceRuntime(github).events(delivery(payload.encode()))
    (form,) = SourceRuntime(github).events(delivery(urlencode({"payload": payload}).encode()))
    assert (plain.id, plain.type, plain.occurred_at, plain.raw) == (form.id, form.type, form.occurred_at, form.raw)


@pytest.mark.parametrize("missing", ["x-github-event", "x-github-delivery"])
def test_delivery_without_event_or_delivery_header_is_malformed(missing: str) -> None:
    sent = delivery(json.dumps(STAR).encode())
    headers = {name: value for name, value in sent.headers.items() if name != missing}
    unnamed = Delivery(source="github", body=sent.body, received_at=NOW, headers=headers)
    assert "X-GitHub-Delivery" in problem(github, unnamed)


@pytest.mark.parametrize("body", [b"payload=", b"payload=%7B", b"", b"[]"])
def test_body_without_an_object_makes_no_message(body: bytes) -> None:
    try:
        results = outcomes(github, delivery(body))
    except Malformed:
        return
    assert not [outcome for _, outcome in results if hasattr(outcome, "messages")]


@pytest.mark.parametrize("body", [{"zen": "x"}, {"zen": "x", "sender": {"id": 1, "type": "User"}}])
def test_ping_is_ignored(body: dict[str, Any]) -> None:
    ((_, outcome),) = outcomes(github, delivery(json.dumps(body).encode(), event="ping"))
    assert isinstance(outcome, Ignored)


def test_published_example_signature_is_accepted() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    request = HttpRequest(body=b"Hello, World!", headers={"x-hub-signature-256": signed})
    assert verify(github.schemes["default"], request, ["It's a Secret to Everybody"], now=NOW).ok


@pytest.mark.parametrize(
    ("event", "action"),
    [
        ("workflow_dispatch", None), ("check_run", "requested_action"), ("deployment_review", "approved"),
        ("repository_dispatch", "deploy"), ("custom_property_values", "updated"), ("security_and_analysis", None),
        ("code_scanning_alert", "closed_by_user"), ("repository_advisory", "reported"), ("package", "published"),
        ("installation", "suspend"), ("github_app_authorization", "revoked"), ("pull_request_review", "dismissed"),
        ("issues", "transferred"), ("release", "created"), ("create", None), ("member", "added"),
    ],
)  # fmt: skip
def test_reason_for_an_ignored_action_of_a_person_blames_no_machine(event: str, action: str | None) -> None:
    body = {"sender": {"id": 1, "type": "User"}} | ({"action": action} if action else {})
    ((_, outcome),) = outcomes(github, delivery(json.dumps(body).encode(), event=event))
    assert isinstance(outcome, Ignored), outcome
    assert "machine" not in outcome.reason
    assert "no person" not in outcome.reason


def purchase_messages(
    action: str, *, sender: str = "User", account: str = "Organization", **purchase: Any
) -> list[dict[str, Any]]:
    plan = {
        "id": 1,
        "name": "Pro",
        "monthly_price_in_cents": 1050,
        "yearly_price_in_cents": 10000,
        "price_model": "per-unit",
    }
    current = {
        "account": {"id": 77, "type": account, "login": "globex"},
        "plan": plan, "billing_cycle": "monthly", "unit_count": 3, "on_free_trial": False,
    }  # fmt: skip
    before = current | {"unit_count": 2}
    body = {
        "action": action,
        "effective_date": "2026-10-05T00:00:00+00:00",
        "sender": {"id": 1, "type": sender, "login": "jane"},
        "marketplace_purchase": current | purchase,
        "previous_marketplace_purchase": before,
    }
    ((_, outcome),) = outcomes(github, delivery(json.dumps(body).encode(), event="marketplace_purchase"))
    assert isinstance(outcome, Translated), outcome
    return outcome.messages


def test_marketplace_purchase_has_plan_amount_and_buyer() -> None:
    (message,) = purchase_messages("purchased")
    assert (message["event"], message["timestamp"]) == ("Subscription Started", "2026-10-05T00:00:00.000Z")
    properties = message["properties"]
    assert (properties["plan_id"], properties["plan_name"], properties["quantity"]) == ("1", "Pro", 3)
    assert (properties["amount"], properties["currency"], properties["plan_interval"]) == (
        Decimal("10.50"),
        "USD",
        "month",
    )
    assert message["context"]["groupId"] == "77"
    assert message["context"]["traits"] == {"username": "jane"}
    assert "revenue" not in properties


def test_yearly_purchase_has_the_yearly_price() -> None:
    (message,) = purchase_messages("purchased", billing_cycle="yearly")
    assert (message["properties"]["amount"], message["properties"]["plan_interval"]) == (Decimal("100.00"), "year")


@pytest.mark.parametrize(
    ("action", "purchase", "events"),
    [
        ("purchased", {"on_free_trial": True}, ["Subscription Started", "Trial Started"]),
        ("changed", {}, ["Subscription Plan Changed"]),
        ("changed", {"unit_count": 2}, ["Subscription Updated"]),
        ("cancelled", {}, ["Subscription Cancelled"]),
        ("pending_change", {}, ["Subscription Updated"]),
        ("pending_change_cancelled", {}, ["Subscription Updated"]),
    ],
)
def test_changes_of_a_marketplace_purchase_have_their_events(action: str, purchase: Any, events: list[str]) -> None:
    assert [message["event"] for message in purchase_messages(action, **purchase)] == events


def test_purchase_reported_by_a_bot_belongs_to_the_account() -> None:
    (of_user,) = purchase_messages("cancelled", sender="Bot", account="User")
    (by_user,) = purchase_messages("cancelled", sender="User")
    (of_organisation,) = purchase_messages("cancelled", sender="Bot")
    assert len({message["anonymousId"] for message in (of_user, by_user, of_organisation)}) == 3
    assert "traits" not in of_organisation["context"]


def test_event_without_a_sender_is_ignored() -> None:
    body = {"action": "opened", "issue": {"id": 1, "created_at": "2026-10-05T09:00:00Z"}, "sender": None}
    headers = {"x-github-event": "issues", "x-github-delivery": "d1"}
    sent = Delivery(source="github", body=json.dumps(body).encode(), received_at=NOW, headers=headers)
    ((_, outcome),) = outcomes(github, sent)
    assert outcome == Ignored("no person: GitHub names no sender")


def test_same_user_number_on_two_github_servers_is_two_people() -> None:
    def person(url: str | None) -> tuple[str, str]:
        body = {"action": "created", "sender": {"id": 7, "type": "User", "html_url": url}}
        headers = {"x-github-event": "star", "x-github-delivery": "1"}
        message = message_of(github, body, headers=headers)
        return message["anonymousId"], message["context"]["externalIds"][0]["id"]

    public = person("https://github.com/jane")
    assert public == person(None) == (public[0], "7")
    enterprise = person("https://git.acme.example/jane")
    assert set(enterprise).isdisjoint(public)
    assert set(enterprise).isdisjoint(person("https://git.globex.example/jane"))
