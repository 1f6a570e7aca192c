"""Translate customers to identify and organizations to group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from translators.helpscout.source import helpscout, utc
from translators.kit import Event, Message, group, identify


@helpscout.on("customer.created", "customer.updated")
def customer_known(event: Event) -> Iterator[Message]:
    fields = event.body.select(
        "firstName", "lastName", "age", "gender", title="jobTitle", avatar="photoUrl", company="organization:text"
    )
    traits = {name: value for name, value in fields.items() if value}
    if str(traits.get("gender", "")).lower() == "unknown":
        del traits["gender"]
    if "company" in traits:
        traits["company"] = {"name": traits["company"]}
    yield identify({**traits, "createdAt": utc(event.body, "createdAt")})


@helpscout.tracks({"customer.deleted": "Contact Deleted"})
def customer_deleted(event: Event) -> dict[str, Any]:
    return {"contact_id": event.body.id("id")}


@helpscout.on("organization.created", "organization.updated")
def organization_known(event: Event) -> Iterator[Message]:
    traits = event.body.select("name", "website", "description", avatar="logoUrl")
    yield group(event.body.id("id"), {**traits, "createdAt": utc(event.body, "createdAt")})


@helpscout.tracks({"organization.deleted": "Account Deleted"})
def organization_deleted(event: Event) -> dict[str, Any]:
    return event.body.select(account_name="name:text")
