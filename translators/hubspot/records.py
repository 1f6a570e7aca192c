"""Translate what happens to records of every kind: created, deleted, restored, merged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.hubspot.source import company, hubspot, merged, record, record_identity
from translators.kit import Event, Message, track


@hubspot.tracks(
    {
        "contact.deletion": "Contact Deleted",
        "contact.privacyDeletion": "Contact Erased",
        "contact.restore": "Contact Restored",
    }
)
def contact(event: Event) -> dict[str, Any]:
    return {"contact_id": record(event.body)}


@hubspot.tracks({"company.deletion": "Account Deleted", "company.restore": "Account Restored"})
def account(event: Event) -> dict[str, Any]:
    return {"account_id": record(event.body)}


@hubspot.tracks(
    {
        "deal.creation": "Opportunity Created",
        "deal.deletion": "Opportunity Deleted",
        "deal.restore": "Opportunity Restored",
    }
)
def opportunity(event: Event) -> dict[str, Any]:
    return {"opportunity_id": record(event.body)}


@hubspot.tracks({"lead.creation": "Lead Created", "lead.deletion": "Lead Deleted"})
def lead(event: Event) -> dict[str, Any]:
    return {"lead_id": record(event.body)}


@hubspot.tracks({"ticket.deletion": "Ticket Deleted", "ticket.restore": "Ticket Restored"})
def ticket(event: Event) -> dict[str, Any]:
    return {"ticket_id": record(event.body)}


@hubspot.on("company.merge", "deal.merge", "ticket.merge")
def records_merged(event: Event) -> Iterator[Message]:
    """Make one message per merged record, with that record as the identity."""
    kind = event.type.partition(".")[0]
    noun = {"company": "Account", "deal": "Opportunity", "ticket": "Ticket"}[kind]
    kept_id, merged_ids = merged(event.body)
    for id_ in merged_ids:
        identity = company(event.body, id_) if kind == "company" else record_identity(event.body, kind, id_)
        yield track(f"{noun} Merged", {f"{noun.lower()}_id": id_, "merged_into": kept_id}, key=id_, identity=identity)
