"""Translate web requests of automation rules, whose body is the template of docs/sources/jira.md.

https://support.atlassian.com/cloud-automation/docs/jira-automation-actions/#Send-web-request
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

from translators.jira.issues import SERVICE, lower
from translators.jira.person import account, site_of
from translators.jira.source import jira
from translators.kit import BLANK, Event, Identity, Malformed, Message, Payload, Skip, filled, track

_NAMES: Final = {
    "rule.ticket.created": "Ticket Created",
    "rule.ticket.assigned": "Ticket Assigned",
    "rule.ticket.solved": "Ticket Solved",
    "rule.ticket.reopened": "Ticket Reopened",
    "rule.ticket.status_changed": "Ticket Status Changed",
    "rule.ticket.priority_changed": "Ticket Priority Changed",
    "rule.ticket.sla_breached": "Ticket SLA Breached",
}


def reporter(event: Event) -> Identity:
    """Return the reporter by the account id, Data Center's user key, or the e-mail address."""
    body = filled(event.body, blank=BLANK)
    if "reporter" not in body.value:
        raise Malformed("$.reporter", "is missing: paste the template of docs/sources/jira.md into the rule")
    user = body.maybe("reporter")
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


def _ticket(event: Event) -> dict[str, Any]:
    body = filled(event.body, blank=BLANK)
    properties = body.select(
        ticket_key="ticket.key", status_category="ticket.status_category", project_key="ticket.project",
        url="ticket.url", assignee_name="assignee.name",
    )  # fmt: skip
    for name in ("status", "priority", "type", "request_type", "resolution"):
        properties[name] = lower(body, f"ticket.{name}")
    properties["type"] = (properties.get("type") or "").removeprefix(SERVICE) or None
    assignee = body.opt.id("assignee.id") or body.opt.id("assignee.key")
    return properties | {"ticket_id": body.id("ticket.id"), "assignee_id": assignee}


@jira.on(*_NAMES)
def ticket_changed(event: Event) -> Iterator[Message]:
    yield track(_NAMES[event.type], _ticket(event), identity=reporter(event))


@jira.on("rule.ticket.replied")
def replied(event: Event) -> Iterator[Message]:
    """Report a reply. Without an author from the rule, the reporter is the customer and anyone else an agent."""
    body = filled(event.body, blank=BLANK)
    internal = body.text("comment.internal", "").lower()
    if internal == "true":
        raise Skip("an internal comment")
    if internal != "false":
        raise Malformed(
            "$.comment.internal",
            "is neither true nor false, so a note looks like a reply: correct the template in the rule",
        )
    author = body.opt.text("comment.author") or _author(body)
    if author not in {"customer", "agent"}:
        raise Malformed("$.comment.author", "must be customer or agent, or empty")
    properties = _ticket(event) | {"message_id": body.opt.id("comment.id"), "author": author}
    if author == "agent":
        properties["agent_id"] = body.opt.id("comment.author_id") or body.opt.id("comment.author_key")
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


@jira.on("rule.ticket.rated")
def rated(event: Event) -> Iterator[Message]:
    rating = filled(event.body, blank=BLANK).text("rating")
    score = int(rating) if re.fullmatch(r"[0-9]{1,2}", rating) else None
    yield track(
        "Satisfaction Rated", {**_ticket(event), "rating": rating.lower(), "score": score}, identity=reporter(event)
    )
