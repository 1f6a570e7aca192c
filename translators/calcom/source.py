"""Cal.com's signature, event ids, identity and messages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from translators.kit import (
    Event,
    FormerId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Message,
    Payload,
    Skip,
    Source,
    digest,
    track,
)
from translators.kit.metadata import METADATA_FIELDS, metadata_of

calcom = Source(
    "calcom",
    title="Cal.com",
    docs="https://cal.com/docs/developing/guides/automation/webhooks",
    secret_help="the secret you gave the webhook (Settings > Developer > Webhooks)",
    scheme=HmacBody(header="X-Cal-Signature-256"),
    options=[METADATA_FIELDS],
)


# These happen once to a booking and its attendees.
_ONCE: Final = {
    "BOOKING_CREATED", "BOOKING_REQUESTED", "BOOKING_REJECTED", "BOOKING_CANCELLED", "BOOKING_RESCHEDULED",
}  # fmt: skip
_PAID: Final = {"BOOKING_PAID", "BOOKING_PAYMENT_INITIATED"}


_BY_PHONE: Final = "@sms.cal.com"
"""The domain of the address that Cal.com generates for an attendee with only a phone number: `1555...@sms.cal.com`."""


@calcom.head
def head(item: Item) -> Head:
    """Use the trigger and its subject as key: a booking with its seat (else its attendees), or a payment.

    The start or end of a booking has its own key. Cal.com sets `createdAt` for each webhook while sending, so it
    differs between two webhooks. It is part of the key only for events that can repeat (a no-show mark) or have no id
    (a form).
    """
    body = item.body
    type_ = body.text("triggerEvent")
    own_key = body.first("idempotencyKey:id", "uid:id")
    if own_key and "payload" not in body:
        return Head(id=f"{type_}:{own_key}", type=type_, occurred_at=_scheduled(body, type_))
    at, payload = body.iso("createdAt"), body.object("payload")
    subject = payload.first("uid:id", "bookingUid:id", "formId:id", "bookingId:id") or ""
    former = f"{type_}:{subject}:{at.isoformat()}"
    if not subject or type_ not in _ONCE | _PAID:
        return Head(id=former, type=type_, occurred_at=at)
    part = payload.first("paymentId:id", "metadata.externalId:id") or "" if type_ in _PAID else _seat(payload)
    if type_ == "BOOKING_RESCHEDULED":  # a booking with seats keeps its uid when it is rescheduled
        part = digest(part, *(payload.get(name) for name in ("startTime", "rescheduleUid", "rescheduleStartTime")))
    return Head(id=f"{type_}:{subject}:{part}", type=type_, occurred_at=at, former_ids=(FormerId(former),))


def _seat(payload: Payload) -> str:
    """Return the seat of an event with seats, whose bookings share a uid; else a digest of the attendees."""
    seat = payload.first("attendeeSeatId:id", "seatReferenceUid:id", "bookingSeat.referenceUid:id")
    return seat or digest(sorted(attendee.text("email", "").lower() for attendee in payload.each("attendees")))


def _scheduled(body: Payload, type_: str) -> datetime | None:
    """Return the booking's start or end, at which the event is sent; its `createdAt` is the booking's."""
    return body.opt.iso("endTime" if type_ == "MEETING_ENDED" else "startTime")


@calcom.identity
def identity(event: Event) -> Identity:
    """Use the e-mail address of the first attendee, who booked, or the answer `email` of a form."""
    payload = event.body.object("payload")
    booker = next(payload.each("attendees"), Payload({}))
    email = booker.text("email", "") or payload.text("responses.email.value", "")
    traits = booker.select("name:text", timezone="timeZone:text", phone="phoneNumber:text")
    return _person(event, email, traits, payload.texts("metadata"))


def _person(event: Event, email: str, traits: dict[str, Any], metadata: Any = None) -> Identity:
    if not email.strip():
        if event.type == "FORM_SUBMITTED":
            raise Skip("the form has no answer `email`, so it names no person")
        raise Malformed("$.payload.attendees", "names no person")
    return Identity(
        metadata=(metadata,) if metadata else (),
        anonymous=("email", email.strip().lower()),
        traits={"email": None if email.strip().lower().endswith(_BY_PHONE) else email.strip(), **traits},
    )


@calcom.tracks(
    {
        "BOOKING_CREATED": "Meeting Booked",
        "BOOKING_REQUESTED": "Meeting Requested",
        "BOOKING_REJECTED": "Meeting Declined",
    }
)
def meeting(event: Event) -> dict[str, Any]:
    payload = event.body.object("payload")
    return {
        "meeting_id": payload.first("uid:id", "bookingUid:id"),
        **payload.select(
            meeting_name="eventTitle:text",
            meeting_type_id="eventTypeId:id",
            status="status:lower",
            start_time="startTime:iso",
            end_time="endTime:iso",
            agent_id="organizer.id:id",
            agent_name="organizer.name:text",
        ),
        "metadata": metadata_of(event, payload.texts("metadata")),
    }


@calcom.tracks({"BOOKING_RESCHEDULED": "Meeting Rescheduled"})
def rescheduled(event: Event) -> dict[str, Any]:
    payload = event.body.object("payload")
    return {
        **meeting(event),
        **payload.select(previous_meeting_id="rescheduleUid:id", previous_start_time="rescheduleStartTime:iso"),
        "author": _author(payload, "rescheduledBy"),
    }


@calcom.tracks({"BOOKING_CANCELLED": "Meeting Cancelled"})
def cancelled(event: Event) -> dict[str, Any]:
    """Report the cancellation without its reason, which is free text."""
    return {**meeting(event), "author": _author(event.body.object("payload"), "cancelledBy")}


def _author(payload: Payload, path: str) -> str | None:
    """Return `customer` or `agent`, if Cal.com gives the e-mail address of the author."""
    by = payload.text(path, "").lower()
    if not by:
        return None
    return "agent" if by == payload.text("organizer.email", "").lower() else "customer"


@calcom.tracks({"BOOKING_PAID": "Payment Succeeded", "BOOKING_PAYMENT_INITIATED": "Payment Started"})
def payment(event: Event) -> dict[str, Any]:
    """Return no revenue: the payment provider's own source reports it."""
    payload = event.body.object("payload")
    return {
        "payment_id": payload.first("metadata.externalId:id", "paymentId:id"),
        "meeting_id": payload.opt.id("uid"),
        "amount": payload.money("price", "currency"),
        "currency": payload.opt.upper("currency"),
    }


