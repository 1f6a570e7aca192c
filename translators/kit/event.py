"""A delivery (one HTTP request), its items (batch bodies hold many), and an event (an item that can be named)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from hashlib import sha256
from typing import Any, Final, Literal
from urllib.parse import parse_qs

from translators.kit.errors import Malformed
from translators.kit.members import Batch, batch, opening, raw_items
from translators.kit.parsing import parse_json
from translators.kit.payload import Payload
from translators.kit.template import BLANK, filled

_BOM: Final = b"\xef\xbb\xbf"
Clock = Literal["event", "record", "received"]
"""The origin of `occurred_at`: the event's own time, the record's last change (it may be later), or our receipt."""
Trust = Literal["verified", "authenticated"]
"""What the signature proves: sender and content, or only the sender."""


@dataclass(frozen=True, kw_only=True)
class Delivery:
    """One verified request. Header names are lower case.

    With `replayed` it comes from the journal: it has no query and only the headers that the source keeps. A guard skips
    checks of anything else, since they were made on receipt.
    """

    source: str
    body: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    method: str = "POST"
    replayed: bool = False

    @cached_property
    def payload(self) -> Payload:
        """Return the body as JSON. Raise `Malformed` if it is not JSON."""
        return Payload(parse_json(self.body))

    @cached_property
    def form(self) -> Mapping[str, str]:
        """Return the body as a form, the last value of each field."""
        return parse_form(self.body)

    @property
    def opening(self) -> bytes:
        """Return the body's first byte after a byte order mark and white space; empty if there is none."""
        return opening(self.body)

    @property
    def is_list(self) -> bool:
        """Return whether the body is a JSON list, of whatever members."""
        return self.opening == b"["

    @property
    def members(self) -> list[bytes]:
        """Return the exact bytes of each member of a JSON list; any other body is the one member."""
        return raw_items(self.body) if self.is_list else [self.body]

    def item(self, raw: bytes, envelope: Mapping[str, str] | None = None) -> Item:
        """Return an item of this delivery: its exact bytes, and its part of the envelope."""
        return Item(raw=raw, received_at=self.received_at, envelope=envelope or {}, options=self.options)

    def batch(self, name: str) -> Batch:
        """Return the body's list `name` and the rest of its object; a member that is not JSON affects no other."""
        if name not in self._batches:
            self._batches[name] = batch(self.body, name)
        return self._batches[name]

    @cached_property
    def _batches(self) -> dict[str, Batch]:
        return {}


@dataclass(frozen=True, kw_only=True)
class Item:
    """One event's exact bytes, with its part of the envelope (`envelope`) and the headers that the source keeps."""

    raw: bytes
    received_at: datetime
    headers: Mapping[str, str] = field(default_factory=dict)
    envelope: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)

    @cached_property
    def body(self) -> Payload:
        """Return the item as JSON. Raise `Malformed` if it is not JSON."""
        return Payload(parse_json(self.raw))

    @cached_property
    def filled(self) -> Payload:
        """Return the item as JSON that an operator pasted as a template: without members that have no value."""
        return filled(self.body, blank=BLANK)

    @cached_property
    def form(self) -> Mapping[str, str]:
        """Return the item as a form, the last value of each field."""
        return parse_form(self.raw)

    @cached_property
    def digest(self) -> str:
        """Return `sha256:` and the digest of the exact bytes: an id if the provider sends none."""
        return f"sha256:{sha256(self.raw).hexdigest()}"


@dataclass(frozen=True, slots=True)
class FormerId:
    """Another id under which the same event may be in the journal already, such as the id an earlier release gave.

    A stored event with this id is the same event only if its type is the same too; with `same_bytes` (for an id that
    two different events could share) only if its body is equal as well.
    """

    id: str
    same_bytes: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What names an event: its id (the same on every retry), its type, its own time and whose clock that is.

    `former_ids` are further ids to recognise it by; a new event is stored under `id` alone. An empty one and one that
    equals `id` are left out.
    """

    id: str
    type: str
    occurred_at: datetime | None
    clock: Clock = "event"
    former_ids: tuple[FormerId, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Event(Item):
    """A named event, as the journal keeps it and a handler reads it. `occurred_at` is aware UTC."""

    source: str
    id: str
    type: str
    occurred_at: datetime
    clock: Clock = "event"
    trust: Trust = "verified"
    problem: str = ""
    former_ids: tuple[FormerId, ...] = ()

    def with_options(self, options: Mapping[str, Any]) -> Event:
        """Return the event with the endpoint's present options, and with its body if that is parsed already."""
        copy = object.__new__(Event)  # a fifth of what `dataclasses.replace` costs
        copy.__dict__.update(self.__dict__, options=options)
        return copy


def parse_form(raw: bytes) -> Mapping[str, str]:
    """Read a url-encoded form, the last value of each field."""
    try:
        text = raw.removeprefix(_BOM).decode("utf-8", "replace")  # as parse_qs does with %FF
        fields = parse_qs(text, keep_blank_values=True, max_num_fields=1000)
    except ValueError as error:
        raise Malformed("$", f"is no form: {error}") from None
    return {name: values[-1] for name, values in fields.items()}
