"""Translate Plain's webhooks: threads to tickets, chat to live chat, customers to identify.

https://www.plain.com/docs/webhooks https://www.plain.com/docs/request-signing
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    Head,
    HmacBody,
    Identity,
    Item,
    Message,
    Need,
    Payload,
    Refused,
    Registered,
    Registering,
    Skip,
    Source,
    accept_account,
    bearer,
    identify,
    json_call,
    opens_ticket,
    real_name,
    text_option,
    track,
)

WORKSPACE_ID: Final = text_option("workspace_id", "accept events of this workspace only (w_...)")

plain = Source(
    "plain",
    title="Plain",
    docs="https://www.plain.com/docs/webhooks",
    secret_help="Settings > Request signing: the workspace's HMAC secret, one for all webhook targets",
    scheme=HmacBody(header="Plain-Request-Signature", ts_path="webhookMetadata.webhookDeliveryAttemptTimestamp"),
    options=[WORKSPACE_ID],
)

_API: Final = "https://core-api.uk.plain.com/graphql/v1"
_VERSION: Final = "2026-02-27"  # the payload version that this module reads
_PRIORITIES: Final = {0: "urgent", 1: "high", 2: "normal", 3: "low"}


accept_account(plain, WORKSPACE_ID, lambda delivery: delivery.payload.opt.id("workspaceId"), what="Plain workspace")


@plain.head
def head(item: Item) -> Head:
    """Return the id `pEv_...` and the event's time in milliseconds; both are the same on every attempt."""
    return Head(id=item.body.id("id"), type=item.body.text("type"), occurred_at=item.body.iso("timestamp"))


@plain.skip_if
def no_spam(event: Event) -> str | None:
    """Skip events of a customer whom your team marked as spam."""
    if _customer(event).get("markedAsSpamAt") is not None:
        return "the customer is marked as spam"
    return None


def _customer(event: Event) -> Payload:
    payload = event.body.object("payload")
    for path in ("thread.customer", "customer", "previousCustomer"):
        if payload.get(f"{path}.id"):
            return payload.object(path)
    raise Skip("no customer: the thread names none")


@plain.identity
def identity(event: Event) -> Identity:
    """Return the thread's customer. `externalId` of a customer or tenant is your own system's id."""
    customer = _customer(event)
    customer_id = customer.id("id")
    return Identity(
        user_ids=(customer.id("externalId", ""),),
        anonymous=("customer", customer_id),
        external_ids=(ExternalId("plain_customer_id", customer_id),),
        traits=_traits(customer.text("email.email", ""), customer.text("fullName", "")),
        group_id=event.body.opt.id("payload.tenant.externalId") if "payload.tenant" in event.body else None,
    )


def _traits(email: str, name: str) -> dict[str, str]:
    traits = {"email": email, "name": real_name(name)}
    return {trait: value for trait, value in traits.items() if value}


def _writer(event: Event, actor: Payload, email: str = "", name: str = "") -> Identity | None:
    """Return the customer who wrote, if it was not the thread's own: a person in copy or in a shared channel."""
    if actor.text("actorType", "customer") in {"deletedCustomer", "supportEmailAddress"}:
        raise Skip("written by a deleted customer or one of your own addresses")
    writer = actor.opt.id("customerId")
    if writer is None or writer == _customer(event).id("id"):
        return None
    return Identity(
        anonymous=("customer", writer),
        external_ids=(ExternalId("plain_customer_id", writer),),
        traits=_traits(email, name),
        group_id=identity(event).group_id,
    )


@plain.registration(
    Need(
        "api_key",
        "PLAIN_API_KEY",
        "an API key with webhookTarget:create, and workspaceHmac:read for the secret",
    )
)
def register(at: Registering) -> Registered:
    """Create one webhook target, then read the workspace's secret.

    https://www.plain.com/docs/graphql-reference/mutations/createWebhookTarget
    """
    headers = bearer(at.values["api_key"])
    subscriptions = [{"eventType": type_} for type_ in at.types]
    target = {
        "url": at.url, "description": "Segue", "isEnabled": True, "version": _VERSION,
        "eventSubscriptions": subscriptions,
    }  # fmt: skip
    created = yield json_call("POST", _API, headers, {"query": _CREATE, "variables": {"input": target}})
    for problem in (*created.each("errors"), created.maybe("data").maybe("createWebhookTarget").maybe("error")):
        if problem:  # a refusal has status 200, too
            raise Refused(problem.text("message", "without a reason"))
    created.id("data.createWebhookTarget.webhookTarget.id")
    secret = yield json_call("POST", _API, headers, {"query": "query { workspaceHmac { hmacSecret } }"})
    return secret.maybe("data").maybe("workspaceHmac").text("hmacSecret", "")


