"""One change of one record, however Salesforce told it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from translators.kit import CLEAR, Payload
from translators.salesforce.ids import full_id

Operation = Literal["create", "update", "delete", "undelete", ""]

# Fields that change with every save, and say nothing.
_BOOKKEEPING: Final = {
    "LastModifiedDate", "LastModifiedById", "SystemModstamp", "LastActivityDate", "LastViewedDate",
    "LastReferencedDate",
}  # fmt: skip
_MAX_DIGITS: Final = 40


@dataclass(frozen=True, kw_only=True)
class Change:
    """What happened to a record.

    object     its API name: Lead, Order__c
    id         its id, 18 characters
    operation  empty where Salesforce does not say (Outbound Messages tell a record as it is now)
    record     the fields that are told; of an update in Change Data Capture only the changed ones
    whole      whether `record` is all that we may know of it, so that what it lacks is empty or not shared
    changed    the fields that changed, by API name; None where that is not told
    old        their former values, where those are told
    erased     the fields that are known to have become empty
    new        whether the record was just made
    url        the record's page, where the organisation's host is told
    """

    object: str
    id: str
    operation: Operation
    record: Payload
    whole: bool = True
    changed: frozenset[str] | None = None
    old: Payload = field(default_factory=lambda: Payload({}, "$.old"))
    erased: frozenset[str] = frozenset()
    new: bool = False
    url: str | None = None

    def text(self, name: str) -> str | None:
        """A text field, None where it is empty or not told."""
        return self.record.text(name, None) or None

    def ref(self, name: str) -> str | None:
        """A field that holds another record's id."""
        id_ = self.record.id(name, None)
        return full_id(id_.strip()) if id_ else None

    def number(self, name: str) -> Decimal | None:
        """A number."""
        return None if self.record.get(name) == "" else self.record.decimal(name, None)

    def flag(self, name: str) -> bool | None:
        """True or false; SOAP writes them as words."""
        value = self.record.get(name)
        return value == "true" if value in ("true", "false") else self.record.flag(name, None)

    def moment(self, name: str) -> datetime | None:
        """A time: ISO 8601, or milliseconds where a relay decoded Avro."""
        return None if self.record.get(name) == "" else self.record.when(name, None)

    def trait(self, name: str) -> Any:
        """A text field, and CLEAR where it became empty."""
        return CLEAR if name in self.erased else self.text(name)

    def has_changed(self, *names: str) -> bool:
        """Whether one of these fields is known to have changed."""
        return self.changed is not None and not self.changed.isdisjoint(names)

    def other_changes(self, *names: str) -> list[str]:
        """The changed fields that say something, without those told already."""
        return sorted((self.changed or frozenset()) - _BOOKKEEPING - set(names))

    def names(self) -> frozenset[str]:
        """The fields that the record has or that are known to have become empty."""
        fields = self.record.value
        filled = {name for name, value in fields.items() if value is not None} if isinstance(fields, dict) else set()
        return self.erased | filled

    @property
    def texts(self) -> Mapping[str, str]:
        """Every field, as text, in which your own user id may be."""
        return texts_of(self.record)


def texts_of(record: Payload) -> dict[str, str]:
    """The texts of a record, and its whole numbers as their digits: JSON writes 42 as 42.0."""
    fields = record.value if isinstance(record.value, dict) else {}
    return {name: text for name, value in fields.items() if (text := _text(value)) is not None}


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value)) if value.adjusted() < _MAX_DIGITS else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
