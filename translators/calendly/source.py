"""Calendly's signature, event ids, identity and messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import (
    Event,
    ExternalId,
    FormerId,
    Head,
    HmacKvHeader,
    Identity,
    Item,
    Message,
    Payload,
    Skip,
    Source,
    identify,
    track,
)
from translators.kit.metadata import METADATA_FIELDS, metadata_of

calendly = Source(
    "calendly",
    title="Calendly",
    docs="https://developer.calendly.com/api-docs/c1ddc06ce1f1b-webhook-signatures",
    secret_help="the signing_key you gave (or were given) when you made the subscription (POST /webhook_subscriptions)",
    scheme=HmacKvHeader(header="Calendly-Webhook-Signature", tolerance=180.0),
    options=[METADATA_FIELDS],
)


# These happen once to the subject that `payload.uri` names.
_ONCE: Final = {
    "invitee.created", "invitee.canceled", "routing_form_submission.created", "contact.created", "contact.deleted",
}  # fmt: skip


@calendly.head
def head(item: Item) -> Head:
    """Use the event and its subject as key.

    `created_at` is the notification's time, which differs between subscriptions of a user and of the organisation. So
    it is part of the key only if nothing else differs between two events of one subject.
    """
    body = item.body
    type_, uri, at = body.text("event"), body.id("payload.uri"), body.iso("created_at")
    former = f"{type_}:{uri}:{at.isoformat()}"
    updated = body.text("payload.updated_at", "") if type_.endswith(".updated") else ""
    if type_ == "invitee_no_show.created":
        no_show_uri = body.id("payload.no_show.uri", "") or uri
        key = f"{type_}:{no_show_uri}" if "/invitee_no_shows/" in no_show_uri else former
    elif type_ in _ONCE:
        key = f"{type_}:{uri}"
    else:
        key = f"{type_}:{uri}:{updated}" if updated else former
    return Head(id=key, type=type_, occurred_at=at, former_ids=(FormerId(former),))


@calendly.identity
def invitee(event: Event) -> Identity:
    """Use the invitee's e-mail address; a tracking parameter of your link may hold your user id."""
    payload = event.body.object("payload")
    if event.type.startswith("contact."):
        return _contact(payload)
    email = payload.text("email", "").strip()
    uri = payload.first("invitee:id", "submitter:id") or payload.id("uri")
    traits = payload.select(
        "name", "timezone", firstName="first_name", lastName="last_name", phone="text_reminder_number"
    )
    return Identity(
        metadata=(payload.texts("tracking"),),
        anonymous=("email", email.lower()) if email else ("invitee", uri),
        traits={name: value for name, value in {"email": email, **traits}.items() if isinstance(value, str) and value},
    )


def _contact(contact: Payload) -> Identity:
    """Use the contact's e-mail address, as for an invitee; a deleted contact has only its URI."""
    uri, email = contact.id("uri"), contact.text("email", "").strip()
    return Identity(
        anonymous=("email", email.lower()) if email else ("contact", uri),
        external_ids=(ExternalId("calendly_contact_id", uri),),
        traits={"email": email, **contact.select("name:text", firstName="first_name:text", lastName="last_name:text")},
    )


@calendly.tracks(
    {"invitee_no_show.created": "Meeting No-Show Marked", "invitee_no_show.deleted": "Meeting No-Show Withdrawn"}
)
def meeting(event: Event) -> dict[str, Any]:
    payload = event.body.object("payload")
    scheduled = payload.maybe("scheduled_event")
    host = next(scheduled.each("event_memberships"), Payload({}))
    return {
        "meeting_id": payload.opt.id("event") or scheduled.opt.id("uri"),
        **scheduled.select(meeting_name="name:text", meeting_type_id="event_type:id"),
        "invitee_id": payload.id("invitee", payload.id("uri")),
        "status": payload.opt.text("status"),
        **scheduled.select("start_time:iso", "end_time:iso", channel="location.type:text"),
        **host.select(agent_id="user:id", agent_name="user_name:text"),
        "metadata": metadata_of(event, payload.texts("tracking")),
    }


def campaign(event: Event) -> dict[str, Any]:
    """Return the campaign of the booking link. https://segment.com/docs/connections/spec/common/#context"""
    parameters = event.body.object("payload").maybe("tracking").select(
        source="utm_source", medium="utm_medium", name="utm_campaign", term="utm_term", content="utm_content"
    )  # fmt: skip
    return {"campaign": parameters} if parameters else {}


@calendly.on("invitee.created")
def booked(event: Event) -> Iterator[Message]:
    previous_invitee = event.body.opt.id("payload.old_invitee")
    name = "Meeting Rescheduled" if previous_invitee else "Meeting Booked"
    yield track(name, {**meeting(event), "previous_invitee_id": previous_invitee}, context=campaign(event))


@calendly.tracks({"invitee.canceled": "Meeting Cancelled"}, context=campaign)
def cancelled(event: Event) -> dict[str, Any]:
    payload = event.body.object("payload")
    if payload.flag("rescheduled", default=False):
        raise Skip("the meeting was rescheduled; invitee.created reports its new time")
    by = payload.opt.text("cancellation.canceler_type")
    return {**meeting(event), "author": {"invitee": "customer", "host": "agent"}.get(by or "", by)}


@calendly.tracks({"routing_form_submission.created": "Form Submitted"}, context=campaign)
def routed(event: Event) -> dict[str, Any]:
    """Report the form and its result, never the answers, which are free text."""
    payload = event.body.object("payload")
    return {
        **payload.select(form_id="routing_form:id", response_id="uri:id!", result="result.type:text"),
        "metadata": metadata_of(event, payload.texts("tracking")),
    }


# https://developer.calendly.com/release-notes/2026/5/27
@calendly.on("contact.created", "contact.updated")
def contact_saved(event: Event) -> Iterator[Message]:
    contact = event.body.object("payload")
    yield identify(
        {
            "title": contact.opt.text("job_title"),
            "company": contact.select(name="company:text") or None,
            "address": contact.select("city:text") or None,
            **contact.select("timezone:text", createdAt="created_at:iso"),
        }
    )
    if event.type == "contact.created":
        yield track("Contact Created", contact_id(event))


@calendly.tracks({"contact.deleted": "Contact Deleted"})
def contact_id(event: Event) -> dict[str, Any]:
    return event.body.select(contact_id="payload.uri:id!")


calendly.ignore("event_type.*", because="configuration of your meeting types, not a customer event")
calendly.ignore("meeting_recap.*", because="the summary of a meeting; invitee.created reported the meeting")
