"""The longest keys, types, headers and envelopes, and the characters that both stores can hold.

PostgreSQL stores no NUL in texts and indexes no key of kilobytes, and half a surrogate pair is not UTF-8. They are
replaced or refused before an event is stored, so that both stores hold the same and no event fails another's commit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from hashlib import sha256
from typing import Final

from translators.kit.errors import Malformed
from translators.kit.event import FormerId, Head

KEY_BYTES: Final = 512
TYPE_BYTES: Final = 255
VALUE: Final = 16_384
"""Characters of a header or of a member of an envelope."""
FORMER_KEY: Final = 8_192
"""Characters of a key as an earlier release stored it, without a bound."""
PROBLEM: Final = 8_000
"""Characters of a problem."""
_LEFT: Final = "\N{REPLACEMENT CHARACTER}"


def clean(text: str) -> str:
    """Return the text with U+FFFD for each NUL and each half of a surrogate pair."""
    if text.isprintable():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\0", _LEFT)


def bounded_key(key: str) -> str:
    """Return a key as both stores hold it: a long or unclean one as its beginning and the digest of the whole."""
    if len(key) <= KEY_BYTES // 4 and key.isprintable():
        return key
    cleaned = clean(key)
    if cleaned == key and len(key.encode()) <= KEY_BYTES:
        return key
    digest = f"~sha256:{sha256(key.encode('utf-8', 'surrogatepass')).hexdigest()}"
    return cleaned.encode()[: KEY_BYTES - len(digest)].decode("utf-8", "ignore") + digest


def bounded_type(type_: str) -> str:
    """Return a type. Raise `Malformed` if it is too long or holds what a store cannot."""
    if len(type_) > TYPE_BYTES or len(type_.encode("utf-8", "surrogatepass")) > TYPE_BYTES:
        raise Malformed("$", f"has a type of {len(type_)} characters, over {TYPE_BYTES} bytes: {clean(type_[:60])}...")
    if clean(type_) != type_:
        raise Malformed("$", f"has a type with a character that no type holds: {clean(type_)}")
    return type_


def bounded_head(head: Head) -> Head:
    """Return a head as both stores hold it, recognised by the key that it had without its bound too."""
    if not head.id or not head.type:
        raise Malformed("$", "has an empty id or type")
    if head.occurred_at is not None and head.occurred_at.tzinfo is None:
        raise TypeError("Head.occurred_at has no time zone: read it with .seconds, .millis or .iso")
    bounded_type(head.type)
    key = bounded_key(head.id)
    if key == head.id and not head.former_ids:
        return head
    former = [head.id] if key != head.id and clean(head.id) == head.id and len(head.id) <= FORMER_KEY else []
    return replace(
        head,
        id=key,
        former_ids=(
            *(FormerId(former_key) for former_key in former),
            *(
                replace(former_key, id=bounded_key(former_key.id))
                for former_key in head.former_ids
                if former_key.id not in ("", head.id)
            ),
        ),
    )


def bounded_problem(problem: str) -> str:
    """Return why something could not be read, cut in the middle if it is long."""
    text = clean(problem)
    return text if len(text) <= PROBLEM else f"{text[: PROBLEM // 2]}\n...\n{text[-PROBLEM // 2 :]}"


def kept_values(values: Mapping[str, str], what: str) -> Mapping[str, str]:
    """Return headers or an envelope as both stores hold them. Raise `Malformed` if a value is too long to be kept."""
    clean_already = True
    for name, value in values.items():
        if len(value) > VALUE:
            raise Malformed("$", f"has a {what} {clean(name[:60])} of {len(value)} characters, over {VALUE}")
        clean_already = clean_already and name.isprintable() and value.isprintable()
    return values if clean_already else {clean(name): clean(value) for name, value in values.items()}


def shortened_values(values: Mapping[str, str]) -> Mapping[str, str]:
    """Return them as both stores hold them, without what is too long: for an item that is kept and not read."""
    return {
        clean(name): clean(value)
        for name, value in values.items()
        if isinstance(name, str) and isinstance(value, str) and len(value) <= VALUE
    }
