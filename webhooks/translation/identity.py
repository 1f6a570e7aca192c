"""The userId or anonymousId of a message, from the claims of its source. Nothing is invented, nothing is random.

userId       the first configured metadata key that holds a value (`identity.user_id_keys`), else the provider's
             field for the merchant's own user id
anonymousId  else a UUIDv5 of provider, kind and id: `uuid5(NAMESPACE, "stripe:customer:cus_123")`, so every event of
             one customer carries one anonymousId, on every machine, for ever. It is never added beside a userId:
             each would be billed as a tracked user.

A placeholder (`null`, `0`, `{{user.id}}`; `translators.kit.placeholders`) is no id: the next claim counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha1
from typing import Any, Final
from uuid import UUID

from translators.kit import Identity
from translators.kit.placeholders import is_placeholder

NAMESPACE: Final = UUID("6a0f9d0e-5d5c-5c0b-9f53-8c1a5b1d7a11")
_NAMESPACE_BYTES: Final = NAMESPACE.bytes

LONGEST_ID: Final = 1_000
"""Characters. An anonymousId is derived, so it is short whatever the provider's id."""


def anonymous_id(provider: str, kind: str, id_: str) -> str:
    """Return the stable anonymousId of a provider's object; documented, so that other systems can compute it.

    It is `uuid5(NAMESPACE, "provider:kind:id")`, written out: the library's objects cost four times as much.
    """
    digest = sha1(_NAMESPACE_BYTES + f"{provider}:{kind}:{id_}".encode(), usedforsecurity=False).hexdigest()
    variant = "89ab"[int(digest[16], 16) & 3]
    return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


def is_id(text: str) -> bool:
    """Return whether a text may be sent as an id: no placeholder, and at most `LONGEST_ID` characters."""
    return len(text) <= LONGEST_ID and not is_placeholder(text)


def resolve(identity: Identity, *, provider: str, user_id_keys: Sequence[str]) -> dict[str, str]:
    """Return `{"userId": …}`, `{"anonymousId": …}`, or `{}` if the claims identify no one. A placeholder is no id."""
    for key in user_id_keys:
        for mapping in identity.metadata:
            if is_id(value := mapping.get(key, "")):
                return {"userId": value.strip()}
    for claimed in identity.user_ids:
        if is_id(claimed):
            return {"userId": claimed.strip()}
    if identity.anonymous is None:
        return {}
    what, id_ = identity.anonymous
    if what and not _has_placeholder(id_):
        return {"anonymousId": anonymous_id(provider, what, id_)}
    email = identity.traits.get("email")
    if id_ and isinstance(email, str) and "@" in email and not is_placeholder(email):
        return {"anonymousId": anonymous_id(provider, "email", email.strip().lower())}
    return {}


def has_claims(identity: Identity, user_id_keys: Sequence[str]) -> bool:
    """Return whether the claims hold any id; if `resolve` returns none all the same, it is a placeholder."""
    claims = [mapping.get(key, "") for key in user_id_keys for mapping in identity.metadata]
    return any((*claims, *identity.user_ids, identity.anonymous[1] if identity.anonymous else ""))


def _has_placeholder(id_: str) -> bool:
    """Return whether one part of an id (`T1|U1` has two) is a placeholder."""
    return any(map(is_placeholder, id_.split("|")))


def external_ids(identity: Identity) -> list[dict[str, Any]]:
    """Return `context.externalIds` in Segment's exact shape, all four keys.

    https://segment.com/docs/unify/identity-resolution/externalids/
    """
    return [
        {"id": external.id, "type": external.type, "collection": external.collection, "encoding": "none"}
        for external in identity.external_ids
        if is_id(external.id)
    ]
