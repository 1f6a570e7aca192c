"""Translate web requests of automation rules, whose body is the template of docs/sources/jira.md.

https://support.atlassian.com/cloud-automation/docs/jira-automation-actions/#Send-web-request
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from translators.jira.issues import SERVICE
from translators.jira.person import account, site_of
from translators.jira.source import jira
from translators.kit import (
    Event,
    Identity,
    Malformed,
    Message,
    Payload,
    Skip,
    author_of,
    rating_fields,
    template_object,
    track,
)


def reporter(event: Event) -> Identity:
    """Return the reporter by the account id, Data Center's user key, or the e-mail address."""
    body = event.filled
    user = template_object(body, "reporter", page="jira", place="rule")
    email = user.text("email", "")
    traits = {"email": email} if "@" in email else {}
    own, key = user.id("id", ""), user.id("key", "")
    if own or key:
        person = account(own or key, "" if own else site_of(body.text("ticket.url", "")), traits)
    elif traits:
        person = Identity(anonymous=("email", email.strip().lower()), traits=traits)
    else:
        raise Skip("no customer: the ticket has no reporter")
    return replace(person, metadata=(user.texts("own"),))


@jira.tracks({
    "rule.ticket.created": "Ticket Created",
    "rule.ticket.assigned": "Ticket Assigned",
    "rule.ticket.solved": "Ticket Solved",
    "rule.ticket.reopened": "Ticket Reopened",
    "rule.ticket.status_changed": "Ticket Status Changed",
    "rule.ticket.priority_changed": "Ticket Priority Changed",
    "rule.ticket.sla_breached": "Ticket SLA Breached",
}, identity=reporter)  # fmt: skip
def ticket(event: Event) -> dict[str, Any]:
    """Return the ticket's properties."""
    body = event.filled
    return {
        **body.select(
            ticket_key="ticket.key", status_category="ticket.status_category", project_key="ticket.project",
            url="ticket.url", assignee_name="assignee.name", status="ticket.status:lower",
            priority="ticket.priority:lower",
        ),
        "type": body.text("ticket.type", "").lower().removeprefix(SERVICE) or None,
        **body.select("ticket.request_type:lower", "ticket.resolution:lower", ticket_id="ticket.id:id!"),
        "assignee_id": body.first("assignee.id:id", "assignee.key:id"),
    }  # fmt: skip


@jira.on("rule.ticket.replied")
def replied(event: Event) -> Iterator[Message]:
    """Report a reply. Without an author from the rule, the reporter is the customer and anyone else an agent."""
    body = event.filled
    internal = body.text("comment.internal", "").lower()
    if internal == "true":
        raise Skip("an internal comment")
    if internal != "false":
        raise Malformed(
            "$.comment.internal",
            "is neither true nor false, so a note looks like a reply: correct the template in the rule",
        )
    author = author_of(body.text("comment.author", "") or _author(body), "$.comment.author", ", or empty")
    properties = ticket(event) | {"message_id": body.opt.id("comment.id"), "author": author}
    if author == "agent":
        properties["agent_id"] = body.first("comment.author_id:id", "comment.author_key:id")
    yield track("Ticket Replied", properties, identity=_writer(body, author) or reporter(event))


def _writer(body: Payload, author: str) -> Identity | None:
    """Return the customer who wrote, if it was not the reporter but a participant of the request."""
    if author == "customer" and _author(body) != "customer":
        own, key = body.id("comment.author_id", ""), body.id("comment.author_key", "")
        return account(own or key, "" if own else site_of(body.text("ticket.url", "")), {})
    return None


def _author(body: Payload) -> str:
    pairs = (("comment.author_id", "reporter.id"), ("comment.author_key", "reporter.key"))
    ids = [(body.id(one, ""), body.id(other, "")) for one, other in pairs]
    if not any(one for one, _ in ids):
        raise Malformed(
            "$.comment.author_id",
            "is missing, and so is author_key: paste the template of docs/sources/jira.md into the rule",
        )
    return "customer" if any(one and one == other for one, other in ids) else "agent"


@jira.tracks({"rule.ticket.rated": "Satisfaction Rated"}, identity=reporter)
def rated(event: Event) -> dict[str, Any]:
    return ticket(event) | rating_fields(event.filled.text("rating"))
