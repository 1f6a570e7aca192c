"""Translate tickets. A webhook names no person and no old stage; options give the meaning of the stages' ids."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.hubspot.people import rated
from translators.hubspot.properties import TICKET, changed, value
from translators.hubspot.source import (
    ASSIGNED_STAGES,
    CREATED_STAGES,
    REOPENED_STAGES,
    SOLVED_STAGES,
    TICKET_PROPERTIES,
    hubspot,
    record,
)
from translators.kit import CLEAR, Event, Message, Payload, Skip, track

_STAGES: Final = {
    SOLVED_STAGES: "Ticket Solved",
    REOPENED_STAGES: "Ticket Reopened",
    ASSIGNED_STAGES: "Ticket Assigned",
    CREATED_STAGES: "Ticket Created",
}


@hubspot.on("ticket.creation")
def ticket_created(event: Event) -> Iterator[Message]:
    if CREATED_STAGES.of(event):
        raise Skip("created_stages decide when a ticket counts as created")
    yield track("Ticket Created", {"ticket_id": record(event.body)})


@hubspot.on("ticket.propertyChange")
def ticket_changed(event: Event) -> Iterator[Message]:
    body = event.body
    name, ticket = body.text("propertyName"), {"ticket_id": record(body)}
    match name:
        case "hs_pipeline_stage":
            stage = _new_value(body, "the ticket left its pipeline")
            names = (name for option, name in _STAGES.items() if stage in option.of(event))
            yield track(next(names, "Ticket Status Changed"), {**ticket, "status": stage})
        case "hs_ticket_reopened_at":
            _new_value(body, "the reopening time was cleared")
            yield track("Ticket Reopened", ticket)
        case "hubspot_owner_id":
            yield track("Ticket Assigned", {**ticket, "assignee_id": _new_value(body, "the ticket was unassigned")})
        case "hubspot_team_id":
            yield track("Ticket Assigned", {**ticket, "team_id": _new_value(body, "the team was unassigned")})
        case "hs_ticket_priority":
            priority = _new_value(body, "the priority was cleared").lower()
            yield track("Ticket Priority Changed", {**ticket, "priority": priority})
        case "hs_last_csat_rating":
            yield track("Satisfaction Rated", ticket | rated(body, "csat"))
        case "hs_feedback_last_ces_rating":
            yield track("Satisfaction Rated", ticket | rated(body, "ces"))
        case _:
            property_, new_value = changed(body, TICKET, TICKET_PROPERTIES.of(event), "ticket_properties")
            if property_ == "channel" and isinstance(new_value, str):
                new_value = new_value.lower()
            yield track("Ticket Updated", {**ticket, property_: new_value, "changed": [property_]})


def _new_value(body: Payload, cleared: str) -> Any:
    """Return the property's new value. `cleared` is the reason of the skip if it is empty."""
    new_value = value(body)
    if new_value is CLEAR:
        raise Skip(cleared)
    return new_value
