"""A source from configuration alone, for a provider that nobody has written a translator for. No Python needed.

    [sources.acme]
    title = "Acme"
    scheme = { class = "HmacBody", header = "X-Acme-Signature", encoding = "hex" }
    id = "event_id"                     # a path in the body, or "header:X-Acme-Delivery"
    type = "event_type"
    time = "occurred_at"                # ISO 8601, unix seconds or milliseconds
    items = ""                          # the path of the list of a batch body; "$" when the body is the list

    [sources.acme.identity]
    user_id = "data.user.id"            # your own user id, where the provider carries it
    metadata = "data.metadata"          # or a free-form object that may hold one of your user id keys
    anonymous = "data.customer_id"      # else the provider's customer id
    external_ids = { acme_customer_id = "data.customer_id" }
    traits = { email = "data.email" }

    [sources.acme.events."order.paid"]
    track = "Order Completed"           # or identify = true, or group = "data.account_id"
    fields = { order_id = "data.id", revenue = { minor = "data.cents", currency = "data.currency" } }

    [sources.acme.ignore]
    "invoice.*" = "order.paid tells the same"

A field is a path, `{ value = … }` for a constant, `{ decimal = path }`, `{ time = path }`, or `{ minor = path,
currency = path }` for money in minor units. A missing member leaves the field out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields as dataclass_fields
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

import msgspec

from translators.kit import schemes
from translators.kit.errors import Declaration
from translators.kit.event import Delivery, Event, Head, Item
from translators.kit.identity import ExternalId, Identity
from translators.kit.message import Message, group, identify, track
from translators.kit.payload import Payload, raw_items
from translators.kit.source import Source

_SCHEMES: Final[Mapping[str, type[schemes.Scheme]]] = {
    kind.__name__: kind
    for kind in (
        schemes.HmacBody, schemes.HmacTimestamped, schemes.HmacKvHeader, schemes.StandardWebhooks,
        schemes.HmacRequest, schemes.HmacFields, schemes.PublicKey, schemes.SharedToken,
    )
}  # fmt: skip
_TOP: Final = {"title", "docs", "scheme", "id", "type", "time", "items", "identity", "events", "ignore"}
_IDENTITY: Final = {"user_id", "metadata", "anonymous", "external_ids", "traits", "group_id"}
_EVENT: Final = {"track", "identify", "group", "fields"}
_FIELD: Final = ({"value"}, {"decimal"}, {"time"}, {"minor", "currency"})

Read = Callable[[Payload], Any]


def configured(name: str, config: Mapping[str, Any]) -> Source:
    """The source that a table describes; `Declaration` says which key is wrong and how."""
    where = f"sources.{name}"
    _known(where, config, _TOP)
    for key in ("scheme", "type"):
        if key not in config:
            raise Declaration(f"{where}.{key} is missing")
    source = Source(
        name, scheme=_scheme(f"{where}.scheme", config["scheme"]), title=_text(where, config, "title"),
        docs=_text(where, config, "docs"), keep_headers=_headers(config),
    )  # fmt: skip
    _split(source, _text(where, config, "items"))
    source.event(_head(_text(where, config, "id"), _text(where, config, "type"), _text(where, config, "time")))
    source.who(_who(f"{where}.identity", _table(where, config, "identity")))
    for type_, entry in _table(where, config, "events").items():
        source.on(type_)(_handler(f'{where}.events."{type_}"', entry))
    for pattern, because in _table(where, config, "ignore").items():
        source.ignore(pattern, because=str(because))
    return source


def _known(where: str, table: Any, allowed: set[str]) -> None:
    if not isinstance(table, Mapping):
        raise Declaration(f"{where} must be a table")
    for key in table:
        if key not in allowed:
            raise Declaration(f"{where}.{key} is not a setting; known are {', '.join(sorted(allowed))}")


def _table(where: str, config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    table = config.get(key, {})
    if not isinstance(table, Mapping):
        raise Declaration(f"{where}.{key} must be a table")
    return table


def _text(where: str, config: Mapping[str, Any], key: str) -> str:
    value = config.get(key, "")
    if not isinstance(value, str):
        raise Declaration(f"{where}.{key} must be text")
    return value


def _headers(config: Mapping[str, Any]) -> list[str]:
    told = (config.get(key, "") for key in ("id", "type", "time"))
    return [value.removeprefix("header:") for value in told if isinstance(value, str) and value.startswith("header:")]


def _scheme(where: str, config: Any) -> schemes.Scheme:
    if not isinstance(config, Mapping) or config.get("class") not in _SCHEMES:
        raise Declaration(f"{where} needs class = one of {', '.join(sorted(_SCHEMES))}")
    kind = _SCHEMES[config["class"]]
    _known(where, config, {"class"} | {field.name for field in dataclass_fields(kind)} - {"strength"})
    try:
        return msgspec.convert({key: value for key, value in config.items() if key != "class"}, kind)
    except msgspec.ValidationError as error:
        raise Declaration(f"{where}: {error}") from None


def _split(source: Source, items: str) -> None:
    if items:
        steps = [] if items == "$" else items.split(".")

        @source.split
        def split(delivery: Delivery) -> list[bytes | Item]:
            return list(raw_items(delivery.body, *steps))


def _head(id_path: str, type_path: str, time_path: str) -> Callable[[Item], Head]:
    def read(item: Item, path: str) -> str:
        if path.startswith("header:"):
            return item.headers.get(path.removeprefix("header:").lower(), "")
        return item.body.id(path)

    def when(item: Item) -> datetime | None:
        if time_path.startswith("header:"):
            return Payload({"time": read(item, time_path) or None}, "header").when("time", None)
        return item.body.when(time_path, None) if time_path else None

    def head(item: Item) -> Head:
        key = read(item, id_path) if id_path else f"sha256:{sha256(item.raw).hexdigest()}"
        return Head(key, read(item, type_path), when(item))

    return head


def _who(where: str, config: Mapping[str, Any]) -> Callable[[Event], Identity]:
    _known(where, config, _IDENTITY)
    user_id, metadata, anonymous = (_text(where, config, key) for key in ("user_id", "metadata", "anonymous"))
    group_id = _text(where, config, "group_id")
    externals = _table(where, config, "external_ids")
    traits = {name: _field(f"{where}.traits.{name}", told) for name, told in _table(where, config, "traits").items()}
    for type_ in externals:
        ExternalId(type_, "")

    def who(event: Event) -> Identity:
        body = event.body
        known = body.id(anonymous, "") if anonymous else ""
        return Identity(
            metadata=(body.texts(metadata),) if metadata else (),
            user_ids=(body.id(user_id, ""),) if user_id else (),
            anonymous=("customer", known) if known else None,
            external_ids=tuple(ExternalId(type_, body.id(path, "")) for type_, path in externals.items()),
            traits={name: read(body) for name, read in traits.items()},
            group_id=(body.id(group_id, "") or None) if group_id else None,
        )

    return who


def _field(where: str, told: Any) -> Read:
    if isinstance(told, str):
        return lambda body: body.get(told)
    if not isinstance(told, Mapping) or set(told) not in _FIELD:
        raise Declaration(
            f"{where} must be a path, {{ value = … }}, {{ decimal = path }}, {{ time = path }} or "
            "{ minor = path, currency = path }"
        )
    if "value" in told:
        return lambda _: told["value"]
    if "decimal" in told:
        return lambda body: body.decimal(told["decimal"], None)
    if "time" in told:
        return lambda body: body.when(told["time"], None)
    return lambda body: body.money(told["minor"], told["currency"])


def _handler(where: str, config: Any) -> Callable[[Event], Iterator[Message]]:
    _known(where, config, _EVENT)
    reads = {name: _field(f"{where}.fields.{name}", told) for name, told in _table(where, config, "fields").items()}
    kinds = [kind for kind in ("track", "identify", "group") if config.get(kind)]
    if len(kinds) != 1:
        raise Declaration(f"{where} needs one of track = name, identify = true, group = path")
    told = config[kinds[0]]
    if kinds[0] != "identify" and not isinstance(told, str):
        raise Declaration(f"{where}.{kinds[0]} must be text")

    def handler(event: Event) -> Iterator[Message]:
        found = {name: read(event.body) for name, read in reads.items()}
        if kinds[0] == "track":
            yield track(told, found)
        elif kinds[0] == "identify":
            yield identify(found)
        else:
            yield group(event.body.id(told), found)

    return handler
