"""Translate threads to tickets."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import Event, Message, Skip, assigned, ticket_event, track
from translators.plain.source import plain

_PRIORITIES: Final = {0: "urgent", 1: "high", 2: "normal", 3: "low"}


def ticket(event: Event) -> dict[str, Any]:
    """Return the properties of the event's thread."""
    thread = event.body.object("payload.thread")
    return {
        "ticket_id": thread.id("id"),
        **thread.select(subject="title:text", status="status:lower", status_detail="statusDetail.type:lower"),
        "priority": _PRIORITIES.get(thread.integer("priority", -1)),
        "tags": thread.texts_of("labels", "labelType.name") or None,
        **thread.maybe("assignee").select(assignee_id="id:id", assignee_name="fullName:text"),
    }


@plain.tracks({"thread.thread_created": "Ticket Created"})
def thread_created(event: Event) -> dict[str, Any]:
    thread = event.body.object("payload.thread")
    author = {"customer": "customer", "user": "agent"}.get(thread.text("createdBy.actorType", ""))
    channel = thread.opt.lower("firstInboundMessageInfo.messageSource")
    return {**ticket(event), "author": author, "channel": channel}


@plain.on("thread.thread_status_transitioned")
def status_changed(event: Event) -> Iterator[Message]:
    """Report the new status. An ignored thread is done without being solved."""
    now, before = event.body.text("payload.thread.status"), event.body.opt.text("payload.previousThread.status")
    name = ticket_event(before, now, {"DONE"})
    if name == "Ticket Solved" and event.body.get("payload.thread.statusDetail.type") == "IGNORED":
        name = "Ticket Status Changed"
    yield track(name, {**ticket(event), **event.body.select(previous_status="payload.previousThread.status:lower")})


@plain.tracks({"thread.thread_assignment_transitioned": "Ticket Assigned"})
def thread_assigned(event: Event) -> dict[str, Any]:
    before = event.body.opt.id("payload.previousThread.assignee.id")
    return {**assigned(ticket(event), "thread"), "previous_assignee_id": before}


@plain.tracks({"thread.thread_priority_changed": "Ticket Priority Changed"})
def priority_changed(event: Event) -> dict[str, Any]:
    before = _PRIORITIES.get(event.body.integer("payload.previousThread.priority", -1))
    return {**ticket(event), "previous_priority": before}


_CHANGED: Final = {"thread.thread_labels_changed": "tags", "thread.thread_tenant_updated": "tenant"}


@plain.tracks(dict.fromkeys(_CHANGED, "Ticket Updated"))
def filed(event: Event) -> dict[str, Any]:
    return {**ticket(event), "changed": [_CHANGED[event.type]]}


@plain.tracks(
    dict.fromkeys((f"thread.thread_field_{done}" for done in ("created", "updated", "deleted")), "Ticket Updated")
)
def field_changed(event: Event) -> dict[str, Any]:
    field = event.body.maybe("payload.threadField") or event.body.object("payload.previousThreadField")
    return {**ticket(event), "changed": [field.text("key")]}


@plain.on("thread.service_level_agreement_status_transitioned")
def service_level_missed(event: Event) -> Iterator[Message]:
    """Report `BREACHING`, the time of the breach. `BREACHED` follows when the work is done too late."""
    detail = event.body.object("payload.serviceLevelAgreementStatusDetail")
    if detail.text("status") != "BREACHING":
        raise Skip("not the time of a breach")
    policy = event.body.opt.lower("payload.serviceLevelAgreement.type")
    yield track("Ticket SLA Breached", {**ticket(event), "policy": policy}, occurred_at=detail.opt.iso("breachedAt"))
