"""What a payload claims of the person who acted. The service decides (`webhooks.translation.identity`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from translators.kit.errors import Declaration


@dataclass(frozen=True, slots=True)
class ExternalId:
    """One entry of `context.externalIds`, in Segment's shape; `type` is lower case and names provider and object.

    https://segment.com/docs/unify/identity-resolution/externalids/
    """

    type: str
    id: str
    collection: Literal["users", "accounts"] = "users"

    def __post_init__(self) -> None:
        if not self.type or self.type != self.type.lower():
            raise Declaration(f"external id type {self.type!r} must be lower case")


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a payload claims of a person, the strongest claim first.

    metadata      free-form mappings of the provider; a key that the operator configured there holds the userId
    user_ids      fields that the provider documents as *the merchant's own* user id (`client_reference_id`)
    anonymous     (what, id): the provider's id that a stable anonymousId is derived from, such as
                  `("customer", "cus_123")`; for a guest the purchase itself, for the merchant's own affairs
                  (`payout.paid`) its account
    external_ids  ids for Segment's identity resolution
    traits        what is known of the person now (email, name, phone); goes to `context.traits` of a track
    group_id      the account the person acts for; goes to `context.groupId`
    """

    metadata: tuple[Mapping[str, str], ...] = ()
    user_ids: tuple[str, ...] = ()
    anonymous: tuple[str, str] | None = None
    external_ids: tuple[ExternalId, ...] = ()
    traits: Mapping[str, Any] = field(default_factory=dict)
    group_id: str | None = None


def first_id(**ids: str | None) -> tuple[str, str] | None:
    """Return the first id that is not empty, with its name, for `Identity.anonymous`; None if there is none.

    `anonymous=first_id(customer=body.id("customer", ""), payment=body.id("id", ""))`
    """
    return next(((name, id_) for name, id_ in ids.items() if id_), None)
