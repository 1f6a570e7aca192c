"""Signature, key, time and identity of Intercom's notifications."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from translators.kit import (
    Delivery,
    Event,
    ExternalId,
    Head,
    HmacBody,
    Identity,
    Item,
    Malformed,
    Payload,
    Response,
    Skip,
    Source,
    accept_account,
    real_name,
    text_option,
)

APP_ID: Final = text_option(
    "app_id", "accept notifications of this workspace only (an app receives those of all that installed it)"
)

intercom = Source(
    "intercom",
    title="Intercom",
    docs="https://developers.intercom.com/docs/webhooks",
    secret_help="Developer Hub > your app > Basic information > Client secret",
    # https://developers.intercom.com/docs/references/webhooks/webhook-models#signed-notifications
    scheme=HmacBody(alg="sha1", header="X-Hub-Signature", encoding="hex", prefix="sha1="),
    options=[APP_ID],
)

PRIVATE: Final = {"note", "note_and_reopen"}
_ADMIN: Final = {"admin", "team"}
_LEADS: Final = {"lead", "visitor"}
# In API 1, users and leads share these topics, and both have the type `user`
_OF_EITHER: Final = ("user.deleted", "user.unsubscribed")
_PEOPLE: Final = {"user", "lead", "contact", "visitor"}
# Intercom names an unnamed lead `Rose Poodle from Paris`, or `Azure Bus` without a place. Colours that are also given
# names are left out.
_MADE_UP: Final = re.compile(
    r"[A-Z][a-z]+ [A-Z][a-z]+ from \S.*"
    r"|(?:Aqua|Aquamarine|Azure|Beige|Black|Blue|Bronze|Brown|Burgundy|Chartreuse|Crimson|Cyan|Fuchsia|Gold|Golden|Gray"
    r"|Green|Grey|Khaki|Lavender|Lime|Magenta|Maroon|Mauve|Mint|Navy|Orange|Peach|Pink|Plum|Purple|Red|Salmon|Silver"
    r"|Tan|Teal|Turquoise|White|Yellow) [A-Z][a-z]+"
)
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


accept_account(intercom, APP_ID, lambda delivery: delivery.payload.opt.id("app_id"), what="Intercom workspace")

intercom.manual_steps(
    "Developer Hub (https://app.intercom.com/a/apps/_/developer-hub) > your app > Webhooks > Endpoint URL: {url}",
    "Start Segue first: Intercom sends HEAD to the URL when you save it.",
    "Choose these topics (an app lists only the topics of its API version):{types}",
)


@intercom.handshake(signed=False)
def health_check(delivery: Delivery) -> Response | None:
    """Answer Intercom's health check and uninstallation notice, which have another signature header.

    They are not notifications of a topic and expect 200 only, so nothing is stored.
    """
    if "x-body-signature" in delivery.headers and "x-hub-signature" not in delivery.headers:
        return Response()
    return None


@intercom.head
def head(item: Item) -> Head:
    """Return the id `notif_...`, the topic and the time in seconds. A ping's id is null."""
    body = item.body
    topic = body.text("topic")
    key = body.id("id", "")
    if topic == "ping" and not key:
        key = f"ping:{body.id('app_id', '')}:{body.id('created_at', '')}"
    return Head(id=key or body.id("id"), type=topic, occurred_at=body.when("created_at"))


intercom.head_at(id="id", type="topic", occurred_at="created_at:when")


@intercom.identity
def identity(event: Event) -> Identity:
    """Return the contact, wherever the topic's item has it; the company if a company event has no contact."""
    item = item_of(event)
    if event.type.startswith("company."):
        return of_company(item) if item.get("contact") is None else of_contact(item.object("contact"))
    for contact in _contacts(item):
        if not contact.get("id"):
            continue
        return of_contact(contact, _role(item, contact), by_type=not event.type.startswith(_OF_EITHER))
    if "type" not in item and event.type.startswith(("contact.", "user.", "visitor.")):
        return of_contact(item)  # *.deleted topics may have only an id
    if event.type.startswith(("conversation.", "ticket.")):
        raise Skip("no customer: the conversation or ticket names no contact")
    raise Malformed("$.data.item", "names no contact")


def item_of(event: Event) -> Payload:
    """Return the object that the notification is about."""
    return event.body.object("data.item")