plain.manual_steps(
    "Settings > Webhooks > Add webhook target: {url}, version " + _VERSION + ", enabled.",
    "Choose these event types:{types}",
    "Settings > Request signing: copy the HMAC secret; there is one for the whole workspace.",
)

_CREATE: Final = (
    "mutation ($input: CreateWebhookTargetInput!) { createWebhookTarget(input: $input) "
    "{ webhookTarget { id } error { message type code } } }"
)


def _thread(event: Event, path: str = "payload.thread") -> dict[str, Any]:
    thread = event.body.object(path)
    assignee = thread.maybe("assignee")
    return {
        "ticket_id": thread.id("id"),
        **thread.select(subject="title:text", status="status:lower", status_detail="statusDetail.type:lower"),
        "priority": _PRIORITIES.get(thread.integer("priority", -1)),
        "tags": thread.texts_of("labels", "labelType.name") or None,
        **assignee.select(assignee_id="id:id", assignee_name="fullName:text"),
    }


def _agent(actor: Payload) -> dict[str, Any]:
    """Return the teammate who wrote. Skip machine users and the system, which are programs."""
    if actor.text("actorType") != "user":
        raise Skip("written by a machine user or Plain itself")
    return {"agent_id": actor.id("userId")}


@plain.on("thread.thread_created")
def thread_created(event: Event) -> Iterator[Message]:
    author = {"customer": "customer", "user": "agent"}.get(event.body.text("payload.thread.createdBy.actorType", ""))
    channel = event.body.text("payload.thread.firstInboundMessageInfo.messageSource", "").lower() or None
    yield track("Ticket Created", {**_thread(event), "author": author, "channel": channel})


@plain.on("thread.thread_status_transitioned")
def status_changed(event: Event) -> Iterator[Message]:
    now, before = event.body.text("payload.thread.status"), event.body.text("payload.previousThread.status", "")
    ignored = event.body.get("payload.thread.statusDetail.type") == "IGNORED"
    name = "Ticket Status Changed"
    if now == "DONE" and before != "DONE" and not ignored:
        name = "Ticket Solved"
    elif before == "DONE" and now != "DONE":
        name = "Ticket Reopened"
    yield track(name, {**_thread(event), "previous_status": before.lower() or None})


@plain.on("thread.thread_assignment_transitioned")
def assigned(event: Event) -> Iterator[Message]:
    ticket = _thread(event)
    if ticket.get("assignee_id") is None:
        raise Skip("the thread was unassigned")
    before = event.body.opt.id("payload.previousThread.assignee.id")
    yield track("Ticket Assigned", {**ticket, "previous_assignee_id": before})


@plain.on("thread.thread_priority_changed")
def priority_changed(event: Event) -> Iterator[Message]:
    before = _PRIORITIES.get(event.body.integer("payload.previousThread.priority", -1))
    yield track("Ticket Priority Changed", {**_thread(event), "previous_priority": before})


@plain.on("thread.thread_labels_changed", "thread.thread_tenant_updated")
def filed(event: Event) -> Iterator[Message]:
    changed = "tags" if event.type == "thread.thread_labels_changed" else "tenant"
    yield track("Ticket Updated", {**_thread(event), "changed": [changed]})


@plain.on("thread.thread_field_created", "thread.thread_field_updated", "thread.thread_field_deleted")
def field_changed(event: Event) -> Iterator[Message]:
    field = event.body.maybe("payload.threadField") or event.body.object("payload.previousThreadField")
    yield track("Ticket Updated", {**_thread(event), "changed": [field.text("key")]})


@plain.on("thread.service_level_agreement_status_transitioned")
def service_level_missed(event: Event) -> Iterator[Message]:
    """Report `BREACHING`, the time of the breach. `BREACHED` follows when the work is done too late."""
    detail = event.body.object("payload.serviceLevelAgreementStatusDetail")
    if detail.text("status") != "BREACHING":
        raise Skip("not the time of a breach")
    policy = event.body.text("payload.serviceLevelAgreement.type", "").lower() or None
    yield track("Ticket SLA Breached", {**_thread(event), "policy": policy}, occurred_at=detail.opt.iso("breachedAt"))


