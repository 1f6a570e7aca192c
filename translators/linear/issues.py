"""Translate issues to tickets, and their comments, reactions and service levels."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any, Final

from translators.kit import Event, Malformed, Message, Payload, Skip, reply, track
from translators.linear.source import about, linear, writer

_DONE: Final = {"completed", "canceled", "duplicate"}
_ENDS: Final = ("completedAt", "canceledAt")
_REPORTED: Final = {"stateId", "assigneeId", "teamId", "priority", "priorityLabel"}
_SKIPPED: Final = {
    "subscriberIds", "previousIdentifiers", "number", "identifier", "syncedWith", "botActor", "trashed",
}  # fmt: skip
# Times, places in a list, and derived copies: Linear's own book-keeping
_SKIPPED_ENDINGS: Final = ("At", "Order", "Data")
_JUST_NOW: Final = timedelta(seconds=2)


@linear.tracks({"Issue.create": "Ticket Created"})
def ticket(event: Event) -> dict[str, Any]:
    """Return the issue's properties."""
    issue = about(event)
    number, team = issue.opt.id("number"), issue.opt.text("team.key")
    return {
        "ticket_id": issue.id("id"),
        "ticket_key": issue.first("identifier") or (f"{team}-{number}" if team and number else None),
        **issue.select(
            subject="title:text", status="state.name:lower", status_category="state.type:text",
            priority="priorityLabel:lower",
        ),
        "tags": issue.texts_of("labels", "name") or None,
        "assignee_id": issue.first("assigneeId:id", "assignee:id"),
        "assignee_name": issue.opt.text("assignee.name"),
        "team_id": issue.first("teamId:id", "team:id"),
        "team_name": issue.opt.text("team.name"),
        "project_id": issue.first("projectId:id", "project:id"),
        **issue.select(project_name="project.name:text", channel="integrationSourceType:text"),
        "url": issue.first("url") or event.body.opt.text("url"),
    }  # fmt: skip


@linear.tracks({"Issue.remove": "Ticket Deleted"})
def issue_removed(event: Event) -> dict[str, Any]:
    return ticket(event) | _actor(event)


@linear.tracks({"IssueSLA.breached": "Ticket SLA Breached"})
def sla_breached(event: Event) -> dict[str, Any]:
    return {**ticket(event), "breached_at": about(event).opt.iso("slaBreachesAt")}


@linear.on("Issue.update")
def issue_updated(event: Event) -> Iterator[Message]:
    """Report every fact of one update. `updatedFrom` has the old values."""
    was = _old_values(event)
    messages = list(_changes(event, was))
    if not messages:
        raise Skip("only Linear's own bookkeeping changed, or the ticket was unassigned")
    yield from messages


def _changes(event: Event, was: dict[str, Any]) -> Iterator[Message]:
    issue, old = ticket(event) | _actor(event), Payload(was, "$.updatedFrom")
    if "stateId" in was:
        yield track(_status_event(event, was), issue | old.select(previous_status_id="stateId:id"))
    if ("assigneeId" in was and issue.get("assignee_id")) or "teamId" in was:
        before = old.select(previous_assignee_id="assigneeId:id", previous_team_id="teamId:id")
        yield track("Ticket Assigned", issue | before)
    if "priority" in was:
        yield track("Ticket Priority Changed", {**issue, "previous_priority": _priority(old)})
    changed = sorted(name for name in was if name not in _REPORTED | _SKIPPED and not name.endswith(_SKIPPED_ENDINGS))
    if changed:
        yield track("Ticket Updated", {**issue, "changed": changed})


def _priority(old: Payload) -> str | None:
    """Return the old priority's name. https://linear.app/docs/priority"""
    if label := old.text("priorityLabel", "").lower():
        return label
    names = ("no priority", "urgent", "high", "medium", "low")
    number = old.opt.integer("priority")
    return names[number] if number is not None and 0 <= number < len(names) else None


def _status_event(event: Event, was: dict[str, Any]) -> str:
    """Return the event's name. The old end times show whether the issue had ended, since an old state is only an id."""
    ended_before = any(_before(event, was, name) for name in _ENDS)
    done = about(event).text("state.type") in _DONE
    if done == ended_before:
        return "Ticket Status Changed"
    return "Ticket Solved" if done else "Ticket Reopened"


def _before(event: Event, was: dict[str, Any], name: str) -> bool:
    """Return whether an end time was set before this event: an end time equal to the event's was set by it."""
    if name in was:
        return was[name] is not None
    ended = about(event).opt.iso(name)
    return ended is not None and abs(event.occurred_at - ended) > _JUST_NOW


def _old_values(event: Event) -> dict[str, Any]:
    fields = event.body.maybe("updatedFrom").value
    if not isinstance(fields, dict):
        raise Malformed("$.updatedFrom", "is a list, not an object")
    return fields


def _actor(event: Event) -> dict[str, Any]:
    """Return the member who acted; empty for an integration or application."""
    actor = event.body.maybe("actor")
    if actor.text("type", "user") != "user":
        return {}
    return actor.select(agent_id="id:id", agent_name="name:text")


def _comment_ticket(event: Event) -> dict[str, Any]:
    """Return the issue of a comment or reaction."""
    data = event.body.object("data")
    return {
        "ticket_id": data.first("issueId:id", "issue:id"),
        **data.select(ticket_key="issue.identifier:text", subject="issue.title:text", team_id="issue.teamId:id"),
        **event.body.select("url:text"),
    }


@linear.on("Comment.create")
def commented(event: Event) -> Iterator[Message]:
    """Report a comment. Only an external user's is a reply, since a member's is visible in the workspace only."""
    data = event.body.object("data")
    properties = _comment_ticket(event) | {"message_id": data.id("id"), "thread_id": data.opt.id("parentId")}
    if not properties["ticket_id"]:
        raise Skip("a comment on a project, a document or an update, not on an issue")
    author = writer(data)
    if author is None:
        raise Skip("written by a bot or an integration, not by a person")
    if author.anonymous and author.anonymous[0] == "external_user":
        yield reply("customer", properties, identity=author)
    else:
        yield track("Issue Commented", {**properties, "on": "issue"}, identity=author)


@linear.tracks({"Reaction.create": "Reaction Added", "Reaction.remove": "Reaction Removed"})
def reaction(event: Event) -> dict[str, Any]:
    data = event.body.object("data")
    if writer(data) is None:
        raise Skip("done by a bot or an integration, not by a person")
    return _comment_ticket(event) | data.select(reaction="emoji:text!", message_id="commentId:id")