def last_part(event: Event, name: str) -> Payload:
    """Return the last part of a conversation or ticket, which the notification is about."""
    parts = list(item_of(event).each(f"{name}.{name}"))
    return parts[-1] if parts else Payload({}, f"$.data.item.{name}.{name}[0]")


def _contacts(item: Payload) -> Iterator[Payload]:
    """Yield the contacts: `contacts.contacts` in API 2, `user` in API 1, the item or its `contact` in other topics."""
    if item.text("type", "") in {"contact", "user", "lead", "visitor"}:
        yield item
    if isinstance(item.get("contacts"), dict):
        yield from item.each("contacts.contacts")
    for path in ("contact", "user"):
        if isinstance(item.get(path), dict):
            yield item.object(path)
    if item.text("source.author.type", "") in _PEOPLE:
        yield item.object("source.author")


def _role(item: Payload, contact: Payload) -> str:
    """Return a contact's role. A conversation's contacts have none; the author of its first message may."""
    if item.get("source.author.id") == contact.get("id"):
        return item.text("source.author.type", "")
    return ""


def writer(event: Event, part: Payload) -> Identity | None:
    """Return the contact who wrote a part, since a conversation may have several; None if unknown."""
    author = part.maybe("author")
    if not author:
        return None
    if author.text("type", "") not in _PEOPLE:
        raise Skip("not written by a contact")
    for contact in _contacts(item_of(event)):
        if contact.get("id") == author.get("id"):
            return of_contact(contact, author.text("type"))
    return of_contact(author)


def of_contact(contact: Payload, role: str = "", *, by_type: bool = True) -> Identity:
    """Return a contact. `external_id` (API 1: `user_id`) of a user is your id; that of a lead is a UUID of Intercom.

    So a UUID counts as your id only if the contact's own role is `user`, or with `by_type` its type. An author's type
    (`role`) is `user` for some leads and stays `lead` for a lead who became a user. Therefore it can only reject a
    UUID, never another id, and never an id of a contact with the role `user`.
    """
    contact_id = contact.id("id")
    known = {contact.text("role", ""), contact.text("type", "")}
    is_lead = bool(_LEADS & {*known, role}) or contact.flag("anonymous", False)
    proved = contact.get("role") == "user" or contact.get("anonymous") is False
    is_user = proved or (by_type and "user" in known and not is_lead)
    own = (_own_id(contact, "external_id"), _own_id(contact, "user_id"))
    name = real_name(contact.opt.text("name"))
    if name and not proved and (_MADE_UP.fullmatch(name) or name == contact.get("pseudonym")):
        name = None
    return Identity(
        metadata=(contact.texts("custom_attributes"),),
        user_ids=tuple(id_ for id_ in own if is_user or not _UUID.fullmatch(id_)),
        anonymous=("contact", contact_id),
        external_ids=(ExternalId("intercom_contact_id", contact_id),),
        traits={"email": contact.opt.text("email"), "name": name, "phone": contact.get("phone")},
        group_id=_company(contact),
    )


def _own_id(body: Payload, path: str) -> str:
    """Return the id that you set at Intercom; empty if you set none."""
    return body.id(path, "") if body.get(path) else ""


def of_company(company: Payload) -> Identity:
    """Return a company as its own identity, without a person."""
    company_id = company.id("id")
    return Identity(
        anonymous=("company", company_id),
        external_ids=(ExternalId("intercom_company_id", company_id, "accounts"),),
        group_id=group_id(company),
    )


def group_id(company: Payload) -> str:
    """Return `company_id`, which is your own; Intercom's id if you set none."""
    return _own_id(company, "company_id") or company.id("id")


def _company(contact: Payload) -> str | None:
    """Return the id of a contact's only company, if your id is sent (API 1)."""
    companies = contact.get("companies.companies")
    if isinstance(companies, list) and len(companies) == 1:
        return _own_id(Payload(companies[0], f"{contact.path}.companies.companies[0]"), "company_id") or None
    return None


def assignee_id(item: Payload, path: str) -> str | None:
    """Return the assigned teammate or team; None if Intercom writes 0."""
    id_ = item.opt.id(path)
    return None if id_ == "0" else id_


def is_teammate(author: Payload) -> bool:
    """Return whether a teammate wrote, not a bot, Fin or a workflow."""
    return author.text("type", "") in _ADMIN and not author.flag("from_ai_agent", False)
