"""Bodies that an operator pasted as a template: every value is text, and an empty text means "none"."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Any, Final

from translators.kit.errors import Malformed
from translators.kit.payload import Payload
from translators.kit.times import from_iso

BLANK: Final = ("", "null", "None", "undefined", "nil", "<no value>", "[object Object]")
"""What template languages print for no value."""


def filled(body: Payload, *, blank: Collection[str] = ("",)) -> Payload:
    """Return the body without members that the provider had no value for; `blank` lists the texts that mean so.

    A placeholder that was not filled in (`{{ticket.group.id}}`) counts as blank too.
    """
    return Payload(_filled(body.value, blank), body.path)


def template_object(body: Payload, name: str, *, page: str, place: str) -> Payload:
    """Return an object of the template, empty if the provider had no value for it.

    Raise `Malformed` if the body lacks the member: the template of docs/sources/`page`.md was not pasted into `place`.
    """
    if name not in body.value:
        hint = f"is missing: paste the template of docs/sources/{page}.md into the {place}"
        raise Malformed(f"{body.path}.{name}", hint)
    return body.maybe(name)


def moment(body: Payload, path: str, *, naive_is_utc: bool = False) -> datetime | None:
    """Return the ISO 8601 time at a path of a template; None if there is none or it cannot be read."""
    value = body.get(path)
    try:
        return from_iso(value, naive_is_utc=naive_is_utc) if isinstance(value, str) else None
    except ValueError:
        return None


def _filled(value: Any, blank: Collection[str]) -> Any:
    if isinstance(value, dict):
        return {name: _filled(member, blank) for name, member in value.items() if not _is_blank(member, blank)}
    if isinstance(value, list):
        return [_filled(member, blank) for member in value if not _is_blank(member, blank)]
    return value


def _is_blank(value: Any, blank: Collection[str]) -> bool:
    if not isinstance(value, str):
        return False
    text = value.strip()
    return text in blank or (text.startswith("{{") and text.endswith("}}"))
