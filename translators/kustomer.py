"""Translate Kustomer's webhooks. https://developer.kustomer.com/docs/events

A webhook is one event: the current record as in the API (`data`) and, for an update, what changed (`changes`).
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Any, Final

from translators.kit import (
    CLEAR,
    Event,
    ExternalId,
    Head,
    HmacBody,
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
    accept_account,
    bearer,
    group,
    identify,
    json_call,
    real_name,
    text_option,
    track,
)

ORG_ID: Final = text_option(
    "org_id", "accept the events of this organization only (an app receives events of all that installed it)"
)

kustomer = Source(
    "kustomer",
    title="Kustomer",
    docs="https://developer.kustomer.com/docs/events/outbound-webhooks",
    secret_help="Settings > Platform > Outbound webhooks > your webhook > Edit > Header information: the token",
    scheme={
        # https://developer.kustomer.com/docs/events/delivery-and-retries
        "signature": HmacBody(header="X-Kustomer-Webhook-Signature"),
        "token": SharedToken(where="header", name="X-Segue-Token"),
    },
    options=[ORG_ID],
)
kustomer.manual_steps(
    "Settings > Platform > Outbound webhooks > Add webhook: {url}",
    "Choose these events:{types}",
    "Save it, open it again (Edit > Header information) and copy its token.",
)


@kustomer.registration(
    Need("organization", "KUSTOMER_ORGANIZATION", "acme, if your account is acme.kustomerapp.com", secret=False),
    Need("api_key", "KUSTOMER_API_KEY", "an API key with the role org.permission.outbound_webhook"),
    Need(
        "domain", "KUSTOMER_API_DOMAIN", "the domain of your account's API", secret=False, default="api.kustomerapp.com"
    ),
)  # fmt: skip
def register(at: Registering) -> Registered:
    """Create one webhook; the answer has its token.

    https://developer.kustomer.com/api/apps-platform/create-outbound-webhook
    """
    url = f"https://{at.values['organization']}.{at.values['domain']}/v1/outbound-webhooks"
    webhook = {"name": "Segue", "url": at.url, "events": list(at.types)}
    webhook_answer = yield json_call("POST", url, bearer(at.values["api_key"]), webhook)
    return webhook_answer.text("token", "") or webhook_answer.text("data.attributes.token")


accept_account(kustomer, ORG_ID, lambda delivery: delivery.payload.opt.id("org"), what="Kustomer organization")


@kustomer.head
def head(item: Item) -> Head:
    """Return the event's id, which is the same on a retry, its name and its time."""
    return Head(id=item.body.id("id"), type=item.body.text("name"), occurred_at=item.body.iso("createdAt"))


@kustomer.identity
def identity(event: Event) -> Identity:
    """Return the customer. A conversation or message has the customer's Kustomer id only."""
    data = event.body.object("data")
    if event.type.startswith("kustomer.customer."):
        return _customer(data)
    customer_id = _related(data, "customer")
    if customer_id is None:
        raise Skip("no customer: the conversation names none")
    return _by_id(customer_id)


def _by_id(customer_id: str) -> Identity:
    return Identity(
        anonymous=("customer", customer_id), external_ids=(ExternalId("kustomer_customer_id", customer_id),)
    )


def _customer(data: Payload) -> Identity:
    """Return a customer. `externalId` is the id with which your server signs in a chat customer.

    https://developer.kustomer.com/docs/chat/identity
    """
    customer_id, attributes = data.id("id"), data.object("attributes")
    return Identity(
        metadata=(attributes.texts("custom"),),
        user_ids=(attributes.id("externalId", ""),),
        anonymous=("customer", customer_id),
        external_ids=(ExternalId("kustomer_customer_id", customer_id),),
        traits={name: value for name, value in _traits(attributes).items() if name in {"email", "name", "phone"}},
        group_id=_related(data, "company"),
    )


def _related(data: Payload, name: str) -> str | None:
    return data.opt.id(f"relationships.{name}.data.id")


