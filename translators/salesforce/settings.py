"""Options that the record sources share. Lists in an option are `first; second`: names have spaces and commas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from translators.kit import text_option

ORGANIZATION: Final = text_option(
    "organization_id", "your organisation's id, 15 or 18 characters; deliveries of any other are refused"
)
WON_STAGES: Final = text_option(
    "won_stages", "stages of a won opportunity, if IsWon is not sent: Closed Won; Signed", "Closed Won"
)
LOST_STAGES: Final = text_option("lost_stages", "stages of a lost opportunity, if IsClosed is not sent", "Closed Lost")
CLOSED_STATUSES: Final = text_option("closed_statuses", "statuses of a solved case, if IsClosed is not sent", "Closed")
CURRENCY: Final = text_option("currency", "the currency of an organisation that has only one, such as EUR")
CUSTOM_OBJECTS: Final = text_option(
    "custom_objects", "other objects and their events: Order__c=Order Placed by Buyer__c with Total__c Number__c; ..."
)
RECORDS: Final = (WON_STAGES, LOST_STAGES, CLOSED_STATUSES, CURRENCY, CUSTOM_OBJECTS)


def entries(value: Any) -> tuple[str, ...]:
    """Return the entries of an option: a list, or one text separated by `;` or line breaks."""
    parts = re.split(r"[;\n]", value) if isinstance(value, str) else value
    return tuple(part.strip() for part in parts if part.strip())


def pairs(option: Any) -> Iterator[tuple[str, str]]:
    """Yield the entries `name=value` of an option."""
    for entry in entries(option):
        name, _, value = entry.partition("=")
        if name.strip() and value.strip():
            yield name.strip(), value.strip()
