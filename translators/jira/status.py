"""When a change of status or resolution solves a ticket or reopens it.

A change tells the old status by name and the new one with its category, `done` being Jira's for the end. A resolution
set or cleared says it outright. Cloud also tells when the category last changed.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final, Literal

from translators.kit import Event, Payload

_SAME_CHANGE: Final = timedelta(seconds=2)
StatusEvent = Literal["Ticket Solved", "Ticket Reopened", "Ticket Status Changed"]


def status_event(event: Event, status: Payload, resolution: Payload) -> StatusEvent | None:
    """What a change is; `status` and `resolution` are its items, empty where that was not changed. None: neither."""
    fields = event.body.at("issue.fields")
    ended = _is_end(event, fields.text("status.name", ""), fields.text("status.statusCategory.key", None))
    resolved, was_resolved = _is_set(resolution, "to"), _is_set(resolution, "from")
    if not status:
        # alone it ends what runs, or opens it again; in a status that has ended it is but corrected
        return None if ended or resolved == was_resolved else "Ticket Solved" if resolved else "Ticket Reopened"
    if resolved and not was_resolved:
        return "Ticket Solved"
    before = was_resolved or _had_ended(event, fields, status, ended=ended)
    if ended == before:
        return "Ticket Status Changed"
    return "Ticket Solved" if ended else "Ticket Reopened"


def _had_ended(event: Event, fields: Payload, status: Payload, *, ended: bool) -> bool:
    """Whether the old status was an end, of which only the name is told."""
    moved = fields.iso("statuscategorychangedate", None)
    if ended and moved is not None:
        return abs(moved - fields.iso("updated", event.occurred_at)) > _SAME_CHANGE
    return _is_end(event, status.text("fromString", ""), None) or (ended and "resolution" in fields)


def _is_end(event: Event, name: str, category: str | None) -> bool:
    if category is not None:
        return category == "done"
    ends = {status.strip().casefold() for status in str(event.option("done_statuses")).split(";")}
    return name.strip().casefold() in ends


def _is_set(item: Payload, side: str) -> bool:
    return bool(item.get(side) or item.get(f"{side}String"))