@plain.on("thread.email_received", "thread.email_sent")
def emailed(event: Event) -> Iterator[Message]:
    email = event.body.object("payload.email")
    if email.flag("isStartOfThread", False):
        raise Skip("the e-mail that opened the thread; thread.thread_created reports it")
    properties = _thread(event) | {"message_id": email.id("id"), "channel": "email"}
    if event.type == "thread.email_sent":
        yield track("Ticket Replied", {**properties, **_agent(email.object("createdBy")), "author": "agent"})
        return
    sender = email.maybe("from")
    actor = sender.maybe("emailActor") or email.maybe("createdBy")
    if _is_ours(actor):
        yield track("Ticket Replied", {**properties, **_agent(actor), "author": "agent"})
    else:
        person = _writer(event, actor, sender.text("email", ""), sender.text("name", ""))
        yield track("Ticket Replied", {**properties, "author": "customer"}, identity=person)


def _is_ours(actor: Payload) -> bool:
    """Return whether a teammate or machine user wrote. Plain's system may post a customer's message."""
    return actor.text("actorType", "customer") in {"user", "machineUser"}


_CHANNELS: Final = {"slack": "slackMessage", "ms_teams": "msTeamsMessage", "discord": "discordMessage"}


@plain.on(*(f"thread.{channel}_message_received" for channel in _CHANNELS))
def channel_message_received(event: Event) -> Iterator[Message]:
    properties, writer = _channel_message(event)
    if _is_ours(writer):
        yield track("Ticket Replied", {**properties, **_agent(writer), "author": "agent"})
    else:
        yield track("Ticket Replied", {**properties, "author": "customer"}, identity=_writer(event, writer))


@plain.on(*(f"thread.{channel}_message_sent" for channel in _CHANNELS))
def channel_message_sent(event: Event) -> Iterator[Message]:
    properties, writer = _channel_message(event)
    yield track("Ticket Replied", {**properties, **_agent(writer), "author": "agent"})


def _channel_message(event: Event) -> tuple[dict[str, Any], Payload]:
    channel = event.type.removeprefix("thread.").partition("_message")[0]
    message = event.body.object(f"payload.{_CHANNELS[channel]}")
    id_ = message.opt.id("id") or message.id("timelineEntryId")
    if _opens(event, message, channel):
        raise Skip("the message that opened the thread; thread.thread_created reports it")
    return _thread(event) | {"message_id": id_, "channel": channel}, message.maybe("createdBy")


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
    writer = event.body.maybe("payload.chat.createdBy")
    if _is_ours(writer):
        yield track("Live Chat Message Received", _chat(event) | _agent(writer))
    else:
        yield track("Live Chat Message Sent", _chat(event), identity=_writer(event, writer))


@plain.on("thread.chat_sent")
def chat_sent(event: Event) -> Iterator[Message]:
    yield track("Live Chat Message Received", _chat(event) | _agent(event.body.object("payload.chat.createdBy")))


def _chat(event: Event) -> dict[str, Any]:
    ticket = _thread(event)
    return ticket | {"conversation_id": ticket["ticket_id"], "message_id": event.body.id("payload.chat.id")}


@plain.on("customer.customer_created", "customer.customer_updated")
def customer_known(event: Event) -> Iterator[Message]:
    yield identify({"createdAt": event.body.opt.iso("payload.customer.createdAt")})


@plain.on("customer.customer_deleted")
def customer_deleted(event: Event) -> Iterator[Message]:
    yield track("Contact Deleted", {"contact_id": event.body.id("payload.previousCustomer.id")})


plain.ignore("thread.note_created", because="a private note, not a customer action")
plain.ignore(
    "thread.slack_message_updated", "thread.discord_message_updated",
    because="an edit of a message that was reported when it was sent, or a reaction",
)  # fmt: skip
plain.ignore(
    "customer.customer_changed", "timeline.timeline_entry_changed", because="more specific event types report the same"
)
plain.ignore(
    "customer.customer_group_changed", "customer.customer_group_memberships_changed",
    because="internal filing of customers by your team",
)  # fmt: skip
