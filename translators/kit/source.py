"""`Source`: all that Segue knows of one provider, declared in one place."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, TypeVar

from translators.kit.errors import Declaration
from translators.kit.event import Delivery, Event, Head, Item
from translators.kit.identity import Identity
from translators.kit.message import Message, track
from translators.kit.options import Option
from translators.kit.registration import ManualSteps, Need, Register, Registration
from translators.kit.schemes import Scheme

R = TypeVar("R")
Split = Callable[[Delivery], Iterable[bytes | Item]]
NameEvent = Callable[[Item], Head]
FindIdentity = Callable[[Event], Identity]
Handler = Callable[[Event], Iterable[Message]]
Properties = Callable[[Event], Mapping[str, Any]]
P = TypeVar("P", bound=Properties)
FindSkipReason = Callable[[Event], str | None]
AddContext = Callable[[Event], Mapping[str, Any]]
Guard = Callable[[Delivery], None]
Redact = Callable[[bytes], bytes]
RespondToHandshake = Callable[[Delivery], "Response | None"]

_TIMES_SHOWN: Final = "seconds, millis, when, iso, utc"
_TIME_READERS: Final = frozenset(_TIMES_SHOWN.split(", "))
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
class IgnoredType:
    """A declared decision that a type makes no message."""

    pattern: str
    because: str


@dataclass(frozen=True, slots=True)
class Handshake:
    """A function that answers requests that are no event; an unsigned one is called before verification."""

    respond: RespondToHandshake
    signed: bool
    method: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HeadMembers:
    """The members that name an event: their names, the reader of its time, and the values of others that it has."""

    id: str
    type: str
    occurred_at: str
    reader: str
    where: Mapping[str, frozenset[str]] = field(default_factory=dict)

    def head(self, item: Item) -> Head:
        """Name an item by these members."""
        body, is_utc = item.body, self.reader == "utc"
        id_, type_ = body.id(self.id), body.text(self.type)
        read = body.iso if is_utc else getattr(body, self.reader)
        return Head(id=id_, type=type_, occurred_at=read(self.occurred_at, **{"naive_is_utc": True} if is_utc else {}))


@dataclass(slots=True)
class Declarations:
    """What a source's decorators registered; the service runs it (`webhooks.sources.runtime`)."""

    head: NameEvent | None = None
    head_members: HeadMembers | None = None
    split: Split | None = None
    identity: FindIdentity | None = None
    context: AddContext | None = None
    redact: Redact | None = None
    registration: Registration | None = None
    manual_steps: ManualSteps | None = None
    guards: list[Guard] = field(default_factory=list)
    skip_if: list[FindSkipReason] = field(default_factory=list)
    handshakes: list[Handshake] = field(default_factory=list)
    handlers: dict[str, Handler] = field(default_factory=dict)
    ignored: dict[str, IgnoredType] = field(default_factory=dict)
    outline: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    """The messages of each type, if they are configured and not written in Python."""


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
        options: Iterable[Option[Any]] = (),
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
        self.declared: Final = Declarations()

    def __repr__(self) -> str:
        handlers, ignored = self.declared.handlers, self.declared.ignored
        return f"<Source {self.name}: {len(handlers)} types translated, {len(ignored)} ignored>"

    def split(self, function: Split) -> Split:
        """Register how a batch body is split into items (exact bytes each). Without it a delivery is one item."""
        return self._register("split", function)

    def head(self, function: NameEvent) -> NameEvent:
        """Register how an item is named: `Head(id=, type=, occurred_at=)`. Every source needs one."""
        return self._register("head", function)

    def head_at(
        self, *, id: str, type: str, occurred_at: str, where: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        """Declare the members that name an event, in place of a function. Before the response, no other is parsed.

            acme.head_at(id="event_id", type="event_type", occurred_at="sent_at:iso")

        After the colon stands how to read the time: seconds, millis, when, iso, or utc for an ISO time that is UTC if
        it has no zone. `where` says which values a text has in a body that is one event: a source with a `split` needs
        it. If `head` is registered before, it names the bodies in which one of the members is missing or ill-typed.
        """
        time, _, reader = occurred_at.partition(":")
        if reader not in _TIME_READERS:
            raise Declaration(f"{self.name}: {occurred_at!r} does not say how to read the time: {_TIMES_SHOWN}")
        if odd := [name for name in (id, type, time, *(where or {})) if "." in name or not name]:
            raise Declaration(f"{self.name}: {odd[0]!r} is not a member of the body itself")
        texts = {name: frozenset(values) for name, values in (where or {}).items()}
        members = HeadMembers(id=id, type=type, occurred_at=time, reader=reader, where=texts)
        self._register("head_members", members)
        if self.declared.head is None:
            self.declared.head = members.head

    def identity(self, function: FindIdentity) -> FindIdentity:
        """Register what the payload claims of the person."""
        return self._register("identity", function)

    def skip_if(self, function: FindSkipReason) -> FindSkipReason:
        """Register a check before every handler: it returns why the event makes no message, or None.

        There may be several; the first reason counts.
        """
        self.declared.skip_if.append(function)
        return function

    def context(self, function: AddContext) -> AddContext:
        """Register what `context.webhook` holds besides source, id and type, such as a test-mode flag."""
        return self._register("context", function)

    def guard(self, function: Guard) -> Guard:
        """Register a check of a verified delivery against the endpoint's options; it raises `Refused`.

        There may be several.
        """
        self.declared.guards.append(function)
        return function

    def redact(self, function: Redact) -> Redact:
        """Register how a secret is cut out of a whole body, before one that cannot be read is kept."""
        return self._register("redact", function)

    def handshake(
        self, *, signed: bool = True, method: str = "POST"
    ) -> Callable[[RespondToHandshake], RespondToHandshake]:
        """Register the response to a request that is no event. With `signed=False` it is called before verification.

        If it returns None or raises, the request is treated as a delivery.
        """

        def register(function: RespondToHandshake) -> RespondToHandshake:
            self.declared.handshakes.append(Handshake(function, signed, method))
            return function

        return register

    def registration(self, *needs: Need, after: str = "") -> Callable[[Register], Register]:
        """Register how the provider's API is asked to send its webhooks here; see `translators.kit.registration`.

        `after` says what is left to do by hand.
        """

        def register(function: Register) -> Register:
            self._register("registration", Registration(needs, function, after))
            return function

        return register

    def manual_steps(self, *steps: str, chosen: str = "") -> None:
        """Declare the steps in the provider's console, if it has no API for them (or the operator no key of it).

        They may hold `{url}`, `{secret}` and `{types}`; see `translators.kit.registration.ManualSteps`.
        """
        self._register("manual_steps", ManualSteps(steps, chosen))

    def on(self, *types: str) -> Callable[[Handler], Handler]:
        """Register the handler of one or more event types; `*` matches as in a shell."""

        def register(handler: Handler) -> Handler:
            for type_ in types:
                if type_ in self.declared.handlers or type_ in self.declared.ignored:
                    raise Declaration(f"{self.name} declares {type_!r} twice")
                self.declared.handlers[type_] = handler
            return handler

        return register

    def tracks(
        self,
        names: Mapping[str, str | Option[str]],
        *,
        identity: FindIdentity | None = None,
        context: AddContext | None = None,
    ) -> Callable[[P], P]:
        """Register a table of types: each becomes one track of the name beside it, with the function's properties.

            @acme.tracks({"order.paid": "Order Completed", "order.cancelled": "Order Cancelled"})
            def order(event: Event) -> dict[str, Any]:
                return event.body.select("number", order_id="id:id")

        An option in place of a name holds the name. `identity` and `context` are functions that return those of the
        messages.
        """

        def register(properties: P) -> P:
            def handler(event: Event) -> Iterable[Message]:
                name = names.get(event.type) or _name_of(names, event.type)
                yield track(
                    name if isinstance(name, str) else name.of(event),
                    properties(event),
                    identity=identity(event) if identity else None,
                    context=context(event) if context else None,
                )

            handler.__module__ = properties.__module__  # its package has the catalog and the samples
            self.on(*names)(handler)
            return properties

        return register

    def ignore(self, *patterns: str, because: str) -> None:
        """Declare that these types make no message, and why. A handler for the exact type wins over a pattern."""
        if not because.strip():
            raise Declaration(f"{self.name} ignores {', '.join(patterns)} without a reason")
        for pattern in patterns:
            if pattern in self.declared.handlers or pattern in self.declared.ignored:
                raise Declaration(f"{self.name} declares {pattern!r} twice")
            self.declared.ignored[pattern] = IgnoredType(pattern, because)

    def defaults(self) -> dict[str, Any]:
        """Return every option's default."""
        return {option.name: option.default for option in self.options.values()}

    def _register(self, what: str, declared: R) -> R:
        if getattr(self.declared, what) is not None:
            raise Declaration(f"{self.name} registers {what} twice")
        setattr(self.declared, what, declared)
        return declared


def _name_of(names: Mapping[str, str | Option[str]], type_: str) -> str | Option[str]:
    """Return the name of the first pattern that matches the type."""
    return next(name for pattern, name in names.items() if fnmatchcase(type_, pattern))
