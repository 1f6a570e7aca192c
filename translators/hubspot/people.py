"""Translate contacts to identify and companies to group. A webhook has one changed property."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.hubspot.objects import other_end
from translators.hubspot.properties import COMPANY, CONTACT, changed, value
from translators.hubspot.source import COMPANY_TRAITS, CONTACT_TRAITS, contact, hubspot, is_primary, merged, record
from translators.kit import CLEAR, Event, Message, Payload, Skip, group, identify, track

RATINGS: Final = {
    "hs_feedback_last_csat_survey_rating": "csat",
    "hs_feedback_last_ces_survey_rating": "ces",
    "hs_feedback_last_nps_rating": "nps",
}


@hubspot.on("contact.creation")
def contact_created(event: Event) -> Iterator[Message]:
    yield identify({"createdAt": event.occurred_at})
    yield track("Contact Created", {"contact_id": record(event.body)})


@hubspot.on("contact.propertyChange")
def contact_changed(event: Event) -> Iterator[Message]:
    """Report a changed trait, and the event that the change of some properties means."""
    body = event.body
    name = body.text("propertyName")
    if name in RATINGS:
        yield track("Satisfaction Rated", {**rated(body, RATINGS[name]), "contact_id": record(body)})
        return
    if name == "hs_email_optout":
        yield track("Unsubscribed" if value(body, "flag") is True else "Email Resubscribed")
        return
    trait, new_value = changed(body, CONTACT, CONTACT_TRAITS.of(event), "contact_traits")
    yield identify({trait: {"name": new_value} if name == "company" and new_value is not CLEAR else new_value})
    if name == "lifecyclestage" and new_value is not CLEAR:
        yield track("Lifecycle Stage Changed", {"contact_id": record(body), "stage": new_value})
    elif name == "hs_lead_status" and new_value is not CLEAR:
        yield track("Lead Status Changed", {"contact_id": record(body), "status": new_value})


def rated(body: Payload, survey: str) -> dict[str, Any]:
    """Return a survey's last rating: a number, or a word such as `promoter`."""
    rating = value(body)
    if rating is CLEAR:
        raise Skip("a rating was cleared")
    score = int(rating) if rating.isdecimal() and len(rating) < 3 else None
    return {"survey": survey, "rating": rating.lower(), "score": score}


@hubspot.on("contact.merge")
def contact_merged(event: Event) -> Iterator[Message]:
    """Identify with all ids, so that the profiles are joined."""
    kept_id, merged_ids = merged(event.body)
    yield identify(identity=contact(event.body, kept_id, *merged_ids))


@hubspot.on("contact.associationChange")
def contact_associated(event: Event) -> Iterator[Message]:
    """Report the contact of a company, deal or ticket; no other event names it."""
    body = event.body
    to, id_, removed = other_end(body), body.id("toObjectId"), body.flag("associationRemoved", False)
    if body.text("associationCategory", "HUBSPOT_DEFINED") != "HUBSPOT_DEFINED":
        raise Skip("a custom label of an association that is reported without it")
    if to == "company":
        yield from _company_of(body, id_, removed=removed)
    elif to in {"deal", "ticket"}:
        noun = {"deal": "Opportunity", "ticket": "Ticket"}[to]
        properties = {"contact_id": record(body), f"{noun.lower()}_id": id_}
        yield track(f"{noun} Contact {'Removed' if removed else 'Added'}", properties)
    else:
        raise Skip(f"an association with a {to}")


def _company_of(body: Payload, id_: str, *, removed: bool) -> Iterator[Message]:
    """Report a company's contact. HubSpot also sends a primary company as a plain association."""
    primary = is_primary(body)
    if removed and primary:
        raise Skip("the company is no longer the primary one; the plain association reports a removal")
    if not removed:
        yield group(id_)
    if not primary:
        yield track(f"Account {'Removed' if removed else 'Added'} User", context={"groupId": id_})


@hubspot.on("company.creation")
def company_created(event: Event) -> Iterator[Message]:
    id_ = record(event.body)
    yield group(id_, {"createdAt": event.occurred_at})
    yield track("Account Created", {"account_id": id_})


@hubspot.on("company.propertyChange")
def company_changed(event: Event) -> Iterator[Message]:
    trait, new_value = changed(event.body, COMPANY, COMPANY_TRAITS.of(event), "company_traits")
    yield group(record(event.body), {trait: new_value})
