"""The operator's own data that a provider carries (custom arguments, hidden fields, `metadata`), sent by choice."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from translators.kit.event import Event
from translators.kit.options import list_option
from translators.kit.payload import Payload

METADATA_FIELDS: Final = list_option(
    "metadata_fields",
    "which of your own data that the provider carries are sent, in the property `metadata`: their names, or * for all",
)
"""The option of a source whose payloads carry the operator's own data."""


def own_data(body: Payload, path: str) -> dict[str, Any]:
    """Return the members of the object at the path; none if it is no object, which makes no event malformed."""
    members = body.get(path)
    return members if isinstance(members, dict) else {}


def metadata_of(event: Event, own: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return those texts, numbers and flags that the option `metadata_fields` names, None if there are none."""
    names = METADATA_FIELDS.of(event)
    selected = own if "*" in names else [name for name in names if name in own]
    return {name: own[name] for name in selected if isinstance(own[name], str | int | Decimal)} or None
