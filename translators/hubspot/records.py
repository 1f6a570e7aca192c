"""Translate what happens to records of every kind: created, deleted, restored, merged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from translators.hubspot.source import company, hubspot, merged, record, record_identity
from translators.kit import Event, Message, track

_NOUNS: Final = {
    "contact": "Contact", "company": "Account", "deal": "Opportunity", "lead": "Lead", "ticket": "Ticket",
}  # fmt: skip


def _record_event(event: Event, verb: str) -> Message:
    noun = _noun(event)
    return track(f"{noun} {verb}", {f"{noun.lower()}_id": record(event.body)})


def _noun(event: Event) -> str:
    return _NOUNS[event.type.partition(".")[0]]


@hubspot.on("deal.creation", "lead.creation")
def record_created(event: Event) -> Iterator[Message]:
    yield _record_event(event, "Created")


@hubspot.on("contact.deletion", "company.deletion", "deal.deletion", "lead.deletion", "ticket.deletion")
def record_deleted(event: Event) -> Iterator[Message]:
    yield _record_event(event, "Deleted")


@hubspot.on("contact.privacyDeletion")
def contact_erased(event: Event) -> Iterator[Message]:
    yield _record_event(event, "Erased")


@hubspot.on("contact.restore", "company.restore", "deal.restore", "ticket.restore")
def record_restored(event: Event) -> Iterator[Message]:
    yield _record_event(event, "Restored")


@hubspot.on("company.merge", "deal.merge", "ticket.merge")
def records_merged(event: Event) -> Iterator[Message]:
    """Make one message per merged record, with that record as the identity."""
    kind, noun = event.type.partition(".")[0], _noun(event)
    kept_id, merged_ids = merged(event.body)
    for id_ in merged_ids:
        identity = company(event.body, id_) if kind == "company" else record_identity(event.body, kind, id_)
        yield track(f"{noun} Merged", {f"{noun.lower()}_id": id_, "merged_into": kept_id}, key=id_, identity=identity)
