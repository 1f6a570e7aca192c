"""Customer records."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Message, Payload, identify, track
from translators.shopify.source import shopify


@shopify.on("customers/create")
def customer_created(event: Event) -> Iterator[Message]:
    yield identify({**_traits(event.body), "createdAt": event.body.opt.iso("created_at")})
    yield track("Customer Created", {"customer_id": event.body.id("id")})


@shopify.on("customers/update")
def customer_updated(event: Event) -> Iterator[Message]:
    yield identify(_traits(event.body))


@shopify.on("customers/delete")
def customer_deleted(event: Event) -> Iterator[Message]:
    yield track("Customer Deleted", {"customer_id": event.body.id("id")})


def _traits(body: Payload) -> dict[str, Any]:
    return body.select("orders_count:integer", "total_spent:decimal", "accepts_marketing:flag")
