"""A fictional provider for tests of the service: it signs like Stripe and sends one event or a batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

from translators.kit import (
    Delivery,
    Event,
    Head,
    HmacKvHeader,
    Identity,
    Item,
    Message,
    Refused,
    Response,
    Source,
    raw_items,
    track,
)  # fmt: skip
from webhooks.signatures import sign
from webhooks.sources.endpoints import Endpoint

SECRET = "whsec_acme"
NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SCHEME = HmacKvHeader(header="Acme-Signature")


def plain_head(item: Item) -> Head:
    return Head(id=item.body.id("id"), type=item.body.text("type"), occurred_at=item.body.seconds("created", None))


def make_source(*, head: Callable[[Item], Head] = plain_head, **more: Any) -> Source:
    source = Source("acme", scheme=SCHEME, keep_headers=["X-Kept"], **more)

    @source.split
    def split(delivery: Delivery) -> list[bytes | Item]:
        return list(raw_items(delivery.body)) if delivery.body.lstrip().startswith(b"[") else [delivery.body]

    source.head(head)

    @source.identity
    def who(event: Event) -> Identity:
        return Identity(anonymous=("customer", event.body.id("customer", "c1")))

    @source.handshake()
    def ping(delivery: Delivery) -> Response | None:
        return Response(body=b"pong", content_type="text/plain") if b'"ping"' in delivery.body else None

    @source.guard
    def guard(delivery: Delivery) -> None:
        if delivery.query.get("org") == "foreign":
            raise Refused("This delivery is for another organisation.")

    @source.on("thing.done")
    def done(event: Event) -> Iterator[Message]:
        yield track("Thing Done", {"thing_id": event.body.id("id")})

    source.ignore("thing.noise", because="it has no content")
    return source


def make_endpoint(source: Source | None = None, *, name: str = "acme", **more: Any) -> Endpoint:
    source = source or make_source()
    return Endpoint(
        name=name, source=source, scheme=next(iter(source.schemes.values())), secrets=more.pop("secrets", (SECRET,)),
        options=source.defaults(), **more,
    )  # fmt: skip


def body(id_: str = "evt_1", type_: str = "thing.done", **more: Any) -> bytes:
    return json.dumps({"id": id_, "type": type_, "created": int(NOW.timestamp()) - 60, **more}).encode()


def signed(payload: bytes, *, secret: str = SECRET, now: datetime = NOW) -> dict[str, str]:
    headers = {"Content-Type": "application/json"}
    return headers | dict(sign(SCHEME, body=payload, secret=secret, now=now).headers)
