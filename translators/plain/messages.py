"""Translate e-mails and messages of Slack, Microsoft Teams and Discord to replies, and chat to live chat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Payload, Skip, opens_ticket, reply
from translators.plain.source import plain, writer
from translators.plain.threads import ticket

_CHANNELS: Final = {"slack": "slackMessage", "ms_teams": "msTeamsMessage", "discord": "discordMessage"}


def _agent(actor: Payload) -> dict[str, Any]:
    """Return the teammate who wrote. Skip machine users and the system, which are programs."""
    if actor.text("actorType") != "user":
        raise Skip("written by a machine user or Plain itself")
    return {"agent_id": actor.id("userId")}


def _is_ours(actor: Payload) -> bool:
    """Return whether a teammate or machine user wrote. Plain's system may post a customer's message."""
    return actor.text("actorType", "customer") in {"user", "machineUser"}


@plain.on("thread.email_received", "thread.email_sent")
def emailed(event: Event) -> Iterator[Message]:
    email = event.body.object("payload.email")
    if email.flag("isStartOfThread", False):
        raise Skip("the e-mail that opened the thread; thread.thread_created reports it")
    properties = ticket(event) | {"message_id": email.id("id"), "channel": "email"}
    if event.type == "thread.email_sent":
        yield reply("agent", properties | _agent(email.object("createdBy")))
        return
    sender = email.maybe("from")
    actor = sender.maybe("emailActor") or email.maybe("createdBy")
    if _is_ours(actor):
        yield reply("agent", properties | _agent(actor))
    else:
        yield reply("customer", properties, identity=writer(event, actor, sender))


@plain.on(*(f"thread.{channel}_message_received" for channel in _CHANNELS))
def channel_message_received(event: Event) -> Iterator[Message]:
    properties, actor = _channel_message(event)
    if _is_ours(actor):
        yield reply("agent", properties | _agent(actor))
    else:
        yield reply("customer", properties, identity=writer(event, actor, Payload({})))


@plain.on(*(f"thread.{channel}_message_sent" for channel in _CHANNELS))
def channel_message_sent(event: Event) -> Iterator[Message]:
    properties, actor = _channel_message(event)
    yield reply("agent", properties | _agent(actor))


def _channel_message(event: Event) -> tuple[dict[str, Any], Payload]:
    """Return the properties of a channel's message, and who wrote it."""
    channel = event.type.removeprefix("thread.").partition("_message")[0]
    message = event.body.object(f"payload.{_CHANNELS[channel]}")
    id_ = message.opt.id("id") or message.id("timelineEntryId")
    if _opens(event, message, channel):
        raise Skip("the message that opened the thread; thread.thread_created reports it")
    return ticket(event) | {"message_id": id_, "channel": channel}, message.maybe("createdBy")


def _opens(event: Event, message: Payload, channel: str) -> bool:
    """Return whether a message opened its thread: both have the same time, side and channel. Only e-mails say so."""
    thread, received = event.body.object("payload.thread"), event.type.endswith("received")
    if thread.text("createdBy.actorType", "") == ("user" if received else "customer"):
        return False
    first = "firstInboundMessageInfo" if received else "firstOutboundMessageInfo"
    if thread.text(f"{first}.messageSource", channel).lower() != channel:
        return False
    written = message.opt.iso("createdAt")
    return any(opens_ticket(thread.opt.iso(path), written) for path in ("createdAt", f"{first}.timestamp"))


@plain.on("thread.chat_received")
def chat_received(event: Event) -> Iterator[Message]:
    actor = event.body.maybe("payload.chat.createdBy")
    if _is_ours(actor):
        yield reply("agent", _chat(event) | _agent(actor), chat=True)
    else:
        yield reply("customer", _chat(event), chat=True, identity=writer(event, actor, Payload({})))


@plain.on("thread.chat_sent")
def chat_sent(event: Event) -> Iterator[Message]:
    yield reply("agent", _chat(event) | _agent(event.body.object("payload.chat.createdBy")), chat=True)


def _chat(event: Event) -> dict[str, Any]:
    thread = ticket(event)
    return {**thread, "conversation_id": thread["ticket_id"], "message_id": event.body.id("payload.chat.id")}
