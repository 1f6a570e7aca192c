"""Translate customers to identify."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Message, identify
from translators.plain.source import plain


@plain.on("customer.customer_created", "customer.customer_updated")
def customer_known(event: Event) -> Iterator[Message]:
    yield identify({"createdAt": event.body.opt.iso("payload.customer.createdAt")})


@plain.tracks({"customer.customer_deleted": "Contact Deleted"})
def customer_deleted(event: Event) -> dict[str, Any]:
    return {"contact_id": event.body.id("payload.previousCustomer.id")}
