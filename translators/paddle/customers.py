"""Customers and their payment methods."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.kit import Event, Message, identify, track
from translators.paddle.source import paddle


@paddle.on("customer.created", "customer.imported")
def customer_created(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    yield identify(data.select(createdAt="created_at:utc", locale="locale:text"))
    yield track("Customer Created", {"customer_id": data.id("id")})


@paddle.on("customer.updated")
def customer_updated(event: Event) -> Iterator[Message]:
    yield identify(event.body.select("data.locale:text"))


@paddle.tracks({"payment_method.saved": "Payment Method Added", "payment_method.deleted": "Payment Method Removed"})
def payment_method(event: Event) -> dict[str, Any]:
    return {"payment_method_id": event.body.id("data.id"), **event.body.select(payment_method="data.type:text")}
