"""`SourceRuntime`: run what a source declared. Whatever a plugin raises becomes an answer or a dead event."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Final

from translators.kit import Declaration, Delivery, Event, Head, Identity, Malformed, Refused, Response, Source
from translators.kit.bounds import bounded_head, kept_values, shortened_values
from translators.kit.event import Item, Trust
from translators.kit.source import Handler, IgnoredType
from translators.kit.times import is_unset
from webhooks.sources.head_members import HeadReader
from webhooks.sources.unreadable import kept_delivery, problem_of, unreadable_delivery, unreadable_head

_NOTHING: Final[Mapping[str, Any]] = {}
log: Final = logging.getLogger("webhooks.sources")


class SourceRuntime:
    """The functions of one source, as the service calls them."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._declared = source.declared
        members = source.declared.head_members
        if members is not None and source.declared.split is not None and not members.where:
            raise Declaration(f"{source.name} splits bodies, so head_at needs `where`: which body is one event")
        self._head_reader = HeadReader(members) if members is not None else None

    def find(self, type_: str) -> Handler | IgnoredType | None:
        """Return what is declared for a type: exact first, then patterns in the order of their declaration."""
        handlers, ignored = self._declared.handlers, self._declared.ignored
        exact = handlers.get(type_) or ignored.get(type_)
        if exact is not None:
            return exact
        for table in (handlers, ignored):
            for pattern, declared in table.items():
                if "*" in pattern and fnmatchcase(type_, pattern):
                    return declared
        return None

    @cached_property
    def methods(self) -> frozenset[str]:
        """Return the HTTP methods that this source accepts: those of deliveries, and of its handshakes."""
        return self.source.delivery_methods | {handshake.method for handshake in self._declared.handshakes}

    @cached_property
    def has_unsigned_handshake(self) -> bool:
        """Return whether some request must be answered before it is verified."""
        return any(not handshake.signed for handshake in self._declared.handshakes)

    def handshake(self, delivery: Delivery, *, signed: bool | None = None) -> Response | None:
        """Return the response to a signed or unsigned handshake (`signed=None`: to either). Never raise.

        None: the request is none, cannot be read, or the function failed (logged); then it counts as a delivery.
        """
        for handshake in self._declared.handshakes:
            if signed not in (None, handshake.signed) or handshake.method != delivery.method:
                continue
            try:
                response = handshake.respond(delivery)
            except Malformed:
                continue
            except Exception:
                log.exception("handshake failed", extra={"endpoint": delivery.source})
                continue
            if response is not None:
                return response
        return None

    def guard(self, delivery: Delivery) -> None:
        """Run the guards, which raise `Refused` if the delivery is not for this endpoint."""
        for guard in self._declared.guards:
            guard(delivery)

    def receive(self, delivery: Delivery, *, trust: Trust = "verified") -> list[Event]:
        """Guard, split and name a verified delivery. Raise only `Refused` (by the guard) and `Declaration`.

        If the guard fails in another way, the delivery is kept as one dead event, and a replay runs the guard first.
        """
        try:
            self.guard(delivery)
        except (Refused, Declaration):
            raise
        except Exception as error:  # noqa: BLE001 - a guard may raise anything
            failure = f"the guard of {self.source.name} failed, so the delivery was not let through: "
            return [self._unreadable(delivery, failure + problem_of(error), trust=trust, guarded=False)]
        return self.events(delivery, trust=trust)

    def events(self, delivery: Delivery, *, trust: Trust = "verified") -> list[Event]:
        """Return every event of a delivery. Raise no error for its shape.

        An item that `head` cannot name is kept as a dead event under the digest of its bytes; its `problem` says why
        (the traceback, if the fault is the translator's). If `split` fails, that is done with the whole body.
        """
        event = self._by_members(delivery, trust)
        if event is not None:
            return [event]
        try:
            items = self._items(delivery)
        except (Refused, Declaration):
            raise
        except Exception as error:  # noqa: BLE001 - a splitter may raise anything
            return [self._unreadable(delivery, problem_of(error), trust=trust)]
        return [self._event(item, delivery, trust) for item in items]

    def read_again(self, event: Event) -> list[Event]:
        """Read an event that could not be read when it came, by today's code; raise what `head` raises.

        An item is one event. A whole delivery is as many as it splits into, named as they would have been at first.
        """
        delivery, guarded = kept_delivery(event)
        if delivery is None:
            return [replace(event, **_facts(self._head(event), event.received_at), problem="")]
        return self.events(delivery, trust=event.trust) if guarded else self.receive(delivery, trust=event.trust)

    def skip_reason(self, event: Event) -> str | None:
        """Return why the source's checks exclude an event; None if they do not. A check may raise `Skip` instead."""
        for check in self._declared.skip_if:
            if reason := check(event):
                return reason
        return None

    def identity(self, event: Event) -> Identity:
        """Return the source's claims of who acted; none if it registered no `identity`."""
        return self._declared.identity(event) if self._declared.identity is not None else Identity()

    def context(self, event: Event) -> Mapping[str, Any]:
        """Return what the source adds to `context.webhook`; nothing if it registered no `context`."""
        return self._declared.context(event) if self._declared.context is not None else _NOTHING

    def _event(self, item: Item, delivery: Delivery, trust: Trust) -> Event:
        problem = ""
        try:
            head = self._head(item)
            headers = kept_values(item.headers, "header")
            envelope = kept_values(item.envelope, "member of its envelope")
        except Declaration:
            raise
        except Exception as error:  # noqa: BLE001 - a translator may raise anything
            head, problem = unreadable_head(item), problem_of(error)
            headers, envelope = shortened_values(item.headers), shortened_values(item.envelope)
        return Event(
            source=delivery.source,
            **_facts(head, delivery.received_at),
            trust=trust,
            problem=problem,
            raw=item.raw,
            received_at=delivery.received_at,
            headers=headers,
            envelope=envelope,
            options=delivery.options,
        )

    def _by_members(self, delivery: Delivery, trust: Trust) -> Event | None:
        """Return the event of a body that its declared members name; None if the functions are to read it."""
        head = self._head_reader.read(delivery.body) if self._head_reader is not None else None
        if head is None:
            return None
        try:
            headers = kept_values(self._kept(delivery), "header")
        except Malformed:
            return None
        return Event(
            source=delivery.source,
            **_facts(head, delivery.received_at),
            trust=trust,
            raw=delivery.body,
            received_at=delivery.received_at,
            headers=headers,
            options=delivery.options,
        )

    def _head(self, item: Item) -> Head:
        if self._declared.head is None:
            name = self.source.name
            raise Declaration(f"{name} does not say how its events are named: register @{name}.head")
        return bounded_head(self._declared.head(item))

    def _items(self, delivery: Delivery) -> list[Item]:
        return list(self._split(delivery))

    def _split(self, delivery: Delivery) -> Iterator[Item]:
        headers = self._kept(delivery)
        parts = self._declared.split(delivery) if self._declared.split is not None else [delivery.body]
        for number, part in enumerate(parts):
            item = part if isinstance(part, Item) else _item(part, delivery, headers)
            if not isinstance(item.raw, bytes):
                raise TypeError(f"item {number} of the split is {type(item.raw).__name__}, not bytes")
            yield item if item.headers or not headers else replace(item, headers=headers)

    def _kept(self, delivery: Delivery) -> dict[str, str]:
        kept = self.source.keep_headers
        return {name: value for name, value in delivery.headers.items() if name in kept} if kept else {}

    def _unreadable(self, delivery: Delivery, problem: str, *, trust: Trust, guarded: bool = True) -> Event:
        redact = self._declared.redact
        body = redact(delivery.body) if redact is not None else delivery.body
        return unreadable_delivery(delivery, body, problem, headers=self._kept(delivery), trust=trust, guarded=guarded)


def _item(raw: bytes, delivery: Delivery, headers: Mapping[str, str]) -> Item:
    """Return a part of a delivery. The whole body is not parsed again if a guard or the split has read it."""
    item = Item(raw=raw, received_at=delivery.received_at, headers=headers, options=delivery.options)
    if raw is delivery.body and (payload := vars(delivery).get("payload")) is not None:
        vars(item)["body"] = payload
    return item


def _facts(head: Head, received_at: datetime) -> dict[str, Any]:
    """Return the event's fields from its head; without a provider's time, that of the receipt, marked by `clock`."""
    at = None if head.occurred_at is None or is_unset(head.occurred_at) else head.occurred_at
    return {
        "id": head.id,
        "type": head.type,
        "occurred_at": at or received_at,
        "clock": head.clock if at else "received",
        "former_ids": head.former_ids,
    }
