"""Translate Freshchat's webhooks to Segment's Live Chat events.

https://crmsupport.freshworks.com/support/solutions/articles/50000004461
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    Identity,
    Item,
    Message,
    Payload,
    PublicKey,
    Skip,
    Source,
    assigned,
    reply,
)

freshchat = Source(
    "freshchat",
    title="Freshchat",
    docs="https://crmsupport.freshworks.com/support/solutions/articles/50000004461",
    secret_help="Admin Settings > Webhooks > Public key; paste it unchanged",
    scheme=PublicKey(kind="rsa-pkcs1v15-sha256", header="X-Freshchat-Signature"),
)

_SUBJECT: Final = {
    "message_create": "message",
    "message_update": "message",
    "conversation_assignment": "assignment",
    "conversation_resolution": "resolve",
    "conversation_reopen": "reopen",
}


freshchat.manual_steps(
    "Admin Settings > Webhooks: {url}. An account has one URL and sends all events to it; these are translated:{types}",
    "Copy the public key of the same page unchanged.",
)


@freshchat.head
def head(item: Item) -> Head:
    """Return the key from action, object id and time, since Freshchat sends no event id; from the bytes if unknown."""
    action, at = item.body.text("action"), item.body.iso("action_time")
    subject = item.body.maybe(f"data.{_SUBJECT.get(action, action)}")
    subject_id = subject.first("id:id", "conversation.conversation_id:id")
    if not subject_id:
        return Head(id=item.digest, type=action, occurred_at=at)
    return Head(id=f"{action}:{subject_id}:{item.body.text('action_time')}", type=action, occurred_at=at)


@freshchat.identity
def identity(event: Event) -> Identity:
    """Return the user who wrote or was written to; the conversation if the notification names no user."""
    actor, subject = event.body.object("actor"), _subject(event)
    user = subject.opt.id("user_id")
    if user is None and actor.text("actor_type") == "user":
        user = actor.opt.id("actor_id")
    return _user(user) if user else Identity(anonymous=("conversation", _conversation_id(subject)))


def _user(user: str) -> Identity:
    return Identity(anonymous=("user", user), external_ids=(ExternalId("freshchat_user_id", user),))


def _subject(event: Event) -> Payload:
    return event.body.object(f"data.{_SUBJECT[event.type]}")


def _conversation_id(subject: Payload) -> str:
    return subject.opt.id("conversation_id") or subject.id("conversation.conversation_id")


@freshchat.tracks(
    {
        "conversation_resolution": "Live Chat Conversation Ended",
        "conversation_reopen": "Live Chat Conversation Reopened",
    }
)
def chat(event: Event) -> dict[str, Any]:
    """Return the conversation's fields, and the agent's if an agent acted."""
    subject, actor = _subject(event), event.body.object("actor")
    return {
        "conversation_id": _conversation_id(subject),
        "channel_id": subject.first("channel_id:id", "conversation.channel_id:id"),
        "status": subject.opt.text("conversation.status"),
        "agent_id": actor.opt.id("actor_id") if actor.text("actor_type") == "agent" else None,
    }


@freshchat.tracks({"conversation_assignment": "Live Chat Conversation Assigned"})
def conversation_assigned(event: Event) -> dict[str, Any]:
    assignment = _subject(event).select(assignee_id="to_agent_id:id", team_id="to_group_id:id")
    return assigned(chat(event) | assignment, "conversation")


@freshchat.on("message_create")
def message_created(event: Event) -> Iterator[Message]:
    message = _subject(event)
    if message.text("message_type", "normal") != "normal" or message.flag("botsPrivateNote", False):
        raise Skip("a private message between agents, or a bot's note to them")
    properties = chat(event) | {"message_id": message.id("id"), "channel": message.opt.text("message_source")}
    author = message.opt.text("actor_type") or event.body.text("actor.actor_type")
    if author == "user":
        writer = message.opt.id("actor_id")
        yield reply("customer", properties, chat=True, identity=_user(writer) if writer else None)
    elif author == "agent":
        yield reply("agent", properties, chat=True)
    else:
        raise Skip(f"written by {author}, not by a person")


freshchat.ignore("message_update", because="an edit; message_create reported the message")
