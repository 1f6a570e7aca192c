"""The selection of events, by their ids or by conditions."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from difflib import get_close_matches
from typing import Any

from webhooks.errors import EventAmbiguous, EventNotFound, OperationRefused
from webhooks.journal import Filter, Row, State
from webhooks.journal.protocol import EventQueries
from webhooks.logs import printable
from webhooks.operations.progress import steps
from webhooks.sources.names import unknown_name


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSelection:
    """Conditions that the selected events all meet. Times are aware UTC; a range includes `since`, not `until`.

    ids              numbers, keys, or SOURCE/KEY: each must match exactly one event
    sources, types   any of them; `*` stands for any characters
    text             occurs in the body, the key or the reason
    """

    ids: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    states: tuple[State, ...] = ()
    received_since: datetime | None = None
    received_until: datetime | None = None
    occurred_since: datetime | None = None
    occurred_until: datetime | None = None
    settled_since: datetime | None = None
    settled_until: datetime | None = None
    text: str = ""

    def __bool__(self) -> bool:
        """Return whether there is any condition; without one, every event is selected."""
        return any(getattr(self, field.name) for field in fields(self))


def select(journal: EventQueries, selection: EventSelection, *, known: Collection[str] = ()) -> Filter:
    """Return the journal's filter. Raise if a source is unknown, or if an id matches no event or several.

    `known` are the names of the configured sources and endpoints. One that is neither in it nor stored is probably
    misspelt.
    """
    for name in selection.sources:
        if "*" not in name and name not in known and not journal.rows(Filter(sources=(name,)), limit=1):
            raise unknown_name(name, known, what="source or endpoint")
    conditions = {field.name: getattr(selection, field.name) for field in fields(selection) if field.name != "ids"}
    ids = selection.ids
    seqs = tuple(find_event(journal, id_, selection.sources, known=known).seq for id_ in ids) if ids else None
    return Filter(seqs=seqs, **conditions)


def require_condition(selection: EventSelection, *, everything: bool = False) -> None:
    """Raise for a selection without any condition, unless the operator chose `everything`."""
    if not selection and not everything:
        raise OperationRefused(
            "No event is selected.", hint="Select events by id, source, type, state, time or text, or all of them."
        )


def count_of(journal: EventQueries, seqs: Sequence[int], **conditions: Any) -> int:
    """Return how many of these events meet further conditions of a filter."""
    return sum(journal.count(Filter(seqs=tuple(batch), **conditions)) for batch in steps(seqs))


def find_event(journal: EventQueries, id_: str, sources: Sequence[str] = (), *, known: Collection[str] = ()) -> Row:
    """Return the one event with this id (number, key, or SOURCE/KEY); raise if there is none, or several."""
    matches: dict[int, Row] = {}
    if id_.isascii() and id_.isdigit() and len(id_) < 19 and not sources and (row := journal.get(int(id_))):
        matches[row.seq] = row
    for row in journal.rows(Filter(keys=(id_,), sources=tuple(sources))):
        matches[row.seq] = row
    source, slash, key = id_.partition("/")
    if slash and (row := journal.find(source, key)):
        matches[row.seq] = row
    if not matches:
        within = f" of {', '.join(sources)}" if sources else ""
        raise EventNotFound(
            f"No event{within} has the number or key {printable(id_)!r}.",
            hint=_suggestion(id_, known)
            or "It may be pruned, or in another journal. `segue events --text ...` searches bodies.",
        )
    if len(matches) > 1:
        names = ", ".join(f"{row.event.source}/{row.event.id} (#{seq})" for seq, row in sorted(matches.items()))
        raise EventAmbiguous(
            f"{printable(id_)!r} matches {len(matches)} events: {printable(names)}.",
            hint="Write SOURCE/KEY, or add --source.",
        )
    return next(iter(matches.values()))


def _suggestion(id_: str, known: Collection[str]) -> str:
    """Return the hint for SOURCE/KEY with a mistyped source, or an empty text if no source is close."""
    source, slash, key = id_.partition("/")
    close = get_close_matches(source, known, n=1) if slash and source not in known else []
    return f"Did you mean {close[0]}/{printable(key)}? `segue sources` lists the sources." if close else ""
