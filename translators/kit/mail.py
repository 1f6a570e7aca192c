"""What every e-mail provider's webhooks have in common: a recipient, tags, a name for unsubscriptions."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import getaddresses, parseaddr
from typing import Any, Final

from translators.kit.errors import Malformed
from translators.kit.identity import Identity
from translators.kit.options import choice_option
from translators.kit.payload import Payload

# "Unsubscribed" is the spec's name; several of Segment's own sources say "Email Unsubscribed".
# https://segment.com/docs/connections/spec/email/
UNSUBSCRIBED_EVENT: Final = choice_option(
    "unsubscribed_event",
    "what an unsubscription is called: the spec's name, or that of several of Segment's own sources",
    ("Unsubscribed", "Email Unsubscribed"),
    "Unsubscribed",
)
"""The option of an e-mail source for the name of its unsubscriptions."""


def address(body: Payload, path: str) -> str:
    """Return the bare address at the path, out of `Jane <jane@example.com>` too."""
    text = body.text(path)
    bare = (parseaddr(text)[1] if "<" in text else text).strip()
    if not bare:
        raise Malformed(f"{body.path}.{path}", "is no e-mail address")
    return bare


def addresses(body: Payload, path: str) -> list[str]:
    """Return every bare address of a header such as `"Vo, Lin" <lin@example.com>, mila@example.com`, each once."""
    bare = [email.strip() for _, email in getaddresses([body.text(path)]) if email.strip()]
    if not bare:
        raise Malformed(f"{body.path}.{path}", "is no e-mail address")
    return list(dict.fromkeys(bare))


def recipient(email: str, metadata: Mapping[str, Any]) -> Identity:
    """Return the person behind an address; `metadata` is what the sender attached; it may hold a user id."""
    return Identity(
        metadata=({name: str(value) for name, value in metadata.items() if type(value) in (str, int)},),
        anonymous=("email", email.lower()),
        traits={"email": email},
    )


def tags_of(value: Any) -> list[str] | None:
    """Return tags as a list of texts, sent as one text or as a list; None if there are none."""
    several = value if isinstance(value, list) else [value]
    return [tag for tag in several if isinstance(tag, str) and tag] or None
