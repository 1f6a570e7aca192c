"""One change of one record, from any of Salesforce's ways."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from translators.kit import CLEAR, Payload
from translators.salesforce.ids import full_id

Operation = Literal["create", "update", "delete", "undelete", ""]

# Fields that change with every save and have no meaning.
_BOOKKEEPING: Final = {
    "LastModifiedDate", "LastModifiedById", "SystemModstamp", "LastActivityDate", "LastViewedDate",
    "LastReferencedDate",
}  # fmt: skip
_MAX_DIGITS: Final = 40


@dataclass(frozen=True, kw_only=True)
class Change:
    """Hold what happened to a record.

    object     its API name: Lead, Order__c
    id         its id, 18 characters
    operation  empty if unknown (Outbound Messages have the current record only)
    record     the fields that were sent; for an update in Change Data Capture only the changed ones
    whole      whether `record` has every visible field, so that a missing field is empty or not shared
    changed    the changed fields by API name; None if unknown
    old        their old values, if sent
    erased     the fields that became empty
    new        whether the record was just created
    url        the record's page, if the organisation's host is known
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
        """Return a text field; None if it is empty or missing."""
        return self.record.opt.text(name) or None

    def ref(self, name: str) -> str | None:
        """Return a field with another record's id."""
        id_ = self.record.opt.id(name)
        return full_id(id_.strip()) if id_ else None

    def number(self, name: str) -> Decimal | None:
        """Return a number."""
        return None if self.record.get(name) == "" else self.record.opt.decimal(name)

    def flag(self, name: str) -> bool | None:
        """Return a boolean; SOAP writes it as a word."""
        value = self.record.get(name)
        return value == "true" if value in ("true", "false") else self.record.opt.flag(name)

    def moment(self, name: str) -> datetime | None:
        """Return a time: ISO 8601, or milliseconds if a relay decoded Avro."""
        return None if self.record.get(name) == "" else self.record.opt.when(name)

    def trait(self, name: str) -> Any:
        """Return a text field; CLEAR if it became empty."""
        return CLEAR if name in self.erased else self.text(name)

    def has_changed(self, *names: str) -> bool:
        """Return whether one of these fields is known to have changed."""
        return self.changed is not None and not self.changed.isdisjoint(names)

    def other_changes(self, *names: str) -> list[str]:
        """Return the meaningful changed fields except the given ones."""
        return sorted((self.changed or frozenset()) - _BOOKKEEPING - set(names))

    def names(self) -> frozenset[str]:
        """Return the fields that the record has or that became empty."""
        fields = self.record.value
        filled = {name for name, value in fields.items() if value is not None} if isinstance(fields, dict) else set()
        return self.erased | filled

    @property
    def texts(self) -> Mapping[str, str]:
        """Return every field as text; one of them may be your user id."""
        return texts_of(self.record)


def texts_of(record: Payload) -> dict[str, str]:
    """Return a record's texts, and its whole numbers as digits, since JSON has 42.0 for 42."""
    fields = record.value if isinstance(record.value, dict) else {}
    return {name: text for name, value in fields.items() if (text := _text(value)) is not None}


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, Decimal) and value.is_finite() and value == value.to_integral_value():
        return str(int(value)) if value.adjusted() < _MAX_DIGITS else None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None