def _traits(attributes: Payload) -> dict[str, Any]:
    return {
        "name": real_name(attributes.opt.text("name")),
        "email": _first(attributes, "emails", "email"),
        "phone": _first(attributes, "phones", "phone"),
        **attributes.select(
            "username:text", "gender:text", birthday="birthdayAt:text", avatar="avatarUrl:text", locale="locale:text"
        ),
    }


def _first(attributes: Payload, path: str, name: str) -> str | None:
    return next((value for entry in attributes.each(path) if (value := entry.opt.text(name))), None)


_TRAITS: Final = {
    "name": "name", "emails": "email", "phones": "phone", "username": "username", "gender": "gender",
    "birthdayAt": "birthday", "avatarUrl": "avatar", "locale": "locale",
}  # fmt: skip


@kustomer.on("kustomer.customer.create")
def customer_created(event: Event) -> Iterator[Message]:
    attributes = event.body.object("data.attributes")
    yield identify({**_traits(attributes), "createdAt": attributes.opt.iso("createdAt")})
    yield from _company(event)


@kustomer.on("kustomer.customer.update")
def customer_updated(event: Event) -> Iterator[Message]:
    """Identify if a trait changed; clear an emptied trait. Kustomer sends an update for any activity of a customer."""
    attributes, changes = event.body.object("data.attributes"), _changes(event, "attributes")
    company_changed = "company" in _changes(event, "relationships").value
    if not company_changed and not {"externalId", "custom", *_TRAITS} & set(changes.value):
        raise Skip("no trait changed")
    traits = _traits(attributes)
    emptied = {trait: CLEAR for name, trait in _TRAITS.items() if name in changes.value and traits[trait] is None}
    yield identify(traits | emptied)
    if company_changed:
        yield from _company(event)


def _company(event: Event) -> Iterator[Message]:
    if company := _related(event.body.object("data"), "company"):
        yield group(company)


def _changes(event: Event, member: str) -> Payload:
    """Return `{name: {op, before, after}}`; empty for a creation."""
    changes = event.body.maybe(f"changes.{member}")
    return changes if isinstance(changes.value, dict) else Payload({}, changes.path)


def _ticket(event: Event) -> dict[str, Any]:
    data = event.body.object("data")
    attributes = data.object("attributes")
    channels, users, teams = (_ids(attributes.get(name)) for name in ("channels", "assignedUsers", "assignedTeams"))
    return {
        "ticket_id": data.id("id"),
        **attributes.select(subject="name:text", status="status:text", priority="priority:id"),
        "channel": channels[0] if len(channels) == 1 else None,
        "assignee_id": users[0] if len(users) == 1 else None,
        "team_id": teams[0] if len(teams) == 1 else None,
    }


def _ids(value: Any) -> list[str]:
    return [id_ for id_ in value if isinstance(id_, str)] if isinstance(value, list) else []


@kustomer.on("kustomer.conversation.create")
def conversation_created(event: Event) -> Iterator[Message]:
    yield track("Ticket Created", _ticket(event))


@kustomer.on("kustomer.conversation.update")
def conversation_updated(event: Event) -> Iterator[Message]:
    """Report every fact: one save may assign, prioritise and close a conversation."""
    messages = [*_status(event), *_assigned(event), *_priority(event), *_rated(event), *_fields(event)]
    if not messages:
        raise Skip("only counters, times or internal fields changed")
    yield from messages


def _status(event: Event) -> Iterator[Message]:
    change = _changes(event, "attributes").maybe("status")
    if change:
        now, before = change.opt.text("after"), change.opt.text("before")
        name = "Ticket Status Changed"
        if "done" in {now, before} and now != before:
            name = "Ticket Solved" if now == "done" else "Ticket Reopened"
        yield track(name, {**_ticket(event), "status": now, "previous_status": before})


