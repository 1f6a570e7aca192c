"""Translate public comments to replies. Internal comments are skipped."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from translators.jira.issues import ticket
from translators.jira.person import is_application, is_customer, known, user_id
from translators.jira.source import jira, requester, site
from translators.kit import Event, Message, Payload, Skip, reply


@jira.on("comment_created")
def commented(event: Event) -> Iterator[Message]:
    body = event.body
    if "issue" not in body:
        raise Skip("Data Center sends no issue with it; jira:issue_updated reports the comment with its issue")
    comment = body.object("comment")
    _public(event, comment)
    author = comment.maybe("author")
    person = known(author, site(event))
    if person is None:
        raise Skip("written by an application or automation" if is_application(author) else "the author is unknown")
    properties = {**ticket(event), "message_id": comment.id("id")}
    customer = requester(event)
    if customer and customer.anonymous == person.anonymous:
        yield reply("customer", properties, identity=customer)
    elif is_customer(author):  # a participant of the request; Cloud sends no reporter with a comment
        person = replace(person, group_id=customer.group_id if customer else None)
        yield reply("customer", properties, identity=person)
    else:
        yield reply("agent", {**properties, "agent_id": user_id(author), "agent_name": author.opt.text("displayName")})


def _public(event: Event, comment: Payload) -> None:
    """Raise `Skip` unless everyone who sees the ticket sees the comment.

    Cloud sends `jsdPublic`, Data Center does not; `visibility` restricts a comment to a role or group.
    https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issue-comments/
    """
    if "visibility" in comment:
        raise Skip("a comment for one role or group only")
    public = comment.opt.flag("jsdPublic")
    if public is False:
        raise Skip("an internal comment")
    if public is None and event.body.get("issue.fields.project.projectTypeKey") == "service_desk":
        raise Skip("Data Center does not send whether a request's comment is internal; an automation rule does")
