"""Former keys: an arriving event that is stored under another key already, such as the key an earlier release gave.

A stored event counts as the same one if its source and type are equal, and its body too for a key that is marked
`same_bytes`. Only events that bring former keys are looked up: one query for a whole group commit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, NamedTuple
from zlib import crc32

from translators.kit import Event
from webhooks.journal import records
from webhooks.journal.encryption import Content, Encryption, Undecryptable
from webhooks.journal.records import Params

_NAME: Final = slice(0, 2)
_TYPE: Final = 2
_CONTENT: Final = slice(7, 10)
"""Source and key, the type and the content as `records.new` orders them."""
BUCKETS: Final = 4096
MOST: Final = 64
"""Buckets that one transaction locks; the server has space for some thousand locks."""


@dataclass(frozen=True, slots=True)
class ArrivingEvents:
    """The events of one `append`, as rows; and those that bring former keys, by their place among the rows."""

    rows: list[Params]
    events: Mapping[int, Event] = field(default_factory=dict)


class FormerKeyQuery(NamedTuple):
    """A former key to look up. `body` is given only if the stored body must be equal."""

    source: str
    key: str
    body: bytes | None


class StoredKey(NamedTuple):
    """The stored event of a former key. If the body is to be compared: `same` says so, or else its content."""

    type: str
    same: bool = False
    content: Content | None = None


Look = Callable[[Sequence[FormerKeyQuery]], Mapping[int, StoredKey]]
"""The stored events of former keys, by their place in the sequence."""


def arrivals(events: Sequence[Event], now: datetime, seal: Encryption) -> ArrivingEvents:
    """The rows of new events."""
    rows = [records.new(event, now, seal) for event in events]
    return ArrivingEvents(rows, {place: event for place, event in enumerate(events) if event.former_keys})


def joined(group: Sequence[ArrivingEvents]) -> ArrivingEvents:
    """All the arrivals of a group commit, in order."""
    rows: list[Params] = []
    events: dict[int, Event] = {}
    for arrivals in group:
        events.update((len(rows) + place, event) for place, event in arrivals.events.items())
        rows += arrivals.rows
    return ArrivingEvents(rows, events)


def stored_before(arrivals: ArrivingEvents, look: Look, seal: Encryption) -> set[int]:
    """The places of rows that are stored, or come earlier among these rows, under one of their former keys."""
    sought = [
        (place, FormerKeyQuery(event.source, former.key, event.raw if former.same_bytes else None))
        for place, event in arrivals.events.items()
        for former in event.former_keys
        if former.key != event.key
    ]
    held = look([former for _, former in sought])
    by_place: dict[int, list[tuple[FormerKeyQuery, StoredKey | None]]] = {}
    for number, (place, former) in enumerate(sought):
        by_place.setdefault(place, []).append((former, held.get(number)))
    first: dict[Params, Params] = {}
    repeated: set[int] = set()
    for place, row in enumerate(arrivals.rows):
        for former, stored in by_place.get(place, ()):
            earlier = first.get((former.source, former.key)) if stored is None else None
            candidate = StoredKey(earlier[_TYPE], content=earlier[_CONTENT]) if earlier else stored
            if candidate is not None and _is_same(former, candidate, row[_TYPE], seal):
                repeated.add(place)
                break
        else:
            first.setdefault(row[_NAME], row)
    return repeated


def buckets(arrivals: ArrivingEvents) -> list[int] | None:
    """Numbers to lock, in order, so that of two transactions that bring each other's keys one waits for the other.

    None for all of them.
    """
    names = {
        f"{event.source}/{key}"
        for event in arrivals.events.values()
        for key in (event.key, *(former.key for former in event.former_keys))
    }
    numbers = {crc32(name.encode("utf-8", "surrogatepass")) % BUCKETS for name in names}
    return sorted(numbers) if len(numbers) <= MOST else None


def _is_same(former: FormerKeyQuery, held: StoredKey, type_: str, seal: Encryption) -> bool:
    if held.type != type_:
        return False
    if former.body is None or held.same:
        return True
    if held.content is None:
        return False
    try:
        return seal.open(former.source, former.key, held.content)[2] == former.body
    except Undecryptable:
        return False
