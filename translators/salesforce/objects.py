"""Translate a record's change to messages and an identity, for every record source."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from translators.kit import Event, Identity, Message, Skip, first_id
from translators.salesforce import custom, deals, people
from translators.salesforce.change import Change
from translators.salesforce.ids import external
from translators.salesforce.settings import CUSTOM_OBJECTS

OPERATIONS: Final = ("create", "update", "delete", "undelete")
# An undeleted record is unchanged; for people and accounts it makes an identify or a group.
_CHANGES: Final = tuple(
    f"{name}.{operation}"
    for name in ("Lead", "Contact", "Account", "Opportunity", "Case")
    for operation in OPERATIONS
    if operation != "undelete" or name in {"Lead", "Contact", "Account"}
)
CHANGES: Final = (*_CHANGES, *(f"*.{operation}" for operation in OPERATIONS))
"""Records of these objects, and any other that the option `custom_objects` may name."""
UNREPORTED: Final = ("Opportunity.undelete", "Case.undelete")
UNREPORTED_REASON: Final = "the record is restored unchanged, without a customer event"
WORK: Final = ("Task", "Event", "EmailMessage", "CaseComment", "FeedItem")
WORK_CHANGES: Final = tuple(f"{name}.{operation}" for name in WORK for operation in OPERATIONS)
WORK_REASON: Final = "a task, an e-mail or a comment on a record; changes of the record itself are reported"


def messages(change: Change, event: Event) -> Iterator[Message]:
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
            yield from deals.opportunity(change, event)
        case "Case":
            yield from deals.case(change, event)
        case _:
            more = {"record_id": change.id, "record_name": change.text("Name"), "operation": change.operation or None}
            yield from custom.custom(change.record, _mapping(change, event), more)


def identity(change: Change, event: Event) -> Identity:
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
            return _customer(change, change.record.select(email="SuppliedEmail:nonempty", name="SuppliedName:nonempty"))
        case _:
            return custom.custom_identity(change.record, _mapping(change, event), change.id)


def _mapping(change: Change, event: Event) -> custom.CustomMapping:
    return custom.mapping_of(CUSTOM_OBJECTS, event, change.object, change.operation)


def _customer(change: Change, traits: Mapping[str, str] | None = None) -> Identity:
    contact, account = change.ref("ContactId"), change.ref("AccountId")
    ids = (("contact", contact), ("account", account))
    email = (traits or {}).get("email", "").strip().lower()
    return Identity(
        metadata=(change.texts,),
        anonymous=first_id(contact=contact, email=email, account=account) or (change.object.lower(), change.id),
        external_ids=tuple(external(kind, id_) for kind, id_ in ids if id_),
        traits=traits or {},
        group_id=account,
    )
