"""Translate tickets. A webhook names no person and no old stage; options give the meaning of the stages' ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
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
from translators.kit import CLEAR, Event, Message, Skip, track

_STAGES: Final = {
    SOLVED_STAGES: "Ticket Solved",
    REOPENED_STAGES: "Ticket Reopened",
    ASSIGNED_STAGES: "Ticket Assigned",
    CREATED_STAGES: "Ticket Created",
}
_RATINGS: Final = {"hs_last_csat_rating": "csat", "hs_feedback_last_ces_rating": "ces"}


@hubspot.on("ticket.creation")
def ticket_created(event: Event) -> Iterator[Message]:
    if CREATED_STAGES.of(event):
        raise Skip("created_stages decide when a ticket counts as created")
    yield track("Ticket Created", {"ticket_id": record(event.body)})


@hubspot.on("ticket.propertyChange")
def ticket_changed(event: Event) -> Iterator[Message]:
    body = event.body
    name, ticket = body.text("propertyName"), {"ticket_id": record(body)}
    if name in _MEANINGS:
        yield _MEANINGS[name](event, ticket)
    elif name in _RATINGS:
        yield track("Satisfaction Rated", ticket | rated(body, _RATINGS[name]))
    else:
        property_, new_value = changed(body, TICKET, TICKET_PROPERTIES.of(event), "ticket_properties")
        if property_ == "channel" and isinstance(new_value, str):
            new_value = new_value.lower()
        yield track("Ticket Updated", {**ticket, property_: new_value, "changed": [property_]})


def _stage(event: Event, ticket: Mapping[str, str]) -> Message:
    stage = _new_value(event, "the ticket left its pipeline")
    name = next((name for option, name in _STAGES.items() if stage in option.of(event)), "Ticket Status Changed")
    return track(name, {**ticket, "status": stage})


def _reopened(event: Event, ticket: Mapping[str, str]) -> Message:
    _new_value(event, "the reopening time was cleared")
    return track("Ticket Reopened", ticket)


def _agent(event: Event, ticket: Mapping[str, str]) -> Message:
    return track("Ticket Assigned", {**ticket, "assignee_id": _new_value(event, "the ticket was unassigned")})


def _team(event: Event, ticket: Mapping[str, str]) -> Message:
    return track("Ticket Assigned", {**ticket, "team_id": _new_value(event, "the team was unassigned")})


def _priority(event: Event, ticket: Mapping[str, str]) -> Message:
    return track(
        "Ticket Priority Changed", {**ticket, "priority": _new_value(event, "the priority was cleared").lower()}
    )


def _new_value(event: Event, otherwise: str) -> Any:
    new_value = value(event.body)
    if new_value is CLEAR:
        raise Skip(otherwise)
    return new_value


_MEANINGS: Final[Mapping[str, Callable[[Event, Mapping[str, str]], Message]]] = {
    "hs_pipeline_stage": _stage,
    "hs_ticket_reopened_at": _reopened,
    "hubspot_owner_id": _agent,
    "hubspot_team_id": _team,
    "hs_ticket_priority": _priority,
}
