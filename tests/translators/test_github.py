"""What the goldens of GitHub cannot tell by themselves."""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from translators.github import github
from translators.kit import Delivery, Malformed
from unreadable import problem
from webhooks.signatures import Request, verify
from webhooks.transcript import outcomes
from webhooks.translate import Ignored

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
