"""Claims to identity: which userId or anonymousId a message carries. Nothing is invented, nothing is random.

userId       the first configured metadata key that holds a value (`identity.user_id_keys`), else the provider's
             field for the merchant's own user id
anonymousId  else a UUIDv5 of provider, kind and id: `uuid5(NAMESPACE, "stripe:customer:cus_123")`, so every event of
             one customer carries one anonymousId, on every machine, for ever. It is never added beside a userId:
             each would be billed as a tracked user.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from translators.kit import Identity

NAMESPACE: Final = UUID("6a0f9d0e-5d5c-5c0b-9f53-8c1a5b1d7a11")


def anonymous_id(provider: str, kind: str, id_: str) -> str:
    """The stable anonymousId of a provider's object; documented, so that other systems can compute it."""
    return str(uuid5(NAMESPACE, f"{provider}:{kind}:{id_}"))


def resolve(identity: Identity, *, provider: str, user_id_keys: Sequence[str]) -> dict[str, str]:
    """`{"userId": …}`, `{"anonymousId": …}`, or `{}` where the claims name nobody."""
    for key in user_id_keys:
        for mapping in identity.metadata:
            if value := mapping.get(key, "").strip():
                return {"userId": value}
    for claimed in identity.user_ids:
        if claimed.strip():
            return {"userId": claimed.strip()}
    if identity.anonymous is not None and all(identity.anonymous):
        return {"anonymousId": anonymous_id(provider, *identity.anonymous)}
    return {}


def external_ids(identity: Identity) -> list[dict[str, Any]]:
    """`context.externalIds` in Segment's exact shape, all four keys.

    https://segment.com/docs/unify/identity-resolution/externalids/
    """
    return [
        {"id": external.id, "type": external.type, "collection": external.collection, "encoding": "none"}
        for external in identity.external_ids
        if external.id
    ]
