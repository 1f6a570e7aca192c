"""Customer records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Message, Payload, identify, track
from translators.shopify.source import shopify


@shopify.on("customers/create")
def customer_created(event: Event) -> Iterator[Message]:
    yield identify({**_traits(event.body), **event.body.select(createdAt="created_at:iso")})
    yield track("Customer Created", {"customer_id": event.body.id("id")})


@shopify.on("customers/update")
def customer_updated(event: Event) -> Iterator[Message]:
    yield identify(_traits(event.body))


@shopify.tracks({"customers/delete": "Customer Deleted"})
def customer_deleted(event: Event) -> dict[str, Any]:
    return {"customer_id": event.body.id("id")}


def _traits(body: Payload) -> dict[str, Any]:
    return body.select("orders_count:integer", "total_spent:decimal", "accepts_marketing:flag")
