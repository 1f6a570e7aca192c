"""Signature, ids, times and identity of GitHub's events. https://docs.github.com/en/webhooks/webhook-events-and-payloads

The type is the header X-GitHub-Event with the body's `action`: `issues.opened`, `push`. The body is JSON, or a
form with the JSON in `payload`.
"""

from __future__ import annotations

import re
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Skip,
    Source,
)

github = Source(
    "github",
    title="GitHub",
    docs="https://docs.github.com/en/webhooks/webhook-events-and-payloads",
    secret_help="the secret you gave the webhook (repository, organisation or app > Settings > Webhooks)",
    scheme=HmacBody(header="X-Hub-Signature-256", prefix="sha256="),
    keep_headers=["X-GitHub-Event", "X-GitHub-Delivery"],
)

_TIMES: Final = {
    "star.created": "starred_at",
    "fork": "forkee.created_at",
    "push": "repository.pushed_at",
    "issues.opened": "issue.created_at",
    "issues.closed": "issue.closed_at",
    "issues.reopened": "issue.updated_at",
    "issue_comment.created": "comment.created_at",
    "pull_request.opened": "pull_request.created_at",
    "pull_request.closed": "pull_request.closed_at",
    "pull_request.reopened": "pull_request.updated_at",
    "pull_request_review.submitted": "review.submitted_at",
    "release.published": "release.published_at",
    "installation.created": "installation.created_at",
    "marketplace_purchase.purchased": "effective_date",
    "marketplace_purchase.changed": "effective_date",
    "marketplace_purchase.cancelled": "effective_date",
}

_SERVER: Final = re.compile(r"https?://(?!github\.com/)([^/]+)/")


@github.split
def split(delivery: Delivery) -> list[bytes | Item]:
    """Return the JSON, out of its form if GitHub is set to send one."""
    if not delivery.body.startswith(b"payload="):
        return [delivery.body]
    return [delivery.form.get("payload", "").encode()]


@github.head
def head(item: Item) -> Head:
    """Use the delivery's GUID, the same on redelivery. GitHub events have no time, so use the object's."""
    key, name = item.headers.get("x-github-delivery", ""), item.headers.get("x-github-event", "")
    if not key or not name:
        raise Malformed("$", "has no headers X-GitHub-Delivery and X-GitHub-Event")
    action = item.body.opt.text("action")
    type_ = f"{name}.{action}" if action else name
    path = _TIMES.get(type_, "")
    return Head(
        id=key,
        type=type_,
        occurred_at=item.body.opt.when(path) if path else None,
        clock="record" if path.endswith(".updated_at") else "event",
    )


@github.identity
def identity(event: Event) -> Identity:
    """Use the sender's numeric id, since a login can change. An Enterprise Server has its own numbers."""
    sender = event.body.maybe("sender")
    if not sender:
        raise Skip("no person: GitHub names no sender")
    user_id, login = sender.id("id"), sender.opt.text("login")
    server = _SERVER.match(sender.text("html_url", ""))
    id_ = f"{server[1]}|{user_id}" if server else user_id
    return Identity(
        anonymous=("user", id_),
        external_ids=(ExternalId("github_user_id", id_),),
        traits={"username": login},
    )


@github.skip_if
def people_only(event: Event) -> str | None:
    """Skip what a bot did, except a purchase, which belongs to its account."""
    if event.body.get("sender.type") == "Bot" and not event.type.startswith("marketplace_purchase."):
        return "done by a bot"
    return None
