"""What every e-mail provider's webhooks have in common: a recipient, and a name for leaving a list."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import getaddresses, parseaddr
from typing import Any, Final

from translators.kit.errors import Malformed
from translators.kit.identity import Identity
from translators.kit.payload import Payload
from translators.kit.source import Option

# "Unsubscribed" is the spec's name; several of Segment's own sources say "Email Unsubscribed".
# https://segment.com/docs/connections/spec/email/
UNSUBSCRIBED_EVENT: Final = Option(
    "unsubscribed_event",
    "what an unsubscription is called: the spec's name, or the one that several of Segment's own sources use",
    "Unsubscribed",
    ("Unsubscribed", "Email Unsubscribed"),
)


def address(body: Payload, path: str) -> str:
    """The bare address at the path, out of `Jane <jane@example.com>` too."""
    told = body.text(path)
    found = (parseaddr(told)[1] if "<" in told else told).strip()
    if not found:
        raise Malformed(f"{body.path}.{path}", "is no e-mail address")
    return found


def addresses(body: Payload, path: str) -> list[str]:
    """Every bare address of a header such as `"Vo, Lin" <lin@example.com>, mila@example.com`, each once."""
    found = [email.strip() for _, email in getaddresses([body.text(path)]) if email.strip()]
    if not found:
        raise Malformed(f"{body.path}.{path}", "is no e-mail address")
    return list(dict.fromkeys(found))


def recipient(email: str, metadata: Mapping[str, Any]) -> Identity:
    """The person behind an address; `metadata` is what the sender attached to the e-mail, where a user id may be."""
    return Identity(
        metadata=({name: str(value) for name, value in metadata.items() if type(value) in (str, int)},),
        anonymous=("email", email.lower()),
        traits={"email": email},
    )