def _assigned(event: Event) -> Iterator[Message]:
    """Report each new assignee and team. A removed assignment is not reported."""
    users, teams = _new(event, "assignedUsers"), _new(event, "assignedTeams")
    for number, (user, team) in enumerate(zip_longest(users, teams)):
        assignment = {name: id_ for name, id_ in (("assignee_id", user), ("team_id", team)) if id_}
        yield track("Ticket Assigned", _ticket(event) | assignment, key=str(number) if number else "")


def _new(event: Event, name: str) -> list[str]:
    change = _changes(event, "attributes").maybe(name)
    before = _ids(change.get("before"))
    return [id_ for id_ in dict.fromkeys(_ids(change.get("after"))) if id_ not in before]


def _priority(event: Event) -> Iterator[Message]:
    change = _changes(event, "attributes").maybe("priority")
    if change:
        properties = change.select(priority="after:id", previous_priority="before:id")
        yield track("Ticket Priority Changed", _ticket(event) | properties)


def _rated(event: Event) -> Iterator[Message]:
    """Report a rating. Sending a survey changes `satisfactionLevel` too, without a rating."""
    change = _changes(event, "attributes").maybe("satisfactionLevel")
    rating = change.opt.id("after.rating")
    if rating is not None and rating != change.opt.id("before.rating"):
        yield track("Satisfaction Rated", {**_ticket(event), "rating": rating, "score": change.integer("after.rating")})


_FIELDS: Final = {"name": "subject", "subStatus": "sub_status", "tags": "tags"}


def _fields(event: Event) -> Iterator[Message]:
    changed = [field for name, field in _FIELDS.items() if name in _changes(event, "attributes").value]
    changed += [name for name in ("brand", "queue") if name in _changes(event, "relationships").value]
    if changed:
        yield track("Ticket Updated", {**_ticket(event), "changed": changed})


@kustomer.on("kustomer.message.create")
def message_created(event: Event) -> Iterator[Message]:
    """Report a message by its direction. Messages of Kustomer and its bots have no agent and are skipped."""
    data = event.body.object("data")
    attributes = data.object("attributes")
    direction, chat = attributes.text("direction"), attributes.text("channel", "") == "chat"
    properties = {
        "ticket_id": data.id("relationships.conversation.data.id"),
        "message_id": data.id("id"),
        "channel": attributes.opt.text("channel"),
    }
    if direction not in {"in", "out"}:
        raise Malformed("$.data.attributes.direction", "is neither in nor out")
    if attributes.flag("auto", False):
        raise Skip("written by a workflow or a bot")
    if attributes.text("directionType", "").startswith("initial-") and not chat:
        raise Skip("the message that opened the conversation; kustomer.conversation.create reports it")
    writer = _writer(data) if direction == "in" else None
    if direction == "in":
        name = "Live Chat Message Sent" if chat else "Ticket Replied"
    elif data.get("relationships.createdBy.data.type") != "user":
        raise Skip("written by no agent: a workflow, an assistant or the system")
    elif attributes.get("errorAt") is not None:
        raise Skip("a message that was not sent")
    else:
        properties["agent_id"] = data.id("relationships.createdBy.data.id")
        name = "Live Chat Message Received" if chat else "Ticket Replied"
    more = (
        {"conversation_id": properties["ticket_id"]}
        if chat
        else {"author": "customer" if direction == "in" else "agent"}
    )
    yield track(name, properties | more, identity=writer)


def _writer(data: Payload) -> Identity | None:
    """Return the customer who wrote, if it was not the conversation's own: a person in copy may reply."""
    kind, writer = data.get("relationships.createdBy.data.type"), _related(data, "createdBy")
    if kind not in ("customer", "customers") or writer is None or writer == _related(data, "customer"):
        return None
    return _by_id(writer)


kustomer.ignore("kustomer.message.update", because="a later state of a message that was reported when it was written")
kustomer.ignore("kustomer.note.*", because="a private note, not a customer action")
kustomer.ignore("kustomer.draft.*", because="a message that was not sent yet")
kustomer.ignore("kustomer.user.*", "kustomer.team.*", because="about your agents, not a customer")
kustomer.ignore("kustomer.tag.*", because="your team's own labels")
