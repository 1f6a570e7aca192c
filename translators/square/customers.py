"""Customer records."""

from __future__ import annotations

from collections.abc import Iterator

from translators.kit import Event, Message, identify, track
from translators.square.source import event_object, square


@square.on("customer.created")
def customer_created(event: Event) -> Iterator[Message]:
    yield identify({"company": _company(event), **event_object(event).select(createdAt="created_at:utc")})
    yield track("Customer Created", {"customer_id": event.body.id("data.id")})


@square.on("customer.updated")
def customer_updated(event: Event) -> Iterator[Message]:
    yield identify({"company": _company(event)})


@square.on("customer.deleted")
def customer_deleted(event: Event) -> Iterator[Message]:
    yield track("Customer Deleted", {"customer_id": event.body.id("data.id")})


def _company(event: Event) -> dict[str, str] | None:
    name = event_object(event).opt.text("company_name")
    return {"name": name} if name else None
