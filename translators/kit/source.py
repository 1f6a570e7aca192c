"""`Source`: all that Segue knows of one provider, declared in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any, Final

from translators.kit.bounds import bounded_head, kept_values, shortened_values
from translators.kit.errors import Declaration, Malformed, Refused
from translators.kit.event import Delivery, Event, Head, Item, Trust
from translators.kit.identity import Identity
from translators.kit.message import Message
from translators.kit.registration import ManualSteps, Need, Register, Registration
from translators.kit.schemes import Scheme
from translators.kit.times import is_unset
from translators.kit.unreadable import kept_delivery, problem_of, unreadable_delivery, unreadable_head

Split = Callable[[Delivery], Iterable[bytes | Item]]
Describe = Callable[[Item], Head]
Who = Callable[[Event], Identity]
Handler = Callable[[Event], Iterable[Message]]
Before = Callable[[Event], None]
Note = Callable[[Event], Mapping[str, Any]]
Guard = Callable[[Delivery], None]
Redact = Callable[[bytes], bytes]
Handshake = Callable[[Delivery], "Response | None"]

_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,39}")
_METHODS_SHOWN: Final = "POST, PUT, PATCH, DELETE"
_WITH_BODY: Final = frozenset(_METHODS_SHOWN.split(", "))


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """The HTTP response that the provider expects. `note` is logged, not sent: what the operator must know."""

    body: bytes = b""
    status: int = 200
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True)
class Option:
    """A setting of this source, per endpoint: `SEGUE_<ENDPOINT>_<NAME>` or a key in segue.toml. `many` is a list.

    `pattern` is a regular expression that each value must match as a whole; if one does not, `help` is shown.
    """

    name: str
    help: str
    default: str | tuple[str, ...] = ""
    choices: tuple[str, ...] = ()
    many: bool = False
    pattern: str = ""


@dataclass(frozen=True, slots=True)
class IgnoredType:
    """A declared decision that a type makes no message."""

    pattern: str
    because: str


class Source:
    """One provider. Its decorators register the functions that read it; see docs/adding-a-source.md.

    name          lower case, as in `/webhooks/<name>`
    scheme        how it signs: one scheme, or several by name, the first being the default
    title, docs   for people: the provider's name and its own page on webhooks
    secret_help   where in the provider's console the secret is found
    keep_headers  request headers that the translation needs, kept with the event; all others are dropped
    options       settings of its own
    ack, nack     responses other than our JSON, if the provider expects one
    methods       HTTP methods besides POST that the provider offers for deliveries with a body
    provider      the owner of the ids, if several sources share them, so that one person has one anonymousId
    """

    def __init__(
        self,
        name: str,
        *,
        scheme: Scheme | Mapping[str, Scheme],
        title: str = "",
        docs: str = "",
        secret_help: str = "",
        keep_headers: Iterable[str] = (),
        options: Iterable[Option] = (),
        ack: Response | None = None,
        nack: Response | None = None,
        provider: str = "",
        methods: Iterable[str] = (),
    ) -> None:
        if not _NAME.fullmatch(name):
            raise Declaration(f"source name {name!r} must be lower-case letters, digits and _, at most 40")
        self.name = name
        self.schemes: Mapping[str, Scheme] = dict(scheme) if isinstance(scheme, Mapping) else {"default": scheme}
        if not self.schemes:
            raise Declaration(f"{name} declares no signature scheme")
        self.title = title or name.replace("_", " ").title()
        self.docs = docs
        self.secret_help = secret_help
        self.keep_headers = frozenset(header.lower() for header in keep_headers)
        self.options = {option.name: option for option in options}
        self.provider = provider or name
        self.ack = ack
        self.nack = nack
        self.delivery_methods = frozenset({"POST", *methods})
        if odd := self.delivery_methods - _WITH_BODY:
            raise Declaration(f"{name} declares {', '.join(sorted(odd))}: a delivery has a body ({_METHODS_SHOWN})")
        self.handlers: dict[str, Handler] = {}
        self.ignored: dict[str, IgnoredType] = {}
        self._split: Split | None = None
        self._describe: Describe | None = None
        self._who: Who | None = None
        self._before: Before | None = None
        self._note: Note | None = None
        self._guard: Guard | None = None
        self._redact: Redact | None = None
        self._handshakes: list[tuple[Handshake, bool, str]] = []
        self.register: Registration | None = None
        self.manual: ManualSteps | None = None
        self.outline: Mapping[str, Sequence[Mapping[str, Any]]] = {}  # each type's messages, if they are configured

    def __repr__(self) -> str:
        return f"<Source {self.name}: {len(self.handlers)} types translated, {len(self.ignored)} ignored>"

    def split(self, function: Split) -> Split:
        """Register how a batch body is split into items (exact bytes each). Without it a delivery is one item."""
        self._split = self._only_once("split", self._split, function)
        return function

    def event(self, function: Describe) -> Describe:
        """Register how an item is named: `Head(key, type, time)`. Every source needs one."""
        self._describe = self._only_once("event", self._describe, function)
        return function

    def who(self, function: Who) -> Who:
        """Register what the payload claims of the person."""
        self._who = self._only_once("who", self._who, function)
        return function

    def before(self, function: Before) -> Before:
        """Register what runs before every handler, such as a `Skip` of test-mode events."""
        self._before = self._only_once("before", self._before, function)
        return function

    def note(self, function: Note) -> Note:
        """Register what `context.webhook` says of an event besides source, id and type, such as a test-mode flag."""
        self._note = self._only_once("note", self._note, function)
        return function

    def guard(self, function: Guard) -> Guard:
        """Register a check of a verified delivery against the endpoint's options; it raises `Refused`."""
        self._guard = self._only_once("guard", self._guard, function)
        return function

    def redact(self, function: Redact) -> Redact:
        """Register how a secret is cut out of a whole body, before one that cannot be read is kept."""
        self._redact = self._only_once("redact", self._redact, function)
        return function

    def handshake(self, *, signed: bool = True, method: str = "POST") -> Callable[[Handshake], Handshake]:
        """Register the response to a request that is no event. With `signed=False` it is called before verification."""

        def register(function: Handshake) -> Handshake:
            self._handshakes.append((function, signed, method))
            return function

        return register

    def registration(self, *needs: Need, after: str = "") -> Callable[[Register], Register]:
        """Register how the provider's API is asked to send its webhooks here; see `translators.kit.registration`.

        `after` says what is left to do by hand.
        """

        def register(function: Register) -> Register:
            self.register = self._only_once("registration", self.register, Registration(needs, function, after))
            return function

        return register

    def by_hand(self, *steps: str, chosen: str = "") -> None:
        """Declare the steps in the provider's console, if it has no API for them (or the operator no key of it).

        They may hold `{url}`, `{secret}` and `{types}`; see `translators.kit.registration.ByHand`.
        """
        self.manual = self._only_once("by_hand", self.manual, ManualSteps(steps, chosen))

    def on(self, *types: str) -> Callable[[Handler], Handler]:
        """Register the handler of one or more event types; `*` matches as in a shell."""

        def register(handler: Handler) -> Handler:
            for type_ in types:
                if type_ in self.handlers or type_ in self.ignored:
                    raise Declaration(f"{self.name} declares {type_!r} twice")
                self.handlers[type_] = handler
            return handler

        return register

    def ignore(self, *patterns: str, because: str) -> None:
        """Declare that these types make no message, and why. A handler for the exact type wins over a pattern."""
        if not because.strip():
            raise Declaration(f"{self.name} ignores {', '.join(patterns)} without a reason")
        for pattern in patterns:
            if pattern in self.handlers or pattern in self.ignored:
                raise Declaration(f"{self.name} declares {pattern!r} twice")
            self.ignored[pattern] = IgnoredType(pattern, because)

    def find(self, type_: str) -> Handler | IgnoredType | None:
        """Return what is declared for a type: exact first, then patterns in the order of their declaration."""
        exact = self.handlers.get(type_) or self.ignored.get(type_)
        if exact is not None:
            return exact
        for table in (self.handlers, self.ignored):
            for pattern, declared in table.items():
                if "*" in pattern and fnmatchcase(type_, pattern):
                    return declared
        return None

    def greet(self, delivery: Delivery, *, signed: bool) -> Response | None:
        """Return the response to a handshake; None if the delivery is none, or cannot be read."""
        for function, wants_signed, method in self._handshakes:
            if wants_signed != signed or method != delivery.method:
                continue
            try:
                answer = function(delivery)
            except Malformed:
                continue
            if answer is not None:
                return answer
        return None

    @property
    def methods(self) -> frozenset[str]:
        """Return the HTTP methods that this source accepts: those of deliveries, and of its handshakes."""
        return self.delivery_methods | {method for _, _, method in self._handshakes}

    @property
    def has_unsigned_handshake(self) -> bool:
        """Return whether some request must be answered before it is verified."""
        return any(not signed for _, signed, _ in self._handshakes)

    def check(self, delivery: Delivery) -> None:
        """Run the guard, which raises `Refused` if the delivery is not for this endpoint."""
        if self._guard is not None:
            self._guard(delivery)

    def receive(self, delivery: Delivery, *, trust: Trust = "verified") -> list[Event]:
        """Guard, split and name a verified delivery. Raise only `Refused` (by the guard) and `Declaration`.

        If the guard fails in another way, the delivery is kept as one dead event, and a replay runs the guard first.
        """
        try:
            self.check(delivery)
        except (Refused, Declaration):
            raise
        except Exception as error:  # noqa: BLE001 - a guard may raise anything
            failure = f"the guard of {self.name} failed, so the delivery was not let through: {problem_of(error)}"
            return [self._unreadable(delivery, failure, trust=trust, guarded=False)]
        return self.events(delivery, trust=trust)

    def events(self, delivery: Delivery, *, trust: Trust = "verified") -> list[Event]:
        """Return every event of a delivery. Raise no error for its shape.

        An item that `event` cannot name is kept as a dead event under the digest of its bytes; its `problem` says why
        (the traceback, if the fault is the translator's). If `split` fails, that is done with the whole body.
        """
        try:
            items = self._items(delivery)
        except (Refused, Declaration):
            raise
        except Exception as error:  # noqa: BLE001 - a splitter may raise anything
            return [self._unreadable(delivery, problem_of(error), trust=trust)]
        return [self._event(item, delivery, trust) for item in items]

    def _event(self, item: Item, delivery: Delivery, trust: Trust) -> Event:
        problem = ""
        try:
            head = self._head(item)
            headers, envelope = (
                kept_values(item.headers, "header"),
                kept_values(item.envelope, "member of its envelope"),
            )
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

    def again(self, event: Event) -> list[Event]:
        """Read an event that could not be read when it came, by today's code; raise what `event` raises.

        An item is one event. A whole delivery is as many as it splits into, named as they would have been at first.
        """
        delivery, guarded = kept_delivery(event)
        if delivery is None:
            return [replace(event, **_facts(self._head(event), event.received_at), problem="")]
        return self.events(delivery, trust=event.trust) if guarded else self.receive(delivery, trust=event.trust)

    def _kept(self, delivery: Delivery) -> dict[str, str]:
        return {name: value for name, value in delivery.headers.items() if name in self.keep_headers}

    def _unreadable(self, delivery: Delivery, problem: str, *, trust: Trust, guarded: bool = True) -> Event:
        body = self._redact(delivery.body) if self._redact is not None else delivery.body
        return unreadable_delivery(delivery, body, problem, headers=self._kept(delivery), trust=trust, guarded=guarded)

    def _head(self, item: Item) -> Head:
        if self._describe is None:
            raise Declaration(f"{self.name} does not say how its events are named: register @{self.name}.event")
        head = self._describe(item)
        return bounded_head(head)

    def _items(self, delivery: Delivery) -> list[Item]:
        headers, parts = self._kept(delivery), self._split(delivery) if self._split is not None else [delivery.body]
        items = [
            part
            if isinstance(part, Item)
            else Item(raw=part, received_at=delivery.received_at, headers=headers, options=delivery.options)
            for part in parts
        ]
        for number, item in enumerate(items):
            if not isinstance(item.raw, bytes):
                raise TypeError(f"item {number} of the split is {type(item.raw).__name__}, not bytes")
            if not item.headers and headers:
                items[number] = replace(item, headers=headers)
        return items

    def identity(self, event: Event) -> Identity:
        """Return the source's claims of who acted; none if it registered no `who`."""
        return self._who(event) if self._who is not None else Identity()

    def admit(self, event: Event) -> None:
        """Run `before`, which raises `Skip` if the endpoint's options exclude the event."""
        if self._before is not None:
            self._before(event)

    def notes(self, event: Event) -> Mapping[str, Any]:
        """Return what `note` adds; nothing if the source registered none."""
        return self._note(event) if self._note is not None else {}

    def defaults(self) -> dict[str, Any]:
        """Return every option's default."""
        return {option.name: option.default for option in self.options.values()}

    def _only_once(self, what: str, present: Any, function: Any) -> Any:
        if present is not None:
            raise Declaration(f"{self.name} registers {what} twice")
        return function


def _facts(head: Head, received_at: datetime) -> dict[str, Any]:
    """Return the event's fields from its head; without a provider's time, that of the receipt, marked by `clock`."""
    at = None if head.at is None or is_unset(head.at) else head.at
    return {
        "key": head.key,
        "type": head.type,
        "occurred_at": at or received_at,
        "clock": head.clock if at else "received",
        "former_keys": head.former_keys,
    }
