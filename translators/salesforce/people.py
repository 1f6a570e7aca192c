"""Translate leads, contacts and accounts to identify, group and track.

A Person Account is an account and a contact in one record; its person is identified too.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_erd_persona.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from translators.kit import CLEAR, Identity, Message, full_name, group, identify, track
from translators.salesforce.change import Change
from translators.salesforce.ids import external, identity_of

_ADDRESS: Final = {
    "street": "Street", "city": "City", "state": "State", "postalCode": "PostalCode", "country": "Country",
}  # fmt: skip


def lead_identity(change: Change) -> Identity:
    """Return the lead; if converted, with its contact, so that the two profiles are joined."""
    contact = change.ref("ConvertedContactId")
    external_ids = [external("lead", change.id)] + ([external("contact", contact)] if contact else [])
    return Identity(
        metadata=(change.texts,),
        anonymous=("lead", change.id),
        external_ids=tuple(external_ids),
        traits=_person(change, ""),
        group_id=change.ref("ConvertedAccountId"),
    )


def contact_identity(change: Change) -> Identity:
    """Return the contact, with the account as group."""
    account = change.ref("AccountId")
    external_ids = [external("contact", change.id)] + ([external("account", account)] if account else [])
    return Identity(
        metadata=(change.texts,),
        anonymous=("contact", change.id),
        external_ids=tuple(external_ids),
        traits=_person(change, "Mailing"),
        group_id=account,
    )


_NAMES: Final = {"FirstName", "MiddleName", "LastName", "Salutation", "Suffix"}


def is_person(change: Change) -> bool:
    """Return whether an account is a Person Account, by IsPersonAccount or by fields that only these have."""
    mark = change.flag("IsPersonAccount")
    if mark is not None:
        return mark
    return any(_is_of_person(name) for name in change.names())


def _is_of_person(field: str) -> bool:
    return field in _NAMES or field.endswith("__pc") or (field.startswith("Person") and not field.endswith("__c"))


def account_identity(change: Change) -> Identity:
    """Return the account; for a Person Account the person, by the contact id if the record has it."""
    if not is_person(change):
        return identity_of(change.id)
    contact = change.ref("PersonContactId")
    external_ids = [external("contact", contact)] if contact else []
    # A contact's custom field User_Id__c is User_Id__pc on its Person Account.
    own = {f"{name.removesuffix('__pc')}__c": text for name, text in change.texts.items() if name.endswith("__pc")}
    return Identity(
        metadata=(change.texts, own),
        anonymous=("contact", contact) if contact else ("account", change.id),
        external_ids=(*external_ids, external("account", change.id)),
        traits=_person_of_account(change),
        group_id=change.id,
    )


def _person_of_account(change: Change) -> dict[str, Any]:
    phone = change.trait("Phone") or change.trait("PersonMobilePhone") or change.trait("PersonHomePhone")
    return {
        "email": change.trait("PersonEmail"),
        "firstName": change.trait("FirstName"),
        "lastName": change.trait("LastName"),
        "name": _whole_name(change),
        "phone": phone,
        "title": change.trait("PersonTitle"),
        "website": change.trait("Website"),
        "birthday": change.trait("PersonBirthdate"),
        "address": _address(change, "PersonMailing") or _address(change, "Billing"),
        "leadSource": change.trait("PersonLeadSource"),
    }


def _whole_name(change: Change) -> str | None:
    """Return the name; join its two parts only if both are sent or the record is whole."""
    first, last = change.text("FirstName"), change.text("LastName")
    return change.text("Name") or (full_name(first, last) if change.whole or (first and last) else None)


def _person(change: Change, prefix: str) -> dict[str, Any]:
    company = change.text("Company")
    return {
        "email": change.trait("Email"),
        "firstName": change.trait("FirstName"),
        "lastName": change.trait("LastName"),
        "name": _whole_name(change),
        "phone": change.trait("Phone"),
        "title": change.trait("Title"),
        "website": change.trait("Website"),
        "company": {"name": company} if company else CLEAR if "Company" in change.erased else None,
        "address": _address(change, prefix),
        "leadSource": change.trait("LeadSource"),
    }


def _identify(change: Change, traits: Mapping[str, Any]) -> Iterator[Message]:
    """Identify, unless an update changed no trait."""
    created_at = change.moment("CreatedDate")
    if change.whole or created_at or any(trait is not None for trait in traits.values()):
        yield identify({"createdAt": created_at})


def _address(change: Change, prefix: str) -> Any:
    """Return the whole address or None: a part would replace the whole trait at Segment."""
    if f"{prefix}Address" in change.erased:
        return CLEAR
    address = {trait: change.text(f"{prefix}{name}") for trait, name in _ADDRESS.items()}
    return address if change.whole and any(address.values()) else None


def lead(change: Change) -> Iterator[Message]:
    """Report a lead's traits and its event."""
    properties = {
        "lead_id": change.id,
        **change.record.select(status="Status:nonempty", lead_source="LeadSource:nonempty"),
        "url": change.url,
    }
    if change.operation == "delete":
        yield track("Lead Deleted", properties)
        return
    yield from _identify(change, _person(change, ""))
    converted = change.flag("IsConverted") is True
    if change.operation == "update":
        converted = converted and change.has_changed("IsConverted")
    if converted and change.operation != "undelete":
        yield track(
            "Lead Converted",
            {
                **properties,
                "contact_id": change.ref("ConvertedContactId"),
                "account_id": change.ref("ConvertedAccountId"),
                "opportunity_id": change.ref("ConvertedOpportunityId"),
            },
        )
    elif change.has_changed("Status") and change.operation == "update":
        yield track("Lead Status Changed", {**properties, "previous_status": change.old.opt.text("Status")})
    else:
        yield from _made_or_updated("Lead", change, properties)
    yield from _email_opt_out(change, "HasOptedOutOfEmail", lead_id=change.id)


