"""GitHub -> Segment. https://docs.github.com/en/webhooks/webhook-events-and-payloads

The type is the header X-GitHub-Event with the body's `action`: `issues.opened`, `push`. The body is JSON, or a
form with the JSON in `payload`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from translators.kit import (
    Clock,
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Message,
    Need,
    Payload,
    Registered,
    Registering,
    Skip,
    Source,
    bearer,
    json_call,
    parse_form,
    track,
)

github = Source(
    "github",
    title="GitHub",
    docs="https://docs.github.com/en/webhooks/webhook-events-and-payloads",
    secret_help="the secret you gave the webhook (repository, organisation or app > Settings > Webhooks)",
    scheme=HmacBody(header="X-Hub-Signature-256", prefix="sha256="),
    keep_headers=["X-GitHub-Event", "X-GitHub-Delivery"],
)

_TIMES: Final[dict[str, tuple[str, Clock]]] = {
    "star.created": ("starred_at", "event"),
    "fork": ("forkee.created_at", "event"),
    "push": ("repository.pushed_at", "event"),
    "issues.opened": ("issue.created_at", "event"),
    "issues.closed": ("issue.closed_at", "event"),
    "issues.reopened": ("issue.updated_at", "record"),
    "issue_comment.created": ("comment.created_at", "event"),
    "pull_request.opened": ("pull_request.created_at", "event"),
    "pull_request.closed": ("pull_request.closed_at", "event"),
    "pull_request.reopened": ("pull_request.updated_at", "record"),
    "pull_request_review.submitted": ("review.submitted_at", "event"),
    "release.published": ("release.published_at", "event"),
    "installation.created": ("installation.created_at", "event"),
    "marketplace_purchase.purchased": ("effective_date", "event"),
    "marketplace_purchase.changed": ("effective_date", "event"),
    "marketplace_purchase.cancelled": ("effective_date", "event"),
}

_SERVER: Final = re.compile(r"https?://(?!github\.com/)([^/]+)/")


@github.split
def split(delivery: Delivery) -> list[bytes | Item]:
    """Return the JSON, out of its form if GitHub is set to send one."""
    if not delivery.body.startswith(b"payload="):
        return [delivery.body]
    return [parse_form(delivery.body).get("payload", "").encode()]


@github.head
def head(item: Item) -> Head:
    """Use the delivery's GUID, the same on redelivery. GitHub events have no time, so use the object's."""
    key, name = item.headers.get("x-github-delivery", ""), item.headers.get("x-github-event", "")
    if not key or not name:
        raise Malformed("$", "has no headers X-GitHub-Delivery and X-GitHub-Event")
    action = item.body.opt.text("action")
    type_ = f"{name}.{action}" if action else name
    path, clock = _TIMES.get(type_, ("", "event"))
    return Head(id=key, type=type_, occurred_at=_time(item.body, path), clock=clock)


def _time(body: Payload, path: str) -> datetime | None:
    return body.opt.when(path) if path else None


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
        traits={"username": login} if login else {},
    )


@github.skip_if
def people_only(event: Event) -> str | None:
    """Skip what a bot did, except a purchase, which belongs to its account."""
    if event.body.get("sender.type") == "Bot" and not event.type.startswith("marketplace_purchase."):
        return "done by a bot"
    return None


@github.registration(
    Need("token", "GITHUB_TOKEN", "a token that may write webhooks (admin:repo_hook, or admin:org_hook)"),
    Need("target", "GITHUB_TARGET", "acme/shop for one repository, acme for a whole organisation", secret=False),
)
def register(at: Registering) -> Registered:
    """Create a webhook of a repository or organisation.

    https://docs.github.com/en/rest/repos/webhooks#create-a-repository-webhook, and /rest/orgs/webhooks.
    GitHub sends `installation` only to the webhook in an app's own settings, and `marketplace_purchase` only to that of
    a Marketplace listing.
    """
    target = at.values["target"]
    hook = {
        "name": "web",
        "active": True,
        "events": sorted({type_.partition(".")[0] for type_ in at.types} - {"installation", "marketplace_purchase"}),
        "config": {"url": at.url, "content_type": "json", "secret": at.secret, "insecure_ssl": "0"},
    }
    url = f"https://api.github.com/{'repos' if '/' in target else 'orgs'}/{target}/hooks"
    yield json_call("POST", url, bearer(at.values["token"]) | {"X-GitHub-Api-Version": "2022-11-28"}, hook)
    return at.secret


def _repository(event: Event) -> dict[str, Any]:
    repository = event.body.maybe("repository")
    return {
        **repository.select(repository_id="id:id", repository_name="full_name:text", private="private:flag"),
        "organization": event.body.opt.text("organization.login"),
    }


def _labels(record: Payload) -> list[str]:
    return record.texts_of("labels", "name")


@github.on("star.created")
def starred(event: Event) -> Iterator[Message]:
    yield track("Repository Starred", _repository(event))


@github.on("star.deleted")
def unstarred(event: Event) -> Iterator[Message]:
    yield track("Repository Unstarred", _repository(event))


@github.on("fork")
def forked(event: Event) -> Iterator[Message]:
    fork = event.body.object("forkee")
    yield track(
        "Repository Forked",
        {**_repository(event), "fork_name": fork.text("full_name"), "url": fork.opt.text("html_url")},
    )


@github.on("push")
def pushed(event: Event) -> Iterator[Message]:
    body = event.body
    if body.flag("deleted", default=False):
        raise Skip("a branch or tag was deleted; nothing was pushed")
    yield track(
        "Code Pushed",
        {
            **_repository(event),
            "ref": body.text("ref"),
            "commit_id": body.opt.text("after"),
            "commits": len(list(body.each("commits"))),
            "forced": body.opt.flag("forced"),
        },
    )


def _issue(event: Event) -> dict[str, Any]:
    issue = event.body.object("issue")
    return {
        **_repository(event),
        "issue_id": issue.id("id"),
        **issue.select(
            issue_number="number:id", subject="title:text", status="state:text", status_reason="state_reason:text"
        ),
        "tags": _labels(issue),
        "url": issue.opt.text("html_url"),
    }


@github.on("issues.opened")
def issue_opened(event: Event) -> Iterator[Message]:
    yield track("Issue Opened", _issue(event))


@github.on("issues.closed")
def issue_closed(event: Event) -> Iterator[Message]:
    yield track("Issue Closed", _issue(event))


@github.on("issues.reopened")
def issue_reopened(event: Event) -> Iterator[Message]:
    yield track("Issue Reopened", _issue(event))


@github.on("issue_comment.created")
def commented(event: Event) -> Iterator[Message]:
    """Report a comment; `on` is issue or pull_request, because a pull request is an issue too."""
    on = "pull_request" if "issue.pull_request" in event.body else "issue"
    yield track("Issue Commented", {**_issue(event), "message_id": event.body.id("comment.id"), "on": on})


def _pull_request(event: Event) -> dict[str, Any]:
    pull = event.body.object("pull_request")
    return {
        **_repository(event),
        "pull_request_id": pull.id("id"),
        **pull.select(pull_request_number="number:id", subject="title:text", status="state:text", draft="draft:flag"),
        "tags": _labels(pull),
        **pull.select(url="html_url:text", author="user.login:text"),
    }


@github.on("pull_request.opened")
def pull_opened(event: Event) -> Iterator[Message]:
    yield track("Pull Request Opened", _pull_request(event))


@github.on("pull_request.closed")
def pull_closed(event: Event) -> Iterator[Message]:
    merged = event.body.flag("pull_request.merged", default=False)
    yield track("Pull Request Merged" if merged else "Pull Request Closed", _pull_request(event))


@github.on("pull_request.reopened")
def pull_reopened(event: Event) -> Iterator[Message]:
    yield track("Pull Request Reopened", _pull_request(event))


@github.on("pull_request_review.submitted")
def reviewed(event: Event) -> Iterator[Message]:
    review = event.body.object("review")
    state = review.text("state").lower()
    yield track("Pull Request Reviewed", {**_pull_request(event), "message_id": review.id("id"), "review_state": state})


@github.on("release.published")
def released(event: Event) -> Iterator[Message]:
    release = event.body.object("release")
    yield track(
        "Release Published",
        {
            **_repository(event),
            "release_id": release.id("id"),
            **release.select(
                release_name="name:text", tag="tag_name:text", prerelease="prerelease:flag", url="html_url:text"
            ),
        },
    )


def _installation(event: Event) -> dict[str, Any]:
    installed = event.body.object("installation")
    return {
        "installation_id": installed.id("id"),
        **installed.select(
            "app_id:id",
            app_name="app_slug:text",
            account_id="account.id:id",
            account_name="account.login:text",
            account_type="account.type:text",
        ),
    }


@github.on("installation.created")
def installed(event: Event) -> Iterator[Message]:
    yield track("App Installed", _installation(event))


@github.on("installation.deleted")
def uninstalled(event: Event) -> Iterator[Message]:
    yield track("App Uninstalled", _installation(event))