@calcom.on("BOOKING_NO_SHOW_UPDATED")
def no_show(event: Event) -> Iterator[Message]:
    """Report each attendee whose no-show mark was set or removed."""
    for attendee in event.body.object("payload").each("attendees"):
        email = attendee.text("email")
        name = "Meeting No-Show Marked" if attendee.flag("noShow") else "Meeting No-Show Withdrawn"
        yield track(name, meeting(event), key=email.lower(), identity=_person(event, email, {}))


@calcom.tracks({"FORM_SUBMITTED": "Form Submitted"})
def submitted(event: Event) -> dict[str, Any]:
    """Report the form without its answers."""
    return event.body.select(form_id="payload.formId:id!", form_name="payload.formName:text")


calcom.ignore("MEETING_*", because="a booking's scheduled start or end was reached; no one acted")
calcom.ignore("FORM_SUBMITTED_NO_EVENT", because="FORM_SUBMITTED reported the form; no booking followed")
calcom.ignore(
    "BOOKING_LOCATION_UPDATED", "BOOKING_REASSIGNED", because="a detail of a booking that was reported before"
)
calcom.ignore("AFTER_*", because="attendance of a video call; BOOKING_NO_SHOW_UPDATED is the host's own mark")
calcom.ignore("INSTANT_MEETING*", because="a person waits in a call; the booking that follows is reported")
calcom.ignore(
    "RECORDING_*", "OOO_*", "WRONG_ASSIGNMENT_REPORT", "DELEGATION_*", because="your own team, not a customer event"
)
calcom.ignore("PING", because="Cal.com's test of this URL")
