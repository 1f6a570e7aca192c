"""Translate Gorgias's HTTP integrations, whose body is the template of docs/sources/gorgias.md.

https://developers.gorgias.com/reference/integrations
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Clock,
    Event,
    ExternalId,
    FormerId,
    Head,
    Identity,
    Item,
    Malformed,
    Message,
    Need,
    Payload,
    Registered,
    Registering,
    SharedToken,
    Skip,
    Source,
    assigned,
    basic,
    json_call,
    moment,
    opens_ticket,
    real_name,
    reply,
    template_object,
    track,
)

gorgias = Source(
    "gorgias",
    title="Gorgias",
    docs="https://developers.gorgias.com/reference/integrations",
    secret_help="a long random text that you choose and paste into the integration's headers",
    scheme=SharedToken(where="header", name="X-Segue-Token"),
    methods=["PUT", "PATCH", "DELETE"],  # https://developers.gorgias.com/reference/the-integration-object
)

_MESSAGE_CREATED: Final = "ticket-message-created"
# The fields that a change is about; the rest of the ticket may have changed since
_STATE: Final = {
    "ticket-status-updated": ("ticket.status",),
    "ticket-assignment-updated": ("assignee.id", "team.id"),
}
_CHAT: Final = {"chat", "gorgias-chat", "gorgias_chat"}
_BOTS: Final = {"rule", "ai-agent", "self-service"}


@gorgias.head
def head(item: Item) -> Head:
    """Return the key from the template's event id, else the created object's id, else the ticket and its change time.

    That time has microseconds. Without any of these the key is the digest of the bytes, which may differ in a
    repeated delivery. The message's time takes precedence over the ticket's.
    """
    body = item.filled
    type_ = body.text("type")
    created_path = "ticket.created_at" if type_ == "ticket-created" else "message.created_at"
    times: tuple[tuple[str, Clock], ...] = (("at", "event"), (created_path, "event"), ("ticket.updated_at", "record"))
    # Gorgias's times have no zone and are UTC: https://developers.gorgias.com/reference/the-ticket-object
    id_path = {"ticket-created": "ticket.id", _MESSAGE_CREATED: "message.id"}.get(type_)
    digest = item.digest
    former: tuple[FormerId, ...] = ()
    if own := body.id("id", ""):
        key, former = f"{type_}:{own}", (FormerId(own),)  # templates of two types may have the same id, the ticket's
    elif id_path and id_path in body:
        key = f"{type_}:{body.id(id_path)}"
    elif id_path is None and "ticket.id" in body and "ticket.updated_at" in body:
        state = [body.id(path, "") for path in _STATE.get(type_, ())]
        key = ":".join((type_, body.id("ticket.id"), body.text("ticket.updated_at"), *state))
        former = (FormerId(digest),)
    else:
        key = digest
    for path, clock in times:
        if at := moment(body, path, naive_is_utc=True):
            return Head(id=key, type=type_, occurred_at=at, clock=clock, former_ids=former)
    return Head(id=key, type=type_, occurred_at=None, former_ids=former)


@gorgias.identity
def identity(event: Event) -> Identity:
    """Return the ticket's customer. `external_id` may belong to another system, so it is used only if configured."""
    customer = template_object(event.filled, "customer", page="gorgias", place="integration")
    customer_id, email = customer.id("id", ""), customer.text("email", "")
    if not customer_id and not email:
        raise Skip("no customer: the ticket names none")
    return Identity(
        metadata=({**customer.texts("own"), "external_id": customer.id("external_id", "")},),
        anonymous=("customer", customer_id) if customer_id else ("email", email.strip().lower()),
        external_ids=(ExternalId("gorgias_customer_id", customer_id),),
        traits={"email": email, "name": real_name(customer.opt.text("name"))},
    )


# The body of docs/sources/gorgias.md. No variable names the trigger, so each trigger has its own integration
_TICKET: Final = {
    "ticket": {
        "id": "{{ticket.id}}",
        "subject": "{{ticket.subject}}",
        "status": "{{ticket.status}}",
        "priority": "{{ticket.priority}}",
        "channel": "{{ticket.channel}}",
        "created_at": "{{ticket.created_datetime}}",
        "updated_at": "{{ticket.updated_datetime}}",
    },
    "customer": {
        "id": "{{ticket.customer.id}}",
        "external_id": "{{ticket.customer.external_id}}",
        "email": "{{ticket.customer.email}}",
        "name": "{{ticket.customer.name}}",
    },
    "assignee": {"id": "{{ticket.assignee_user_id}}", "name": "{{ticket.assignee_user.name}}"},
    "team": {"id": "{{ticket.assignee_team_id}}", "name": "{{ticket.assignee_team.name}}"},
}
_MESSAGE: Final = {
    "message": {
        "id": "{{message.id}}",
        "from_agent": "{{message.from_agent}}",
        "public": "{{message.public}}",
        "channel": "{{message.channel}}",
        "via": "{{message.via}}",
        "created_at": "{{message.created_datetime}}",
        "sender": {"id": "{{message.sender.id}}", "name": "{{message.sender.name}}"},
    },
}


