"""Customers and their payment methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.chargebee.source import chargebee
from translators.kit import Event, Message, Payload, identify, track


@chargebee.on("customer_created")
def customer_created(event: Event) -> Iterator[Message]:
    person = event.body.object("content.customer")
    yield identify({"company": _company(person), **person.select(createdAt="created_at:seconds")})
    yield track("Customer Created", {"customer_id": person.id("id")})


@chargebee.on("customer_changed")
def customer_changed(event: Event) -> Iterator[Message]:
    yield identify({"company": _company(event.body.object("content.customer"))})


@chargebee.tracks({"customer_deleted": "Customer Deleted"})
def customer_deleted(event: Event) -> dict[str, Any]:
    return {"customer_id": event.body.id("content.customer.id")}


def _company(person: Payload) -> dict[str, str] | None:
    name = person.opt.text("company")
    return {"name": name} if name else None


@chargebee.tracks(
    {
        "payment_source_added": "Payment Method Added",
        "payment_source_updated": "Payment Method Updated",
        "payment_source_deleted": "Payment Method Removed",
    }
)
def payment_method(event: Event) -> dict[str, Any]:
    method = event.body.object("content.payment_source")
    return {"payment_method_id": method.id("id"), **method.select(payment_method="type:text")}
