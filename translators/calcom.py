"""Cal.com -> Segment. https://cal.com/docs/developing/guides/automation/webhooks

The body is `{triggerEvent, createdAt, payload}`; the payload is a booking, with its host, its attendees (the first of
them booked it) and its metadata, where a booking link may have put your user id: `?metadata[user_id]=u_1`.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from translators.kit import (
    Event,
    FormerKey,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Message,
    Need,
    Payload,
    Registered,
    Registering,
    Skip,
    Source,
    bearer,
    digest,
    json_call,
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


@calcom.registration(Need("api_key", "CALCOM_API_KEY", "an API key (cal_...), of Settings > Security > API keys"))
def register(at: Registering) -> Registered:
    """https://cal.com/docs/api-reference/v2/webhooks/create-a-webhook"""
    told = {"active": True, "subscriberUrl": at.url, "triggers": list(at.types), "secret": at.secret}
    yield json_call("POST", "https://api.cal.com/v2/webhooks", bearer(at.given["api_key"]), told)
    return at.secret


# What happens once to a booking and those who attend it.
_ONCE: Final = {
    "BOOKING_CREATED", "BOOKING_REQUESTED", "BOOKING_REJECTED", "BOOKING_CANCELLED", "BOOKING_RESCHEDULED",
}  # fmt: skip
_PAID: Final = {"BOOKING_PAID", "BOOKING_PAYMENT_INITIATED"}


@calcom.event
def head(item: Item) -> Head:
    """The trigger and its subject: a booking and its seat (else its attendees), a payment; a start or end has a key.

    `createdAt` is made for each webhook while sending, so that two webhooks differ in it; it is a part of the key only
    of what may happen again (a mark of a no-show) or has no id (a form's answers).
    """
    body = item.body
    type_ = body.text("triggerEvent")
    own = body.id("idempotencyKey", "") or body.id("uid", "")
    if own and "payload" not in body:
        return Head(f"{type_}:{own}", type_, _scheduled(body, type_), "event")
    at, payload = body.iso("createdAt"), body.at("payload")
    subject = next(filter(None, (payload.id(name, "") for name in ("uid", "bookingUid", "formId", "bookingId"))), "")
    former = f"{type_}:{subject}:{at.isoformat()}"
    if not subject or type_ not in _ONCE | _PAID:
        return Head(former, type_, at)
    payment = payload.id("paymentId", "") or payload.id("metadata.externalId", "")
    part = payment if type_ in _PAID else _seat(payload)
    if type_ == "BOOKING_RESCHEDULED":  # a booking with seats keeps its uid when it is moved
        part = digest(part, *(payload.get(name) for name in ("startTime", "rescheduleUid", "rescheduleStartTime")))
    return Head(f"{type_}:{subject}:{part}", type_, at, former_keys=(FormerKey(former),))


def _seat(payload: Payload) -> str:
    """The seat of an event with seats, whose bookings share a uid; else who attends."""
    paths = ("attendeeSeatId", "seatReferenceUid", "bookingSeat.referenceUid")
    if seat := next(filter(None, (payload.id(path, "") for path in paths)), ""):
        return seat
    return digest(sorted(attendee.text("email", "").lower() for attendee in payload.each("attendees")))


def _scheduled(body: Payload, type_: str) -> datetime | None:
    """These fire by the clock, at the booking's start or end; their `createdAt` is the booking's."""
    return body.iso("endTime" if type_ == "MEETING_ENDED" else "startTime", None)


@calcom.who
def who(event: Event) -> Identity:
    """Whoever booked: the first attendee, by e-mail address; a form's answer called `email`."""
    payload = event.body.at("payload")
    booker = next(payload.each("attendees"), Payload({}))
    email = booker.text("email", "") or payload.text("responses.email.value", "")
    told = {"name": booker.text("name", None), "timezone": booker.text("timeZone", None)}
    return _person(event, email, told, payload.texts("metadata"))


def _person(event: Event, email: str, told: dict[str, Any], metadata: Any = None) -> Identity:
    if not email.strip():
        if event.type == "FORM_SUBMITTED":
            raise Skip("a form that asks nobody for an e-mail address: it is nobody's")
        raise Malformed("$.payload.attendees", "names nobody")
    return Identity(
        metadata=(metadata,) if metadata else (),
        anonymous=("email", email.strip().lower()),
        traits={"email": email.strip()} | {name: value for name, value in told.items() if value},
    )


