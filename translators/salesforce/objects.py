"""Translate a record's change to messages and an identity, for every record source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from translators.kit import Identity, Message, Skip
from translators.salesforce import custom, deals, people
from translators.salesforce.change import Change
from translators.salesforce.ids import external
from translators.salesforce.settings import entries

OPERATIONS: Final = ("create", "update", "delete", "undelete")
# An undeleted record is unchanged; for people and accounts it makes an identify or a group.
CHANGES: Final = tuple(
    f"{name}.{operation}"
    for name in ("Lead", "Contact", "Account", "Opportunity", "Case")
    for operation in OPERATIONS
    if operation != "undelete" or name in {"Lead", "Contact", "Account"}
)
UNREPORTED: Final = ("Opportunity.undelete", "Case.undelete")
UNREPORTED_REASON: Final = "the record is restored unchanged, without a customer event"
WORK: Final = ("Task", "Event", "EmailMessage", "CaseComment", "FeedItem")
WORK_CHANGES: Final = tuple(f"{name}.{operation}" for name in WORK for operation in OPERATIONS)
WORK_REASON: Final = "a task, an e-mail or a comment on a record; changes of the record itself are reported"


def messages(change: Change, options: Mapping[str, Any]) -> Iterator[Message]:
    """Yield the messages of a change."""
    if change.operation == "update" and not change.other_changes():
        raise Skip("nothing changed but the record's own dates")
    match change.object:
        case "Lead":
            yield from people.lead(change)
        case "Contact":
            yield from people.contact(change)
        case "Account":
            yield from people.account(change)
        case "Opportunity":
            yield from deals.opportunity(change, options)
        case "Case":
            yield from deals.case(change, options)
        case _:
            more = {"record_id": change.id, "record_name": change.text("Name"), "operation": change.operation or None}
            yield from custom.custom(change.record, _mapping(change, options), more)


def identity(change: Change, options: Mapping[str, Any]) -> Identity:
    """Return the lead or contact, else the account, else the record itself."""
    match change.object:
        case "Lead":
            return people.lead_identity(change)
        case "Contact":
            return people.contact_identity(change)
        case "Account":
            return people.account_identity(change)
        case "Opportunity":
            return _customer(change)
        case "Case":
            traits = {"email": change.text("SuppliedEmail"), "name": change.text("SuppliedName")}
            return _customer(change, {name: value for name, value in traits.items() if value})
        case _:
            return custom.custom_identity(change.record, _mapping(change, options), change.id)


def _mapping(change: Change, options: Mapping[str, Any]) -> custom.CustomMapping:
    return custom.mapping_of(entries(options["custom_objects"]), change.object, change.operation, "custom_objects")


def _customer(change: Change, traits: Mapping[str, str] | None = None) -> Identity:
    contact, account = change.ref("ContactId"), change.ref("AccountId")
    ids = (("contact", contact), ("account", account))
    email = (traits or {}).get("email", "").strip().lower()
    if contact:
        anonymous = ("contact", contact)
    elif email:
        anonymous = ("email", email)
    elif account:
        anonymous = ("account", account)
    else:
        anonymous = (change.object.lower(), change.id)
    return Identity(
        metadata=(change.texts,),
        anonymous=anonymous,
        external_ids=tuple(external(kind, id_) for kind, id_ in ids if id_),
        traits=traits or {},
        group_id=account,
    )
