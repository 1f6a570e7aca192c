"""Return the Segment name and the value of a changed property. HubSpot sends every value as text.

The names are HubSpot's default properties: https://knowledge.hubspot.com/properties/hubspots-default-contact-properties
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from translators.kit import CLEAR, Malformed, Payload, Skip

ENTRY: Final = r"(?P<property>\w+)(=(?P<name>\w+))?(:(?P<form>text|number|time|flag))?"
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_REDACTED: Final = "REDACTED"  # https://developers.hubspot.com/docs/guides/api/crm/sensitive-data

CONTACT: Final[Mapping[str, str]] = {
    "email": "email", "firstname": "firstName", "lastname": "lastName", "phone": "phone",
    "mobilephone": "mobile_phone", "jobtitle": "title", "company": "company", "website": "website", "city": "city",
    "state": "state", "country": "country", "zip": "postal_code", "industry": "industry", "gender": "gender",
    "date_of_birth": "birthday", "hs_language": "language", "lifecyclestage": "lifecycle_stage",
    "hs_lead_status": "lead_status",
}  # fmt: skip
COMPANY: Final[Mapping[str, str]] = {
    "name": "name", "domain": "domain", "website": "website", "industry": "industry", "phone": "phone",
    "type": "type", "city": "city", "state": "state", "country": "country", "zip": "postal_code",
    "numberofemployees": "employees:number", "annualrevenue": "annual_revenue:number",
    "lifecyclestage": "lifecycle_stage", "hs_lead_status": "lead_status",
}  # fmt: skip
DEAL: Final[Mapping[str, str]] = {
    "dealname": "opportunity_name", "amount": "amount:number", "deal_currency_code": "currency",
    "closedate": "close_date:time", "pipeline": "pipeline", "dealtype": "type", "hubspot_owner_id": "owner_id",
    "hs_priority": "priority",
}  # fmt: skip
TICKET: Final[Mapping[str, str]] = {
    "subject": "subject", "hs_ticket_category": "category", "hs_pipeline": "pipeline", "source_type": "channel",
}  # fmt: skip


def changed(body: Payload, known: Mapping[str, str], more: Iterable[str], option: str) -> tuple[str, Any]:
    """Return (name, value) of the changed property; CLEAR if it became empty.

    Raise `Skip` if it is neither known nor listed in the endpoint's option, so that only chosen values are sent.
    """
    name = body.text("propertyName")
    properties = dict(known) | {entry["property"]: _name_and_form(entry) for entry in map(_parse, more)}
    if name not in properties:
        raise Skip(f"the property {name}: list it in the option {option} to send it")
    property_name, _, form = properties[name].partition(":")
    return property_name, value(body, form)


def _parse(entry: str) -> re.Match[str]:
    match = re.fullmatch(ENTRY, entry)
    if match is None:
        raise Malformed(
            "$", f"cannot be read: the option's entry {entry!r} is not name, name=other or name=other:number"
        )
    return match


def _name_and_form(match: re.Match[str]) -> str:
    return f"{match['name'] or match['property']}:{match['form'] or ''}"


def value(body: Payload, form: str = "") -> Any:
    """Return the property's current value as text, number, time or flag; CLEAR if it is empty."""
    if body.flag("isSensitive", False) or body.get("propertyValue") == _REDACTED:
        raise Skip("a sensitive property, whose value HubSpot does not send")
    if body.get("propertyValue") is None:
        raise Skip("the property has no value in this event, not even an empty one")
    if body.get("propertyValue") == "":
        return CLEAR
    if form == "number":
        return body.decimal("propertyValue")
    if form == "time" and not _DATE.fullmatch(str(body.get("propertyValue"))):
        return body.when("propertyValue")
    text = body.id("propertyValue")
    if form != "flag":
        return text
    if text.lower() not in {"true", "false"}:
        raise Malformed(f"{body.path}.propertyValue", "is neither true nor false")
    return text.lower() == "true"
