"""Decide whether a change of status or resolution solves or reopens a ticket.

A change has the old status by name and the new one with its category, which is `done` for an ended ticket. A set or
cleared resolution decides by itself. Cloud also sends when the category last changed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal

from translators.jira.source import DONE_STATUSES
from translators.kit import Event, Payload

_SAME_CHANGE: Final = timedelta(seconds=2)
StatusEvent = Literal["Ticket Solved", "Ticket Reopened", "Ticket Status Changed"]


def status_event(event: Event, status: Payload, resolution: Payload) -> StatusEvent | None:
    """Return the event of a change, or None. `status` and `resolution` are its items, empty if unchanged."""
    fields = event.body.object("issue.fields")
    ended = _is_end(event, fields.text("status.name", ""), fields.opt.text("status.statusCategory.key"))
    resolved, was_resolved = _is_set(resolution, "to"), _is_set(resolution, "from")
    if not status:
        # Without a status change, it ends or reopens an open ticket; in an ended status it is only a correction.
        return None if ended or resolved == was_resolved else "Ticket Solved" if resolved else "Ticket Reopened"
    if resolved and not was_resolved:
        return "Ticket Solved"
    before = was_resolved or _had_ended(event, fields, status, ended=ended)
    if ended == before:
        return "Ticket Status Changed"
    return "Ticket Solved" if ended else "Ticket Reopened"


def _had_ended(event: Event, fields: Payload, status: Payload, *, ended: bool) -> bool:
    """Return whether the old status, of which only the name is known, was an ended one."""
    moved = fields.opt.iso("statuscategorychangedate")
    if ended and moved is not None:
        return abs(moved - fields.iso("updated", event.occurred_at)) > _SAME_CHANGE
    return _is_end(event, status.text("fromString", ""), None) or (ended and "resolution" in fields)


def _is_end(event: Event, name: str, category: str | None) -> bool:
    if category is not None:
        return category == "done"
    ends = {status.strip().casefold() for status in DONE_STATUSES.of(event).split(";")}
    return name.strip().casefold() in ends


def _is_set(item: Payload, side: str) -> bool:
    return bool(item.get(side) or item.get(f"{side}String"))
