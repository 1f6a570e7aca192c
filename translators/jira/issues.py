"""Translate issues to tickets: created, changed, deleted, rated."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.jira.person import is_application, is_customer, user_id
from translators.jira.source import custom, jira, site
from translators.jira.status import status_event
from translators.kit import Event, Message, Payload, Skip, rating_fields, track

SERVICE: Final = "[system] "  # the prefix of a service project's own issue types
_REPORTED: Final = {"status", "resolution", "assignee", "priority"}
# Board order, planning and time sheets: internal to the team
_SKIPPED: Final = {
    "rank", "sprint", "timeestimate", "timeoriginalestimate", "timespent", "worklogid", "worklogtimespent",
    "remoteissuelink", "remoteworkitemlink",
}  # fmt: skip


@jira.tracks({"jira:issue_created": "Ticket Created"})
def ticket(event: Event) -> dict[str, Any]:
    """Return the properties of a ticket. A comment event has fewer."""
    issue = event.body.object("issue")
    fields = issue.maybe("fields")
    key, scheme = issue.opt.text("key"), issue.text("self", "").partition("://")[0]
    return {
        "ticket_id": issue.id("id"),
        "ticket_key": key,
        **fields.select(
            subject="summary:text", status="status.name:lower", status_category="status.statusCategory.key:text",
            priority="priority.name:lower",
        ),
        "type": fields.text("issuetype.name", "").lower().removeprefix(SERVICE) or None,
        "request_type": _request_type(fields),
        "resolution": fields.opt.lower("resolution.name"),
        "tags": fields.get("labels") or None,
        "assignee_id": user_id(fields.maybe("assignee")),
        **fields.select(
            assignee_name="assignee.displayName:text", project_id="project.id:id", project_key="project.key:text",
            project_type="project.projectTypeKey:text",
        ),
        "url": f"{scheme}://{site(event)}/browse/{key}" if key and scheme else None,
    }  # fmt: skip


def _request_type(fields: Payload) -> str | None:
    """Return a service request's type. The field's name differs per site; its members do not."""
    for field in custom(fields).values():
        name = Payload(field).get("requestType.name")
        if isinstance(name, str):
            return name.lower()
    return None


@jira.tracks({"jira:issue_deleted": "Ticket Deleted"})
def issue_deleted(event: Event) -> dict[str, Any]:
    return ticket(event) | _agent(event)


@jira.on("jira:issue_updated")
def issue_updated(event: Event) -> Iterator[Message]:
    """Report every fact of one change."""
    messages = list(_changes(event))
    if not messages:
        raise Skip("only internal fields changed, or the ticket was unassigned")
    yield from messages


def _changes(event: Event) -> Iterator[Message]:
    items = list(event.body.each("changelog.items"))
    system = {item.text("field").lower(): item for item in items if item.text("fieldtype", "jira") == "jira"}
    props = ticket(event) | _agent(event)
    none = Payload({})
    status, resolution = system.get("status", none), system.get("resolution", none)
    name = status_event(event, status, resolution) if status or resolution else None
    if name:
        yield track(name, {**props, "previous_status": status.opt.lower("fromString")})
    if (assignee := system.get("assignee", none)) and "to" in assignee:
        before = assignee.select(previous_assignee_id="from:id", previous_assignee_name="fromString:text")
        yield track("Ticket Assigned", props | before)
    if priority := system.get("priority"):
        yield track("Ticket Priority Changed", {**props, "previous_priority": priority.opt.lower("fromString")})
    rated = {field: score for item in items if (score := _score(event, field := item.text("fieldId", ""))) is not None}
    for field, score in rated.items():
        yield track("Satisfaction Rated", ticket(event) | rating_fields(score), key=field)
    reported = _REPORTED if name else _REPORTED - {"resolution"}
    changed = [
        item.text("field")
        for item in items
        if item.text("fieldId", "") not in rated and item not in [system.get(field) for field in reported]
    ]
    if changed := [field for field in dict.fromkeys(changed) if field.lower() not in _SKIPPED]:
        yield track("Ticket Updated", {**props, "changed": changed})


def _score(event: Event, field: str) -> int | None:
    """Return the score of a satisfaction field, `{"rating": 5}`. The field's name differs per site."""
    rating = Payload(custom(event.body.maybe("issue.fields")).get(field)).get("rating")
    return rating if isinstance(rating, int) and not isinstance(rating, bool) else None


def _agent(event: Event) -> dict[str, Any]:
    """Return the agent who acted; empty for an application, a customer or the reporter."""
    user = event.body.maybe("user")
    own, reporter = user_id(user), user_id(event.body.maybe("issue.fields.reporter"))
    if own in (None, reporter) or is_application(user) or is_customer(user):
        return {}
    return {"agent_id": own, "agent_name": user.opt.text("displayName")}
