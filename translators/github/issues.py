"""Issues and pull requests, their comments and reviews. Texts are not sent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.github.repositories import repository
from translators.github.source import github
from translators.kit import Event, Message, track


@github.tracks({"issues.opened": "Issue Opened", "issues.closed": "Issue Closed", "issues.reopened": "Issue Reopened"})
def issue(event: Event) -> dict[str, Any]:
    record = event.body.object("issue")
    return {
        **repository(event),
        **record.select(
            issue_id="id:id!",
            issue_number="number:id",
            subject="title:text",
            status="state:text",
            status_reason="state_reason:text",
        ),
        "tags": record.texts_of("labels", "name"),
        "url": record.opt.text("html_url"),
    }


@github.tracks({"issue_comment.created": "Issue Commented"})
def commented(event: Event) -> dict[str, Any]:
    """Report a comment; `on` is issue or pull_request, because a pull request is an issue too."""
    on = "pull_request" if "issue.pull_request" in event.body else "issue"
    return {**issue(event), "message_id": event.body.id("comment.id"), "on": on}


@github.tracks({"pull_request.opened": "Pull Request Opened", "pull_request.reopened": "Pull Request Reopened"})
def pull_request(event: Event) -> dict[str, Any]:
    record = event.body.object("pull_request")
    return {
        **repository(event),
        **record.select(
            pull_request_id="id:id!",
            pull_request_number="number:id",
            subject="title:text",
            status="state:text",
            draft="draft:flag",
        ),
        "tags": record.texts_of("labels", "name"),
        **record.select(url="html_url:text", author="user.login:text"),
    }


@github.on("pull_request.closed")
def pull_request_closed(event: Event) -> Iterator[Message]:
    merged = event.body.flag("pull_request.merged", default=False)
    yield track("Pull Request Merged" if merged else "Pull Request Closed", pull_request(event))


@github.tracks({"pull_request_review.submitted": "Pull Request Reviewed"})
def reviewed(event: Event) -> dict[str, Any]:
    review = event.body.object("review")
    state = review.text("state").lower()
    return {**pull_request(event), "message_id": review.id("id"), "review_state": state}
