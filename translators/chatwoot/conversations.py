"""Translate conversations: tickets if the channel is e-mail, live chat otherwise. https://www.chatwoot.com"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.chatwoot.source import changes, chatwoot, conversation_of, rating_of, utc, writer
from translators.kit import Event, Message, Payload, Skip, opens_ticket, rating_fields, reply, track

_EMAIL: Final = "Channel::Email"
_MESSAGE_TYPES: Final = {0: "incoming", 1: "outgoing", 2: "activity", 3: "template"}
# Fields that another message reports, or that no person set.
_SKIPPED: Final = {
    "status", "assignee_id", "assignee_agent_bot_id", "team_id", "priority", "snoozed_until", "updated_at",
    "last_activity_at", "waiting_since", "first_reply_created_at", "agent_last_seen_at", "assignee_last_seen_at",
    "contact_last_seen_at", "cached_label_list",
}  # fmt: skip


def _by_email(conversation: Payload) -> bool:
    return conversation.text("channel", "") == _EMAIL


def _fields(conversation: Payload) -> dict[str, Any]:
    """Return the properties of a conversation."""
    id_, channel = conversation.id("id"), conversation.text("channel", "")
    properties = {
        "status": conversation.opt.text("status"),
        "channel": channel.removeprefix("Channel::").lower() or None,
        "inbox_id": conversation.opt.id("inbox_id"),
        "tags": [label.value for label in conversation.each("labels") if isinstance(label.value, str)] or None,
    }
    if not _by_email(conversation):
        return {"conversation_id": id_, **properties}
    more = conversation.select(subject="additional_attributes.mail_subject:text", priority="priority:text")
    return {"ticket_id": id_, **properties, **more, **_assignee(conversation)}


def _assignee(conversation: Payload) -> dict[str, Any]:
    """Return the assigned agent and team. A bot does not count."""
    agent, team = conversation.maybe("meta.assignee"), conversation.maybe("meta.team")
    assignee = agent.select(assignee_id="id:id", assignee_name="name:text") if _is_agent(agent) else {}
    return assignee | team.select(team_id="id:id", team_name="name:text")


def _is_agent(sender: Payload) -> bool:
    """Return whether the sender is an agent, not an agent bot or the assistant."""
    return sender.text("type", "") == "user"


@chatwoot.on("conversation_created")
def conversation_created(event: Event) -> Iterator[Message]:
    conversation = event.body
    first = next(conversation.each("messages"), Payload({}))
    kind = _MESSAGE_TYPES.get(first.integer("message_type", -1))
    agent = kind == "outgoing" and _by_agent(first)
    if kind in {"outgoing", "template"} and not agent:
        raise Skip("started by a campaign, a bot or a rule")
    author = "agent" if agent else "customer" if kind == "incoming" else None
    name = "Ticket Created" if _by_email(conversation) else "Live Chat Conversation Started"
    yield track(name, {**_fields(conversation), "author": author})


@chatwoot.on("message_created")
def message_created(event: Event) -> Iterator[Message]:
    message, conversation = event.body, conversation_of(event)
    kind = message.text("message_type")
    if kind not in {"incoming", "outgoing"}:
        raise Skip("a line of the history or an automatic message")
    customer, chat = kind == "incoming", not _by_email(conversation)
    if message.flag("private", False) if customer else message.flag("private"):
        raise Skip("a private note")
    if not customer and not _by_agent(message):
        raise Skip("written by a bot, a campaign, a rule or another program")
    if not chat and opens_ticket(utc(conversation, "created_at"), utc(message, "created_at")):
        raise Skip("the message that opened the conversation; conversation_created reports it")
    properties = _fields(conversation) | {"message_id": message.id("id")}
    if customer:
        yield reply("customer", properties, chat=chat, identity=writer(event))
    else:
        agent = message.select(agent_id="sender.id:id!", agent_name="sender.name:text")
        yield reply("agent", properties | agent, chat=chat)


def _by_agent(message: Payload) -> bool:
    """Return whether an agent wrote the message, not a campaign or rule in the agent's name."""
    automatic = "additional_attributes.campaign_id" in message or "content_attributes.automation_rule_id" in message
    return _is_agent(message.maybe("sender")) and not automatic


@chatwoot.tracks({"message_updated": "Satisfaction Rated"})
def rating_given(event: Event) -> dict[str, Any]:
    rating, conversation = rating_of(event.body), conversation_of(event)
    if "rating" not in rating:
        raise Skip("an edit or receipt of a message that was reported when it was sent")
    agent = _assignee(conversation)
    return {
        **_fields(conversation),
        **rating_fields(rating.integer("rating")),
        "message_id": event.body.id("id"),
        "agent_id": agent.get("assignee_id"),
        "agent_name": agent.get("assignee_name"),
    }


@chatwoot.on("conversation_status_changed")
def status_changed(event: Event) -> Iterator[Message]:
    """Report the new status. Only `conversation_updated` has the old one, so it reports a reopening."""
    conversation = event.body
    status, email = conversation.text("status"), _by_email(conversation)
    if status == "resolved":
        yield track("Ticket Solved" if email else "Live Chat Conversation Ended", _fields(conversation))
    elif status == "snoozed" and not email:
        until = conversation.opt.when("snoozed_until")
        yield track("Live Chat Conversation Snoozed", {**_fields(conversation), "snoozed_until": until})
    elif status in {"snoozed", "pending"} and email:
        yield track("Ticket Status Changed", _fields(conversation))
    elif status == "open":
        raise Skip("conversation_updated reports whether it was reopened")
    else:
        raise Skip(f"a chat became {status}: a bot handles it")


@chatwoot.on("conversation_updated")
def conversation_updated(event: Event) -> Iterator[Message]:
    conversation, changed = event.body, changes(event.body)
    messages = list(_changed(conversation, changed))
    if not messages:
        raise Skip("no action of a customer or agent, or conversation_status_changed reports it")
    yield from messages


def _changed(conversation: Payload, changed: dict[str, Payload]) -> Iterator[Message]:
    fields, email = _fields(conversation), _by_email(conversation)
    before, status = _old_and_new(changed, "status")
    if before == "resolved" and status in {"open", "pending"}:
        yield track("Ticket Reopened" if email else "Live Chat Conversation Reopened", fields)
    elif before is not None and status == "open" and email:
        yield track("Ticket Status Changed", {**fields, "previous_status": before})
    if any(name in changed and "current_value" in changed[name] for name in ("assignee_id", "team_id")):
        yield track("Ticket Assigned" if email else "Live Chat Conversation Assigned", fields | _assignee(conversation))
    if "priority" in changed and email:
        yield track("Ticket Priority Changed", {**fields, "previous_priority": _old_and_new(changed, "priority")[0]})
    other = sorted({"label_list": "tags"}.get(name, name) for name in changed if name not in _SKIPPED)
    if other and email:
        yield track("Ticket Updated", {**fields, "changed": other})


def _old_and_new(changed: dict[str, Payload], name: str) -> tuple[str | None, str | None]:
    """Return the old and new value of a text field."""
    values = changed.get(name, Payload({}))
    return values.opt.text("previous_value"), values.opt.text("current_value")
