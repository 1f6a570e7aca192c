"""What every help desk has: made-up names, the message that opens a ticket, replies, assignments and ratings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from translators.kit.errors import Malformed, Skip
from translators.kit.identity import Identity
from translators.kit.message import Message, track

Author = Literal["customer", "agent"]

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


def reply(
    author: Author, properties: Mapping[str, Any], *, chat: bool = False, identity: Identity | None = None
) -> Message:
    """Return the track of a message: `Ticket Replied` with its author.

    With `chat` it is `Live Chat Message Sent` by a customer or `Live Chat Message Received` by an agent. Its
    `conversation_id` is the ticket's id if the properties have none. `identity` is the writer, if it is not the
    ticket's customer but another one.
    """
    if not chat:
        return track("Ticket Replied", {**properties, "author": author}, identity=identity)
    name = "Live Chat Message Sent" if author == "customer" else "Live Chat Message Received"
    conversation = {} if "conversation_id" in properties else {"conversation_id": properties["ticket_id"]}
    return track(name, {**properties, **conversation}, identity=identity)


def author_of(text: str | None, path: str, hint: str) -> Author:
    """Return the author that a rule or its template names. Raise `Malformed` with the hint for any other text."""
    match text:
        case "customer" | "agent":
            return text
    raise Malformed(path, f"must be customer or agent{hint}")


def assigned(properties: dict[str, Any], what: str = "ticket") -> dict[str, Any]:
    """Return the properties of a new assignment. Raise `Skip` if they have neither `assignee_id` nor `team_id`."""
    if properties.get("assignee_id") is None and properties.get("team_id") is None:
        raise Skip(f"the {what} was unassigned")
    return properties


def rating_fields(rating: str | int) -> dict[str, Any]:
    """Return `rating` in lower case, and `score` if it is an int or a text of one to three digits."""
    if isinstance(rating, int):
        return {"rating": str(rating), "score": rating}
    return {"rating": rating.lower(), "score": int(rating) if re.fullmatch(r"[0-9]{1,3}", rating) else None}
