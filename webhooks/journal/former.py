"""Former keys: an arriving event may already be stored under another key, such as the key of an earlier release.

A stored event is the same event if its source and type are equal, and for a key marked `same_bytes` also its body. Only
events with former keys are looked up: one query for a whole group commit.
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
"""Source and key, the type and the content as `records.append_params` orders them."""
BUCKETS: Final = 4096
MAX_BUCKETS: Final = 64
"""Buckets that one transaction locks; the server has space for a few thousand locks."""


@dataclass(frozen=True, slots=True)
class ArrivingEvents:
    """The events of one `append` as rows; and those with former keys, by their place among the rows."""

    rows: list[Params]
    events: Mapping[int, Event] = field(default_factory=dict)


class FormerKeyQuery(NamedTuple):
    """A former key to look up. `body` is set only if the stored body must be equal."""

    source: str
    key: str
    body: bytes | None


class StoredKey(NamedTuple):
    """The stored event of a former key. If bodies are compared, `same` is the result or `content` is to be compared."""

    type: str
    same: bool = False
    content: Content | None = None


Lookup = Callable[[Sequence[FormerKeyQuery]], Mapping[int, StoredKey]]
"""Returns the stored events of former keys, by their place in the sequence."""


def arrivals(events: Sequence[Event], now: datetime, encryption: Encryption) -> ArrivingEvents:
    """Return the rows of new events."""
    rows = [records.append_params(event, now, encryption) for event in events]
    return ArrivingEvents(rows, {place: event for place, event in enumerate(events) if event.former_ids})


def joined(group: Sequence[ArrivingEvents]) -> ArrivingEvents:
    """Return all the events of a group commit, in order."""
    rows: list[Params] = []
    events: dict[int, Event] = {}
    for arrivals in group:
        events.update((len(rows) + place, event) for place, event in arrivals.events.items())
        rows += arrivals.rows
    return ArrivingEvents(rows, events)


def stored_before(arrivals: ArrivingEvents, look_up: Lookup, encryption: Encryption) -> set[int]:
    """Return the places of rows that exist under a former key, in the store or earlier among these rows."""
    candidates = [
        (place, FormerKeyQuery(event.source, former.id, event.raw if former.same_bytes else None))
        for place, event in arrivals.events.items()
        for former in event.former_ids
        if former.id != event.id
    ]
    stored_keys = look_up([former for _, former in candidates])
    by_place: dict[int, list[tuple[FormerKeyQuery, StoredKey | None]]] = {}
    for number, (place, former) in enumerate(candidates):
        by_place.setdefault(place, []).append((former, stored_keys.get(number)))
    first: dict[Params, Params] = {}
    repeated: set[int] = set()
    for place, row in enumerate(arrivals.rows):
        for former, stored in by_place.get(place, ()):
            earlier = first.get((former.source, former.key)) if stored is None else None
            known = StoredKey(earlier[_TYPE], content=earlier[_CONTENT]) if earlier else stored
            if known is not None and _is_same(former, known, row[_TYPE], encryption):
                repeated.add(place)
                break
        else:
            first.setdefault(row[_NAME], row)
    return repeated


def buckets(arrivals: ArrivingEvents) -> list[int] | None:
    """Return the numbers to lock, in order; None means all of them.

    Of two transactions that contain each other's keys, one waits for the other.
    """
    names = {
        f"{event.source}/{key}"
        for event in arrivals.events.values()
        for key in (event.id, *(former.id for former in event.former_ids))
    }
    numbers = {crc32(name.encode("utf-8", "surrogatepass")) % BUCKETS for name in names}
    return sorted(numbers) if len(numbers) <= MAX_BUCKETS else None


def _is_same(former: FormerKeyQuery, stored: StoredKey, type_: str, encryption: Encryption) -> bool:
    if stored.type != type_:
        return False
    if former.body is None or stored.same:
        return True
    if stored.content is None:
        return False
    try:
        return encryption.decrypt(former.source, former.key, stored.content)[2] == former.body
    except Undecryptable:
        return False
