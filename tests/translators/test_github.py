"""What the goldens of GitHub cannot tell by themselves."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from translators.github import github
from translators.kit import Delivery, Malformed
from unreadable import problem
from webhooks.signatures import Request, verify
from webhooks.transcript import outcomes
from webhooks.translate import Ignored, Translated

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
STAR = {"action": "created", "starred_at": "2026-10-05T09:00:00Z", "sender": {"id": 1, "type": "User"}}


def delivery(body: bytes, event: str = "star", guid: str = "guid-1") -> Delivery:
    headers = {"x-github-event": event, "x-github-delivery": guid}
    return Delivery(source="github", body=body, received_at=NOW, headers=headers)


def test_json_and_form_are_the_same_event() -> None:
    told = json.dumps(STAR)
    (plain,) = github.events(delivery(told.encode()))
    (form,) = github.events(delivery(urlencode({"payload": told}).encode()))
    assert (plain.key, plain.type, plain.occurred_at, plain.raw) == (form.key, form.type, form.occurred_at, form.raw)


@pytest.mark.parametrize("missing", ["x-github-event", "x-github-delivery"])
def test_a_delivery_without_its_naming_headers_is_malformed(missing: str) -> None:
    sent = delivery(json.dumps(STAR).encode())
    headers = {name: value for name, value in sent.headers.items() if name != missing}
    unnamed = Delivery(source="github", body=sent.body, received_at=NOW, headers=headers)
    assert "X-GitHub-Delivery" in problem(github, unnamed)


@pytest.mark.parametrize("body", [b"payload=", b"payload=%7B", b"", b"[]"])
def test_a_body_that_is_no_object_is_never_a_message(body: bytes) -> None:
    try:
        told = outcomes(github, delivery(body))
    except Malformed:
        return
    assert not [outcome for _, outcome in told if hasattr(outcome, "messages")]


@pytest.mark.parametrize("body", [{"zen": "x"}, {"zen": "x", "sender": {"id": 1, "type": "User"}}])
def test_a_ping_is_never_forwarded(body: dict[str, Any]) -> None:
    ((_, outcome),) = outcomes(github, delivery(json.dumps(body).encode(), event="ping"))
    assert isinstance(outcome, Ignored)


def test_the_signature_that_github_publishes_is_accepted() -> None:
    """https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries"""
    signed = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    request = Request(body=b"Hello, World!", headers={"x-hub-signature-256": signed})
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
def test_what_a_person_did_is_not_ignored_as_a_machines_work(event: str, action: str | None) -> None:
    body = {"sender": {"id": 1, "type": "User"}} | ({"action": action} if action else {})
    ((_, outcome),) = outcomes(github, delivery(json.dumps(body).encode(), event=event))
    assert isinstance(outcome, Ignored), outcome
    assert not {"machine", "no person", "nobody", "told"} & set(outcome.reason.replace("'s", "").split()), (
        outcome.reason
    )


def bought(
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


def test_a_marketplace_purchase_says_plan_amount_and_who() -> None:
    (message,) = bought("purchased")
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


def test_a_yearly_purchase_has_the_yearly_price() -> None:
    (message,) = bought("purchased", billing_cycle="yearly")
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
def test_each_change_of_a_marketplace_purchase_has_its_event(action: str, purchase: Any, events: list[str]) -> None:
    assert [message["event"] for message in bought(action, **purchase)] == events


def test_a_purchase_that_a_bot_reports_is_the_accounts() -> None:
    (of_user,) = bought("cancelled", sender="Bot", account="User")
    (by_user,) = bought("cancelled", sender="User")
    (of_organisation,) = bought("cancelled", sender="Bot")
    assert len({message["anonymousId"] for message in (of_user, by_user, of_organisation)}) == 3
    assert "traits" not in of_organisation["context"]


def test_what_nobody_is_named_for_is_ignored() -> None:
    body = {"action": "opened", "issue": {"id": 1, "created_at": "2026-10-05T09:00:00Z"}, "sender": None}
    headers = {"x-github-event": "issues", "x-github-delivery": "d1"}
    sent = Delivery(source="github", body=json.dumps(body).encode(), received_at=NOW, headers=headers)
    ((_, outcome),) = outcomes(github, sent)
    assert outcome == Ignored("no person: GitHub names no sender")
