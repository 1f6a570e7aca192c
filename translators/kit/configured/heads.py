"""How a configured source splits a delivery and names its events: `items`, `id`, `type`, `time`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from translators.kit.configured.tables import Table
from translators.kit.errors import Malformed
from translators.kit.event import Delivery, FormerId, Head, Item
from translators.kit.keys import joined
from translators.kit.members import raw_items
from translators.kit.payload import Payload
from translators.kit.source import Source

_HEADER: Final = "header:"


def body_of(item: Item, *, form: bool) -> Payload:
    """Return the item's members, of its JSON or its form."""
    return Payload(dict(item.form)) if form else item.body


def headers(table: Table) -> list[str]:
    """Return the headers of a source's id, type or time, which are kept with the event."""
    paths = (path for key in ("id", "type", "time") for path in _paths(table, key))
    return [path.removeprefix(_HEADER) for path in paths if path.startswith(_HEADER)]


def _paths(table: Table, key: str) -> list[str]:
    value = table.value.get(key)
    return [path for path in (value if isinstance(value, list) else [value]) if isinstance(path, str)]


def declare(source: Source, table: Table, *, form: bool) -> None:
    """Register how the source splits deliveries and names events."""
    items, ids, types, time = table.text("items"), table.texts("id"), table.texts("type"), table.text("time")
    naive = table.flag("naive_times_are_utc")
    if not types:
        table.fault("type", "is missing: the path of the event's type")
    if form and items:
        table.fault("items", 'cannot be with body = "form": a form is one event')
    if items:
        steps = [] if items == "$" else items.split(".")

        @source.split
        def split(delivery: Delivery) -> list[bytes | Item]:
            return list(raw_items(delivery.body, *steps))

    # A header is the delivery's: by it alone all members of a batch would have one name
    of_delivery = bool(items) and all(path.startswith(_HEADER) for path in ids)

    @source.head
    def head(item: Item) -> Head:
        body = body_of(item, form=form)
        parts = [_required(item, body, path) for path in ids]
        own = joined(*parts) if parts else ""
        type_ = ".".join(filter(None, (_read(item, body, path) for path in types)))
        if not type_:
            raise Malformed(f"$.{types[0]}", "is missing, and it names the event's type")
        at = _when(item, body, time, naive=naive) if time else None
        if own:
            id_ = f"{own}:{item.digest}" if of_delivery else own
            former = FormerId(":".join(parts), same_bytes=of_delivery)
            return Head(id=id_, type=type_, occurred_at=at, former_ids=(former,))
        # If the body does not hold the type, two events may have one body, such as `{"id": 1}`.
        id_ = f"{type_}:{item.digest}" if any(path.startswith(_HEADER) for path in types) else item.digest
        return Head(id=id_, type=type_, occurred_at=at, former_ids=(FormerId(item.digest),))


def _read(item: Item, body: Payload, path: str) -> str:
    if path.startswith(_HEADER):
        return item.headers.get(path.removeprefix(_HEADER).lower(), "")
    return body.id(path, "")


def _required(item: Item, body: Payload, path: str) -> str:
    value = _read(item, body, path)
    if not value:
        raise Malformed(path if path.startswith(_HEADER) else f"$.{path}", "is missing, and it names the event")
    return value


def _when(item: Item, body: Payload, path: str, *, naive: bool) -> datetime | None:
    """Return the time of ISO 8601, unix seconds or milliseconds; None if there is none: then the receipt's is used."""
    if path.startswith(_HEADER):
        body, path = Payload({"value": _read(item, body, path) or None}, path), "value"
    value = body.get(path)
    if isinstance(value, str):
        if not value.strip():
            return None
        try:
            parsed = datetime.fromisoformat(value.strip())
        except ValueError:
            return body.when(path)
        if parsed.tzinfo is None:
            if not naive:
                raise Malformed(f"{body.path}.{path}", "has no time zone; naive_times_are_utc = true takes it for UTC")
            return parsed.replace(tzinfo=UTC)
    return body.opt.when(path)
