"""Segment's limits, and the faults that it drops a message for after a 200. Every message is checked before it is sent.

https://segment.com/docs/connections/sources/catalog/libraries/server/http-api/
https://segment.com/docs/connections/spec/common/
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

MESSAGE_BYTES: Final = 32_000
"""`32KB`: Segment does not say whether of 1,000 or 1,024 bytes. This is the smaller, with a margin."""
BATCH_BYTES: Final = 475_000
"""Under the documented `500KB`, as in Segment's own libraries."""
BATCH_MESSAGES: Final = 2_500
"""Segment answers 200 for more, but rejects them."""
PROPERTIES: Final = 10_000
"""More are dropped without an error. https://segment.com/docs/connections/rate-limits/"""
MESSAGE_ID: Final = 100
"""A messageId must be shorter than this. https://segment.com/docs/connections/spec/common/#structure"""
MESSAGE_TYPES: Final = frozenset({"track", "identify", "group", "page", "screen", "alias"})
YEARS: Final = range(1980, 2100)
"""A time outside these years was read in the wrong unit."""

_EXTERNAL_ID: Final = {"id", "type", "collection", "encoding"}
_BODY: Final = {
    "track": "properties",
    "page": "properties",
    "screen": "properties",
    "identify": "traits",
    "group": "traits",
}


def faults(message: Mapping[str, Any], encoded: bytes) -> str | None:
    """Return what is wrong with a message and how to fix it, or None. `encoded` is the message's exact bytes."""
    kind = message.get("type")
    if kind not in MESSAGE_TYPES:
        return f"type {kind!r} is not one of Segment's: use one of {', '.join(sorted(MESSAGE_TYPES))}"
    return (
        _envelope(message)
        or _identity(kind, message)
        or _shape(kind, message)
        or _context(message.get("context"))
        or _size(encoded)
    )


def _envelope(message: Mapping[str, Any]) -> str | None:
    id_ = message.get("messageId")
    if not isinstance(id_, str) or not id_:
        return "messageId is missing, so a retry would count twice: set a deterministic one"
    if len(id_) >= MESSAGE_ID:
        return f"messageId has {len(id_)} characters: keep it under {MESSAGE_ID}"
    if "sentAt" in message:
        return "sentAt inside a message shifts its timestamp: leave it out"
    return _timestamp(message.get("timestamp"))


def _timestamp(value: Any) -> str | None:
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return f"timestamp {value!r} is not ISO 8601: write the event's own time, such as 2026-03-31T12:00:00.000Z"
    if time.tzinfo is None:
        return f"timestamp {value!r} has no time zone: write the event's time in UTC with a Z"
    if time.year not in YEARS:
        return f"timestamp {value!r} is implausible: check whether seconds were read as milliseconds, or the reverse"
    return None


def _identity(kind: str, message: Mapping[str, Any]) -> str | None:
    for name in ("userId", "anonymousId"):
        value = message.get(name)
        if value is not None and (not isinstance(value, str) or not value.strip()):
            return f"{name} must be a non-empty string: set the id as a string, or leave it out"
    if kind == "alias":
        previous = message.get("previousId")
        if not isinstance(previous, str) or not previous.strip() or not message.get("userId"):
            return "an alias needs previousId and userId: set both, or send no alias"
    if not message.get("userId") and not message.get("anonymousId"):
        return "neither userId nor anonymousId, so Segment drops it: return an identity for the event in the source"
    return None


def _shape(kind: str, message: Mapping[str, Any]) -> str | None:
    event = message.get("event")
    if kind == "track" and (not isinstance(event, str) or not event.strip()):
        return "a track has no event name, so Segment drops it: set the event's name"
    group_id = message.get("groupId")
    if kind == "group" and (not isinstance(group_id, str) or not group_id.strip()):
        return "a group needs a groupId: set the account's id as a string"
    for name in ("properties", "traits"):
        if name not in message:
            continue
        if _BODY.get(kind) != name:
            return f"{name} are not allowed in {kind}: {_hint(kind)}"
        fields = message[name]
        if not isinstance(fields, Mapping):
            return f"{name} must be an object: set names and values"
        if len(fields) > PROPERTIES:
            return f"{len(fields)} {name}, and Segment drops those beyond {PROPERTIES}: send fewer"
    return None


def _hint(kind: str) -> str:
    return f"move them to {_BODY[kind]}" if kind in _BODY else "leave them out"


def _context(context: Any) -> str | None:
    if context is None:
        return None
    if not isinstance(context, Mapping):
        return "context must be an object: set names and values"
    consent = context.get("consent")
    if consent is not None:
        if not isinstance(consent, Mapping):
            return "context.consent must be an object: set categoryPreferences, or leave it out"
        if "categoryPreferences" in consent and not _preferences(consent["categoryPreferences"]):
            return (
                "context.consent.categoryPreferences must set each category to true or false, since an empty one "
                "withdraws every consent: leave consent out if it is not known"
            )
    return _external_ids(context["externalIds"]) if "externalIds" in context else None


def _preferences(value: Any) -> bool:
    return isinstance(value, Mapping) and bool(value) and all(isinstance(choice, bool) for choice in value.values())


def _external_ids(entries: Any) -> str | None:
    valid = isinstance(entries, list) and all(
        isinstance(entry, Mapping)
        and set(entry) == _EXTERNAL_ID
        and all(isinstance(value, str) and value for value in entry.values())
        and entry["type"] == entry["type"].lower()
        and entry["collection"] in {"users", "accounts"}
        and entry["encoding"] == "none"
        for entry in entries
    )
    if valid:
        return None
    return (
        "context.externalIds must be a list of {id, type, collection, encoding}: type in lower case, collection "
        "users or accounts, encoding none"
    )


def _size(encoded: bytes) -> str | None:
    if len(encoded) > MESSAGE_BYTES:
        return f"{len(encoded)} bytes, over Segment's {MESSAGE_BYTES}: send fewer or shorter fields"
    return None
