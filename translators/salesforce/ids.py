"""Record ids: 15 case-sensitive characters, or 18 with a checksum. The prefix identifies the object.

https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm (ID)
"""

from __future__ import annotations

from typing import Final

from translators.kit import ExternalId, Identity

_CHECKSUM: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_OBJECTS: Final = {"001": "account", "003": "contact", "00Q": "lead", "500": "case", "006": "opportunity"}


def full_id(id_: str) -> str:
    """Return a 15-character id with its checksum, so that one record has one id; return any other text unchanged."""
    if len(id_) != 15 or not (id_.isascii() and id_.isalnum()):
        return id_
    chunks = (id_[start : start + 5] for start in (0, 5, 10))
    return id_ + "".join(
        _CHECKSUM[sum(1 << place for place, letter in enumerate(chunk) if letter.isupper())] for chunk in chunks
    )


def same_organization(organization_id: str, expected_id: str) -> bool:
    """Return whether the first 15 characters of two organisation ids agree. A shorter id matches none."""
    organization_id, expected_id = organization_id.strip(), expected_id.strip()
    return len(expected_id) >= 15 and organization_id[:15] == expected_id[:15]


def kind_of(id_: str) -> str:
    """Return `contact`, `lead`, `account` ... by the id's prefix; `record` for any other object."""
    return _OBJECTS.get(id_[:3], "record")


def external(kind: str, id_: str) -> ExternalId:
    """Return a Salesforce id for identity resolution."""
    return ExternalId(f"salesforce_{kind}_id", id_, "accounts" if kind == "account" else "users")


def identity_of(id_: str) -> Identity:
    """Return the identity of the person or object with an id."""
    kind = kind_of(id_)
    return Identity(
        anonymous=(kind, id_), external_ids=(external(kind, id_),), group_id=id_ if kind == "account" else None
    )