def _meeting(event: Event) -> dict[str, Any]:
    payload = event.body.at("payload")
    return {
        "meeting_id": payload.id("uid", None) or payload.id("bookingUid", None),
        "meeting_name": payload.text("eventTitle", None),
        "meeting_type_id": payload.id("eventTypeId", None),
        "status": payload.text("status", "").lower() or None,
        "start_time": payload.iso("startTime", None),
        "end_time": payload.iso("endTime", None),
        "agent_id": payload.id("organizer.id", None),
        "agent_name": payload.text("organizer.name", None),
        "metadata": metadata_of(event, payload.texts("metadata")),
    }


@calcom.on("BOOKING_CREATED")
def booked(event: Event) -> Iterator[Message]:
    yield track("Meeting Booked", _meeting(event))


@calcom.on("BOOKING_RESCHEDULED")
def rescheduled(event: Event) -> Iterator[Message]:
    payload = event.body.at("payload")
    yield track(
        "Meeting Rescheduled",
        _meeting(event),
        previous_meeting_id=payload.id("rescheduleUid", None),
        previous_start_time=payload.iso("rescheduleStartTime", None),
        author=_author(payload, "rescheduledBy"),
    )


@calcom.on("BOOKING_CANCELLED")
def cancelled(event: Event) -> Iterator[Message]:
    """The reason is what somebody wrote, and stays here."""
    yield track("Meeting Cancelled", _meeting(event), author=_author(event.body.at("payload"), "cancelledBy"))


def _author(payload: Payload, path: str) -> str | None:
    """`customer` or `agent`, where Cal.com tells whose e-mail address did it."""
    by = payload.text(path, "").lower()
    if not by:
        return None
    return "agent" if by == payload.text("organizer.email", "").lower() else "customer"


@calcom.on("BOOKING_REQUESTED")
def requested(event: Event) -> Iterator[Message]:
    yield track("Meeting Requested", _meeting(event))


@calcom.on("BOOKING_REJECTED")
def rejected(event: Event) -> Iterator[Message]:
    yield track("Meeting Declined", _meeting(event))


@calcom.on("BOOKING_PAYMENT_INITIATED", "BOOKING_PAID")
def paid(event: Event) -> Iterator[Message]:
    """No revenue: the payment provider's own source tells that once."""
    payload = event.body.at("payload")
    yield track(
        "Payment Succeeded" if event.type == "BOOKING_PAID" else "Payment Started",
        payment_id=payload.id("metadata.externalId", None) or payload.id("paymentId", None),
        meeting_id=payload.id("uid", None),
        amount=payload.money("price", "currency"),
        currency=payload.text("currency", "").upper() or None,
    )


@calcom.on("BOOKING_NO_SHOW_UPDATED")
def no_show(event: Event) -> Iterator[Message]:
    """One for each attendee that the host marked, or whose mark was taken back."""
    for attendee in event.body.at("payload").each("attendees"):
        email = attendee.text("email")
        name = "Meeting No-Show Marked" if attendee.flag("noShow") else "Meeting No-Show Withdrawn"
        yield track(name, _meeting(event), key=email.lower(), who=_person(event, email, {}))


@calcom.on("FORM_SUBMITTED")
def submitted(event: Event) -> Iterator[Message]:
    """The answers stay here."""
    payload = event.body.at("payload")
    yield track("Form Submitted", form_id=payload.id("formId"), form_name=payload.text("formName", None))


calcom.ignore("MEETING_*", because="the clock reached a booking's start or end: nobody acted")
calcom.ignore("FORM_SUBMITTED_NO_EVENT", because="FORM_SUBMITTED told the form; that nothing was booked is no act")
calcom.ignore("BOOKING_LOCATION_UPDATED", "BOOKING_REASSIGNED", because="a detail of a booking that is told already")
calcom.ignore("AFTER_*", because="who was in a video call; the host's own mark is BOOKING_NO_SHOW_UPDATED")
calcom.ignore("INSTANT_MEETING*", because="somebody waits in a call now; the booking it becomes is told")
calcom.ignore("RECORDING_*", "OOO_*", "WRONG_ASSIGNMENT_REPORT", "DELEGATION_*", because="your own team's affairs")
calcom.ignore("PING", because="Cal.com's own test of this URL")