@gorgias.registration(
    Need("domain", "GORGIAS_DOMAIN", "acme, if your helpdesk is acme.gorgias.com", secret=False),
    Need("email", "GORGIAS_EMAIL", "the e-mail address of the API key's user", secret=False),
    Need("api_key", "GORGIAS_API_KEY", "a REST API key (Settings > REST API)"),
    after="check the first delivery: Gorgias does not document all template variables.",
)
def register(at: Registering) -> Registered:
    """Create one HTTP integration per trigger. https://developers.gorgias.com/reference/create-integration"""
    url = f"https://{at.values['domain']}.gorgias.com/api/integrations"
    headers = basic(at.values["email"], at.values["api_key"])
    for type_ in at.types:
        http = {
            "url": at.url,
            "method": "POST",
            "headers": {"X-Segue-Token": at.secret},
            "form": {"type": type_, **_TICKET, **(_MESSAGE if type_ == _MESSAGE_CREATED else {})},
            "request_content_type": "application/json",
            "response_content_type": "application/json",
            "triggers": {type_: True},
        }
        yield json_call("POST", url, headers, {"name": f"Segue: {type_}", "type": "http", "http": http})
    return at.secret


@gorgias.tracks({"ticket-created": "Ticket Created"})
def ticket(event: Event) -> dict[str, Any]:
    """Return the ticket's properties."""
    return {"ticket_id": event.filled.id("ticket.id")} | event.filled.select(
        "ticket.subject", "ticket.status", "ticket.priority", "ticket.channel",
        assignee_id="assignee.id", assignee_name="assignee.name", team_id="team.id", team_name="team.name",
    )  # fmt: skip


@gorgias.tracks({"ticket-assignment-updated": "Ticket Assigned"})
def ticket_assigned(event: Event) -> dict[str, Any]:
    return assigned(ticket(event))


@gorgias.on("ticket-status-updated")
def ticket_status_updated(event: Event) -> Iterator[Message]:
    """Report the new status. Gorgias has `open` and `closed` only, so a ticket that becomes open was closed."""
    status = event.filled.text("ticket.status")
    name = {"closed": "Ticket Solved", "open": "Ticket Reopened"}.get(status, "Ticket Status Changed")
    yield track(name, ticket(event))


@gorgias.on(_MESSAGE_CREATED)
def message_created(event: Event) -> Iterator[Message]:
    message = event.filled.object("message")
    if not _is_true(message, "public"):
        raise Skip("a private note")
    from_agent, via = _is_true(message, "from_agent"), message.opt.text("via")
    if from_agent and via in _BOTS:
        raise Skip(f"written by {via}, not by a person")
    channel = message.opt.text("channel")
    times = [moment(event.filled, path, naive_is_utc=True) for path in ("ticket.created_at", "message.created_at")]
    if channel not in _CHAT and opens_ticket(*times):
        raise Skip("the message that opened the ticket; ticket-created has it")
    agent = message.select(agent_id="sender.id:id", agent_name="sender.name:text") if from_agent else {}
    yield reply(
        "agent" if from_agent else "customer",
        {**ticket(event), "message_id": message.id("id"), "channel": channel, **agent},
        chat=channel in _CHAT,
        identity=None if from_agent else _writer(event, message),
    )


def _writer(event: Event, message: Payload) -> Identity | None:
    """Return the customer who wrote, if it was not the ticket's own: a person in copy may reply."""
    writer, own = message.opt.id("sender.id"), event.filled.opt.id("customer.id")
    if writer is None or own is None or writer == own:
        return None
    return Identity(
        anonymous=("customer", writer),
        external_ids=(ExternalId("gorgias_customer_id", writer),),
        traits={"name": real_name(message.opt.text("sender.name"))},
    )


def _is_true(body: Payload, path: str) -> bool:
    """Return a boolean that a template prints as `True` or `False`."""
    value = body.get(path)
    word = str(value).lower()
    if word not in {"true", "false"}:
        raise Malformed(f"{body.path}.{path}", "is neither True nor False")
    return word == "true"


gorgias.ignore("ticket-updated", because="any change of any field; more specific triggers report it")
gorgias.ignore("ticket-message-failed", because="a message that was not sent")
gorgias.ignore(
    "ticket-handed-over", because="from the AI agent to people; ticket-assignment-updated reports the assignee"
)
gorgias.ignore("ticket-self-unsnoozed", because="the end of a snooze, not an action")
gorgias.ignore("test", because="your own test delivery")
