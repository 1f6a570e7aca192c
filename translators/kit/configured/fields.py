"""One property or trait of a configured source: a path, or a small table that says how it is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from translators.kit.configured.tables import Table
from translators.kit.payload import Payload

Read = Callable[[Payload], Any]

# The form's keys, and the JSON type that it gives, if that is known.
FORMS: Final[Mapping[frozenset[str], str]] = {
    frozenset({"value"}): "",
    frozenset({"id"}): "string",
    frozenset({"text"}): "string",
    frozenset({"decimal"}): "number",
    frozenset({"time"}): "string",
    frozenset({"minor", "currency"}): "number",
}
_SHAPES: Final = (
    "a path, { value = ... }, { id = path }, { text = path }, { decimal = path }, { time = path } "
    "or { minor = path, currency = path }"
)


def read_of(table: Table, name: str, field: Any) -> Read:
    """Return how the field is read; note what is wrong with it."""
    if isinstance(field, str) and field:
        return lambda body: body.get(field)
    form = frozenset(field) if isinstance(field, Mapping) else frozenset()
    paths = [] if form == {"value"} else [field[key] for key in form] if form in FORMS else [None]
    if not all(isinstance(path, str) and path for path in paths):
        table.fault(name, f"must be {_SHAPES}")
        return lambda _: None
    match sorted(form):
        case ["value"]:
            return lambda _: field["value"]
        case ["id"]:
            return lambda body: body.opt.id(field["id"])
        case ["text"]:
            return lambda body: body.opt.text(field["text"])
        case ["decimal"]:
            return lambda body: body.opt.decimal(field["decimal"])
        case ["time"]:
            return lambda body: body.opt.when(field["time"])
    return lambda body: body.money(field["minor"], field["currency"])


def kind_of(field: Any) -> str:
    """Return the JSON type of what the field gives, empty if the provider decides."""
    if not isinstance(field, Mapping):
        return ""
    if set(field) == {"value"}:
        return {str: "string", bool: "boolean", int: "integer", float: "number"}.get(type(field["value"]), "")
    return FORMS.get(frozenset(field), "")
