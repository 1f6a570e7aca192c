"""Translate sessions and profiles to identify, and what happens to them to track."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.crisp.source import DATA_TRAITS, crisp, identity, nickname
from translators.kit import Event, Message, Skip, identify, track


@crisp.on("session:set_email", "session:set_nickname", "session:set_phone", "people:profile:created")
def person_known(event: Event) -> Iterator[Message]:
    if not any(identity(event).traits.values()):
        raise Skip("a name that Crisp made up for a visitor")
    yield identify()


@crisp.on("session:set_data")
def data_known(event: Event) -> Iterator[Message]:
    """Identify with the session's data. It has the userId if your site sets a key of `identity.user_id_keys`."""
    data = event.body.object("data.data")
    fields = data.select(*DATA_TRAITS.of(event))
    traits = {name: value for name, value in fields.items() if not isinstance(value, dict | list)}
    if not traits and not event.body.texts("data.data"):
        raise Skip("no field that is a trait or could be your user id")
    yield identify(traits)


@crisp.on("people:profile:updated", "people:sync:profile")
def profile_known(event: Event) -> Iterator[Message]:
    data = event.body.object("data")
    profile = data.maybe("update" if event.type == "people:profile:updated" else "identity")
    person = profile.maybe("person")
    address = person.select(
        street="address:text", city="geolocation.city:text", state="geolocation.region:text",
        country="geolocation.country:text",
    )  # fmt: skip
    employer = profile.first("company.name", "person.employment.name")
    fields = {
        "name": nickname(person.opt.text("nickname")),
        **person.select("phone:text", "avatar:text", "website:text", "gender:text", title="employment.title:text"),
        "company": {"name": employer} if employer else None,
        "address": address if any(address.values()) else None,
    }
    traits = {name: value for name, value in fields.items() if value}
    if not traits and "email" not in data:
        raise Skip("no field changed that is a Segment trait")
    yield identify(traits)


@crisp.on("people:bind:session")
def profile_bound(_: Event) -> Iterator[Message]:
    """Identify with both of Crisp's ids, so that Unify joins the session and the known person."""
    yield identify()


@crisp.tracks({"people:profile:removed": "Contact Deleted"})
def profile_removed(event: Event) -> dict[str, Any]:
    return {"contact_id": event.body.id("data.people_id")}


@crisp.on("email:subscribe")
def subscription_changed(event: Event) -> Iterator[Message]:
    yield track("Email Resubscribed" if event.body.flag("data.subscribed") else "Unsubscribed")