def contact(change: Change) -> Iterator[Message]:
    """Report a contact's traits, account and event."""
    account = change.ref("AccountId")
    properties = {"contact_id": change.id, "account_id": account, "url": change.url}
    if change.operation == "delete":
        yield track("Contact Deleted", properties)
        return
    yield from _identify(change, _person(change, "Mailing"))
    if account and (change.operation != "update" or change.has_changed("AccountId")):
        yield group(account)
    yield from _made_or_updated("Contact", change, properties)
    yield from _email_opt_out(change, "HasOptedOutOfEmail", contact_id=change.id)


def _email_opt_out(change: Change, field: str, **record: str) -> Iterator[Message]:
    """Report a change of Email Opt Out; only an update has it."""
    opted_out = change.flag(field)
    if change.operation == "update" and change.has_changed(field) and opted_out is not None:
        yield track("Unsubscribed" if opted_out else "Email Resubscribed", record)


def _made_or_updated(noun: str, change: Change, properties: dict[str, Any]) -> Iterator[Message]:
    if change.new:
        yield track(f"{noun} Created", properties)
    elif change.operation == "":
        yield track(f"{noun} Updated", properties)
    elif change.operation == "update" and (others := change.other_changes()):
        yield track(f"{noun} Updated", {**properties, "changed": others})


def account(change: Change) -> Iterator[Message]:
    """Report an account's traits and event; for a Person Account also the person's traits."""
    person = is_person(change)
    name = _whole_name(change) if person else change.text("Name")
    if change.operation == "delete":
        yield track("Account Deleted", {"account_id": change.id, "account_name": name})
        return
    if person:
        yield from _identify(change, _person_of_account(change))
    traits = {
        "name": name or change.trait("Name"),
        "industry": change.trait("Industry"),
        "website": change.trait("Website"),
        "phone": change.trait("Phone"),
        "employees": CLEAR if "NumberOfEmployees" in change.erased else change.number("NumberOfEmployees"),
        "type": change.trait("Type"),
        "address": _address(change, "Billing"),
        "createdAt": change.moment("CreatedDate"),
    }
    if change.whole or any(value is not None for value in traits.values()):
        yield group(change.id, traits)
    if change.new:
        yield track("Account Created", {"account_id": change.id, "account_name": name, "url": change.url})
    yield from _email_opt_out(change, "PersonHasOptedOutOfEmail", account_id=change.id)
