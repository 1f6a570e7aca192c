"""Messages and events for delivery tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from translators.kit import Event, HmacBody, Identity, Message, Skip, Source, to_iso, track
from webhooks.segment import Encoded, encode
from webhooks.sources.endpoints import Endpoint

SCHEME = HmacBody(header="X-Shop-Signature")
AT = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)


def message(number: int | str = 1, **more: Any) -> dict[str, Any]:
    """Return a valid track call; None in `more` removes a member."""
    members = {
        "type": "track", "messageId": f"m-{number}", "timestamp": to_iso(AT), "userId": "u1",
        "event": "Order Completed", "properties": {"n": number}, **more,
    }  # fmt: skip
    return {name: value for name, value in members.items() if value is not None}


def encoded(number: int | str = 1, **more: Any) -> Encoded:
    return Encoded(f"m-{number}", encode(message(number, **more)))


def shop(name: str = "shop") -> Source:
    """Return a source whose body says how many messages its event makes."""
    source = Source(name, scheme=SCHEME)

    @source.identity
    def who(event: Event) -> Identity:
        user = event.body.text("user", "u1")
        return Identity(user_ids=(user,) if user else ())

    @source.on("order")
    def order(event: Event) -> list[Message]:
        fields = {"total": event.body.decimal("total", None), "note": event.body.text("note", None)}
        return [track("Order Completed", fields, key=str(part)) for part in range(event.body.integer("parts", 1))]

    @source.on("test_mode")
    def of_test_mode(event: Event) -> list[Message]:
        raise Skip("a test order; set SEGUE_SHOP_ENVIRONMENT=both to deliver it too")

    @source.on("skipped")
    def skipped(event: Event) -> list[Message]:
        raise Skip("a draft means nothing")

    @source.on("broken")
    def broken(event: Event) -> list[Message]:
        raise RuntimeError("a bug of the translator")

    @source.on("half")
    def half(event: Event) -> list[Message]:
        return [track("Order Completed", {"note": "x" * 33_000}), track("Order Updated")]

    @source.on("surrogate")
    def surrogate(event: Event) -> list[Message]:
        return [track("Order Completed", {"note": "\ud800"})]

    return source


def endpoint(name: str = "shop", *, write_key: str = "") -> Endpoint:
    source = shop()
    return Endpoint(name=name, source=source, scheme=SCHEME, write_key=write_key)


def event(number: int, body: str = "{}", *, type: str = "order", source: str = "shop") -> Event:
    at = AT + timedelta(seconds=number)
    return Event(source=source, id=f"e{number}", type=type, occurred_at=at, received_at=at, raw=body.encode())
