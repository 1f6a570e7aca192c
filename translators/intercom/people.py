"""Translate contacts to identify and companies to group."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from translators.intercom.source import group_id, intercom, item_of, of_contact
from translators.kit import Event, ExternalId, Message, group, identify, track


@intercom.on(
    "contact.user.created", "contact.user.updated", "contact.lead.created", "contact.lead.updated",
    "contact.lead.added_email", "contact.lead.signed_up", "contact.email.updated", "contact.created",
    "contact.signed_up", "contact.added_email", "user.created", "user.email.updated", "visitor.signed_up",
)  # fmt: skip
def contact_known(event: Event) -> Iterator[Message]:
    contact = item_of(event)
    place = contact.maybe("location") or contact.maybe("location_data")
    address = {
        "city": place.first("city", "city_name"),
        "state": place.first("region", "region_name"),
        "country": place.first("country", "country_name"),
    }
    created_at = contact.opt.when("signed_up_at") or contact.opt.when("created_at")
    yield identify({"createdAt": created_at, "address": address if any(address.values()) else None})


@intercom.on("contact.merged")
def contact_merged(event: Event) -> Iterator[Message]:
    contact = item_of(event)
    absorbed = contact.opt.id("merged_from.id")
    identity = of_contact(contact)
    if absorbed:
        identity = replace(identity, external_ids=(*identity.external_ids, ExternalId("intercom_contact_id", absorbed)))
    yield identify(identity=identity)


@intercom.tracks({"contact.deleted": "Contact Deleted", "user.deleted": "Contact Deleted"})
def contact_deleted(event: Event) -> dict[str, Any]:
    return item_of(event).select(contact_id="id:id!")


@intercom.tracks({
    "contact.unsubscribed": "Unsubscribed",
    "user.unsubscribed": "Unsubscribed",
    "granular.unsubscribe": "Unsubscribed",
    "contact.subscribed": "Email Resubscribed",
    "granular.subscribe": "Email Resubscribed",
})  # fmt: skip
def subscription_changed(event: Event) -> dict[str, Any]:
    """Return the subscription type, if the notification names one."""
    return item_of(event).maybe("subscription_type").select(list_id="id:id", list_name="name:text")


@intercom.on("contact.unsubscribed_from_sms", "user.unsubscribed_from_sms")
def unsubscribed_from_sms(_: Event) -> Iterator[Message]:
    yield track("SMS Unsubscribed")


@intercom.on("company.created", "company.updated")
def company_known(event: Event) -> Iterator[Message]:
    company = item_of(event)
    yield group(
        group_id(company),
        {
            **company.select("name", "website", "industry", plan="plan.name:text", employees="size:id"),
            "createdAt": company.opt.when("remote_created_at") or company.opt.when("created_at"),
        },
    )


@intercom.tracks({"company.deleted": "Account Deleted"})
def company_deleted(event: Event) -> dict[str, Any]:
    return item_of(event).select(account_name="name:text")


@intercom.on("company.contact.attached")
def company_joined(event: Event) -> Iterator[Message]:
    company = item_of(event).object("company")
    yield group(group_id(company), {"name": company.opt.text("name")})
    yield track("Account Added User", context={"groupId": group_id(company)})


@intercom.on("company.contact.detached")
def company_left(event: Event) -> Iterator[Message]:
    yield track("Account Removed User", context={"groupId": group_id(item_of(event).object("company"))})
