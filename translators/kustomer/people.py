"""Translate customers to identify, and their companies to group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from translators.kit import CLEAR, Event, Message, Payload, Skip, group, identify
from translators.kustomer.source import changes, contact_traits, kustomer, related

# Kustomer's attributes, and the traits they become
_TEXTS: Final = {
    "username": "username", "gender": "gender", "birthdayAt": "birthday", "avatarUrl": "avatar", "locale": "locale",
}  # fmt: skip
_TRAITS: Final = {"name": "name", "emails": "email", "phones": "phone", **_TEXTS}


@kustomer.on("kustomer.customer.create")
def customer_created(event: Event) -> Iterator[Message]:
    attributes = event.body.object("data.attributes")
    yield identify({**_traits(attributes), "createdAt": attributes.opt.iso("createdAt")})
    yield from _company(event)


@kustomer.on("kustomer.customer.update")
def customer_updated(event: Event) -> Iterator[Message]:
    """Identify if a trait changed; clear an emptied trait. Kustomer sends an update for any activity of a customer."""
    changed = changes(event).value
    company_changed = "company" in changes(event, "relationships").value
    if not company_changed and not {"externalId", "custom", *_TRAITS} & set(changed):
        raise Skip("no trait changed")
    traits = _traits(event.body.object("data.attributes"))
    emptied = {trait: CLEAR for name, trait in _TRAITS.items() if name in changed and traits.get(trait) is None}
    yield identify(traits | emptied)
    if company_changed:
        yield from _company(event)


def _traits(attributes: Payload) -> dict[str, Any]:
    texts = attributes.select(**{trait: f"{name}:text" for name, trait in _TEXTS.items()})
    return contact_traits(attributes) | texts


def _company(event: Event) -> Iterator[Message]:
    if company := related(event.body.object("data"), "company"):
        yield group(company)
