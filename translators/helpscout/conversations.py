"""Translate conversations to tickets and their replies, Beacon chats to live chat, and ratings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.helpscout.source import AI_CREATED, helpscout, of_customer, threads, utc
from translators.kit import Event, Identity, Message, Payload, Skip, assigned, full_name, opens_ticket, reply, track


@helpscout.tracks({"convo.merged": "Ticket Merged"})
def ticket(event: Event) -> dict[str, Any]:
    """Return the conversation's properties."""
    body = event.body
    return {
        "ticket_id": body.id("id"),
        **body.select(ticket_number="number:id", subject="subject:text", status="status:text", type="type:text"),
        "channel": body.opt.text("source.type"),
        "tags": [tag.opt.text("tag") for tag in body.each("tags") if isinstance(tag.get("tag"), str)],
        **_agent("assignee", body.maybe("assignee") or body.maybe("owner")),
        "mailbox_id": body.first("mailboxId:id", "mailbox.id:id"),
    }


def _agent(role: str, agent: Payload) -> dict[str, Any]:
    name = full_name(agent.opt.text("first"), agent.opt.text("last"))
    return {f"{role}_id": agent.opt.id("id"), f"{role}_name": name}


@helpscout.tracks({"convo.created": "Ticket Created", AI_CREATED: "Ticket Created"})
def conversation_created(event: Event) -> dict[str, Any]:
    author = {"customer": "customer", "user": "agent"}.get(event.body.text("createdBy.type", ""))
    return {**ticket(event), "author": author}


@helpscout.tracks({"convo.assigned": "Ticket Assigned"})
def conversation_assigned(event: Event) -> dict[str, Any]:
    return assigned(ticket(event), "conversation")


@helpscout.on("convo.status")
def status_changed(event: Event) -> Iterator[Message]:
    """Report the new status. Help Scout does not send the old one, so a reopening cannot be recognised."""
    status = event.body.text("status")
    if status == "spam":
        raise Skip("spam, not a customer's conversation")
    yield track("Ticket Solved" if status == "closed" else "Ticket Status Changed", ticket(event))


_CHANGED: Final = {"convo.tags": "tags", "convo.custom-fields": "custom_fields", "convo.moved": "mailbox"}


@helpscout.tracks(dict.fromkeys(_CHANGED, "Ticket Updated"))
def conversation_updated(event: Event) -> dict[str, Any]:
    return {**ticket(event), "changed": [_CHANGED[event.type]]}


@helpscout.on("convo.customer.reply.created")
def customer_replied(event: Event) -> Iterator[Message]:
    thread = _reply(event, "customer")
    yield reply("customer", ticket(event) | thread.select(message_id="id:id"), identity=_writer(event, thread))


@helpscout.on("convo.agent.reply.created")
def agent_replied(event: Event) -> Iterator[Message]:
    thread = _reply(event, "message")
    writer = thread.maybe("createdBy")
    if writer.text("type", "user") not in {"user", "team"}:
        raise Skip("written by Help Scout's AI or a workflow")
    properties = ticket(event) | _agent("agent", writer)
    yield track("Ticket Replied", {**properties, "author": "agent", "message_id": thread.opt.id("id")})


def _reply(event: Event, type_: str) -> Payload:
    """Return the newest thread of a type, empty if there is none. Raise `Skip` if it opened the conversation."""
    thread = next(iter(threads(event.body, type_)), Payload({}))
    if opens_ticket(utc(event.body, "createdAt"), utc(thread, "createdAt")):
        raise Skip("the message that opened the conversation; convo.created has it")
    return thread


def _writer(event: Event, thread: Payload) -> Identity | None:
    """Return the customer who wrote, if it was not the conversation's own: a person in copy may reply."""
    for path in ("createdBy", "customer"):
        writer = thread.maybe(path)
        if writer.get("type", "customer") == "customer" and writer.id("id", "0") != "0":
            own = event.body.first("primaryCustomer.id:id", "customer.id:id")
            return None if writer.id("id") == own else of_customer(writer)
    return None


@helpscout.on("beacon.chat.created")
def chat_started(event: Event) -> Iterator[Message]:
    chat, written = event.body.select(conversation_id="id:id!"), threads(event.body, "customer")
    if not written:
        yield track("Live Chat Conversation Started", chat)
        return
    chat["message_id"] = written[-1].id("id")
    yield track("Live Chat Conversation Started", chat)
    yield reply("customer", chat, chat=True)


@helpscout.on("beacon.chat.customer.replied")
def chat_message_sent(event: Event) -> Iterator[Message]:
    written = threads(event.body, "customer")
    thread = next(iter(written), Payload({}))
    if len(written) == 1 and opens_ticket(utc(event.body, "createdAt"), utc(thread, "createdAt")):
        raise Skip("the message that opened the chat; beacon.chat.created has it")
    chat = {"conversation_id": event.body.id("id"), "message_id": thread.opt.id("id")}
    yield reply("customer", chat, chat=True, identity=_writer(event, thread))


@helpscout.tracks({"satisfaction.ratings": "Satisfaction Rated"})
def rated(event: Event) -> dict[str, Any]:
    return {
        "ticket_id": event.body.first("conversationId:id", "ticketId:id"),
        **event.body.select(ticket_number="conversationNumber:id", message_id="threadId:id"),
        "rating": event.body.text("rating").lower(),
        "agent_id": event.body.opt.id("user.id"),
    }
