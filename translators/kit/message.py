"""Segment's messages as a handler writes them. Time, id, identity and context are added by the service.

https://segment.com/docs/connections/spec/
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from translators.kit.identity import Identity

MessageType = Literal["track", "identify", "group", "page", "screen", "alias"]


class _Clear:
    """Sends a real null, which erases the trait at Segment. A plain None is left out instead."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "CLEAR"


CLEAR: Final = _Clear()
"""A trait or property that is sent as null, which erases it at Segment; None leaves it out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message, as `track`, `identify` and the others make it.

    kind          track, identify, group, page, screen or alias
    name          of a track, page or screen
    fields        properties (track, page, screen) or traits (identify, group); None leaves a field out
    key           distinguishes two messages of one kind and name made of one event; part of the messageId
    occurred_at   the provider's own time of *this* fact, if it differs from the event's
    identity      another person than the source's `identity` gives
    group_id      of a group
    previous_id   of an alias
    context       more of Segment's common context, merged over the service's
    integrations  Segment's destination switches
    """

    kind: MessageType
    name: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict)
    key: str = ""
    occurred_at: datetime | None = None
    identity: Identity | None = None
    group_id: str = ""
    previous_id: str = ""
    context: Mapping[str, Any] = field(default_factory=dict)
    integrations: Mapping[str, Any] = field(default_factory=dict)


def track(
    name: str,
    properties: Mapping[str, Any] | None = None,
    /,
    *,
    key: str = "",
    occurred_at: datetime | None = None,
    identity: Identity | None = None,
    context: Mapping[str, Any] | None = None,
) -> Message:
    """Return a track: something happened. `name` is an event of Segment's spec or of Segue's vocabulary."""
    return Message(
        kind="track",
        name=name,
        fields=properties or {},
        key=key,
        occurred_at=occurred_at,
        identity=identity,
        context=context or {},
    )


def identify(
    traits: Mapping[str, Any] | None = None,
    /,
    *,
    key: str = "",
    occurred_at: datetime | None = None,
    identity: Identity | None = None,
    context: Mapping[str, Any] | None = None,
) -> Message:
    """Return an identify: what is now known of a person. Traits of the identity are included."""
    return Message(
        kind="identify", fields=traits or {}, key=key, occurred_at=occurred_at, identity=identity, context=context or {}
    )


def group(
    group_id: str,
    traits: Mapping[str, Any] | None = None,
    /,
    *,
    key: str = "",
    occurred_at: datetime | None = None,
    identity: Identity | None = None,
    context: Mapping[str, Any] | None = None,
) -> Message:
    """Return a group: what is now known of an account, and that the person belongs to it."""
    return Message(
        kind="group",
        group_id=group_id,
        fields=traits or {},
        key=key,
        occurred_at=occurred_at,
        identity=identity,
        context=context or {},
    )


def page(name: str, properties: Mapping[str, Any] | None = None, /, *, key: str = "") -> Message:
    """Return a page: a page was seen."""
    return Message(kind="page", name=name, fields=properties or {}, key=key)


def screen(name: str, properties: Mapping[str, Any] | None = None, /, *, key: str = "") -> Message:
    """Return a screen: a screen was seen."""
    return Message(kind="screen", name=name, fields=properties or {}, key=key)


def alias(previous_id: str, /, *, key: str = "", identity: Identity | None = None) -> Message:
    """Return an alias: two ids are one person, since the provider merged them."""
    return Message(kind="alias", previous_id=previous_id, key=key, identity=identity)
