"""What every help desk has: names that the provider made up, and the message that opens a ticket."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Final

_WITH_ITS_TICKET: Final = timedelta(seconds=2)
_PLACEHOLDER: Final = re.compile(
    r"(?:(?:anonymous|unknown|unnamed|web|website|chat|guest|new|permanently|deleted|former|deactivated)[ _-]+)*"
    r"(?:anonymous|unknown|unnamed|no name|visitor|guest|user|customer|client|contact|caller|person|lead|sender"
    r"|null|none|nil|undefined|n/a|\[object object\])"
    r"(?:[ _#:-]*\d[\da-f-]*|[ _#:-]+[\da-f]{6,}|[ _-]+\+?[\d(][\d ().-]*)?",
    re.IGNORECASE,
)


def real_name(name: str | None) -> str | None:
    """Return a person's name, None if it is empty or a placeholder: `Visitor 4711`, `Anonymous`, `Unknown Person`.

    A help desk shows such a text if it knows no name, so it is no trait of the person.
    """
    name = (name or "").strip()
    return name if any(map(str.isalpha, name)) and not _PLACEHOLDER.fullmatch(name) else None


def full_name(first: str | None, last: str | None) -> str | None:
    """Return the parts of a name as one text, None if there are none."""
    return " ".join(part.strip() for part in (first, last) if part and part.strip()) or None


def name_traits(first: str | None, last: str | None) -> dict[str, str | None]:
    """Return the traits `firstName`, `lastName` and `name` of a person whose name is sent in two parts."""
    return {"firstName": first, "lastName": last, "name": full_name(first, last)}


def opens_ticket(opened: datetime | None, written: datetime | None) -> bool:
    """Return whether a message opened its ticket: both were made within two seconds.

    It is part of `Ticket Created`, so it is no `Ticket Replied`; docs/help-desks.md has the rule.
    """
    return opened is not None and written is not None and abs(written - opened) <= _WITH_ITS_TICKET
