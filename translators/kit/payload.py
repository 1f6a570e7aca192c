"""A parsed body whose members are read by type; a wrong one raises `Malformed` with its path."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from types import NoneType
from typing import Any, Final, TypeVar, overload

from translators.kit import money, readers, times
from translators.kit.errors import Declaration, Malformed

_REQUIRED: Final[Any] = object()
D = TypeVar("D")
T = TypeVar("T")


_STEPS: Final[dict[str, tuple[str, ...]]] = {}
_MOST_STEPS: Final = 4096


def _steps(path: str) -> tuple[str, ...]:
    """Split a path once: nearly all paths stand in the code of a source."""
    if len(_STEPS) >= _MOST_STEPS:
        _STEPS.clear()
    return _STEPS.setdefault(path, tuple(path.split(".")))


_KINDS: Final[dict[type, str]] = {
    str: "text",
    bool: "true or false",
    int: "a number",
    Decimal: "a number",
    dict: "an object",
    list: "a list",
}


class Payload:
    """One JSON object, its members read by dotted path (`data.object.id`) and by type.

    Without a default a missing, null or ill-typed member raises `Malformed` with its path; with one, a missing or
    null member gives the default and an ill-typed one still raises. An empty text is a missing member, unless a text is
    asked for. A number in a path indexes a list.
    """

    __slots__ = ("path", "value")

    def __init__(self, value: Any, path: str = "$") -> None:
        self.value = value
        self.path = path

    def __repr__(self) -> str:
        return f"<Payload {self.path}>"

    def __bool__(self) -> bool:
        return bool(self.value)

    def __contains__(self, path: str) -> bool:
        return self.get(path) is not None

    def get(self, path: str, default: Any = None) -> Any:
        """Return the member as parsed, or the default if it is missing or null. Never raise."""
        value = self.value
        if type(value) is dict and "." not in path:
            value = value.get(path)
            return default if value is None else value
        for step in _STEPS.get(path) or _steps(path):
            if type(value) is dict:
                value = value.get(step)
                if value is None:
                    return default
            elif isinstance(value, dict):
                value = value.get(step)
            elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
                value = value[int(step)]
            else:
                return default
        return default if value is None else value

    def _read(self, path: str, default: D, expected: str, read: Callable[[Any], T | None]) -> T | D:
        value = self.get(path)
        if value is None:
            if default is _REQUIRED:
                raise Malformed(f"{self.path}.{path}", "is missing")
            return default
        if value == "" and expected != "text":
            if default is _REQUIRED:
                raise Malformed(f"{self.path}.{path}", "is empty")
            return default
        try:
            result = read(value)
        except (ValueError, ArithmeticError):
            raise Malformed(f"{self.path}.{path}", f"is not {expected}") from None
        if result is None:
            raise Malformed(f"{self.path}.{path}", f"is {_KINDS.get(type(value), 'odd')}, not {expected}")
        return result

    @overload
    def text(self, path: str) -> str: ...
    @overload
    def text(self, path: str, default: D) -> str | D: ...
    def text(self, path: str, default: Any = _REQUIRED) -> Any:
        """Return a string."""
        value = self.get(path)
        if type(value) is str:
            return value
        return self._read(path, default, "text", readers.as_text)

    @overload
    def id(self, path: str) -> str: ...
    @overload
    def id(self, path: str, default: D) -> str | D: ...
    def id(self, path: str, default: Any = _REQUIRED) -> Any:
        """Return an id: text, an integer as its digits, or the `id` of an expanded object. An empty one is missing."""
        value = self.get(path)
        if type(value) is str and value:
            return value
        if isinstance(value, dict) and value.get("id") in (None, ""):
            if default is _REQUIRED:
                raise Malformed(f"{self.path}.{path}", "is an object without an id")
            return default
        return self._read(path, default, "an id", readers.as_id)

    @overload
    def integer(self, path: str) -> int: ...
    @overload
    def integer(self, path: str, default: D) -> int | D: ...
    def integer(self, path: str, default: Any = _REQUIRED) -> Any:
        """Return a whole number, of any size."""
        value = self.get(path)
        if type(value) is int:
            return value
        return self._read(path, default, "a whole number", readers.as_int)

    @overload
    def decimal(self, path: str) -> Decimal: ...
    @overload
    def decimal(self, path: str, default: D) -> Decimal | D: ...
    def decimal(self, path: str, default: Any = _REQUIRED) -> Any:
        """Return a number, or a string that holds one (`"19.99"`), exactly."""
        return self._read(path, default, "a number", readers.as_decimal)

    @overload
    def flag(self, path: str) -> bool: ...
    @overload
    def flag(self, path: str, default: D) -> bool | D: ...
    def flag(self, path: str, default: Any = _REQUIRED) -> Any:
        """Return true or false."""
        value = self.get(path)
        if type(value) is bool:
            return value
        return self._read(path, default, "true or false", readers.as_flag)

    @overload
    def seconds(self, path: str) -> datetime: ...
    @overload
    def seconds(self, path: str, default: D) -> datetime | D: ...
    def seconds(self, path: str, default: Any = _REQUIRED) -> Any:
        """Read a time in unix seconds."""
        return self._read(path, default, "a time in unix seconds", readers.clock(times.from_seconds))

    @overload
    def millis(self, path: str) -> datetime: ...
    @overload
    def millis(self, path: str, default: D) -> datetime | D: ...
    def millis(self, path: str, default: Any = _REQUIRED) -> Any:
        """Read a time in unix milliseconds."""
        return self._read(path, default, "a time in unix milliseconds", readers.clock(times.from_millis))

    @overload
    def iso(self, path: str, *, naive_is_utc: bool = False) -> datetime: ...
    @overload
    def iso(self, path: str, default: D, *, naive_is_utc: bool = False) -> datetime | D: ...
    def iso(self, path: str, default: Any = _REQUIRED, *, naive_is_utc: bool = False) -> Any:
        """Read an ISO 8601 time with its zone; `naive_is_utc` for a provider that means UTC without a zone."""

        def read(value: Any) -> datetime | None:
            return times.from_iso(value, naive_is_utc=naive_is_utc) if isinstance(value, str) else None

        return self._read(path, default, "an ISO 8601 time", read)

    @overload
    def when(self, path: str) -> datetime: ...
    @overload
    def when(self, path: str, default: D) -> datetime | D: ...
    def when(self, path: str, default: Any = _REQUIRED) -> Any:
        """Read a time in whichever form the provider sends: unix seconds, milliseconds, or ISO 8601."""
        return self._read(path, default, "a time", readers.as_when)

    def money(self, amount: str, currency: str = "", *, code: str = "", decimals: int | None = None) -> Decimal | None:
        """Return minor units as exact money, None if the amount is missing.

        `currency` is the path of the currency, which an amount requires; or give the `code` itself. `decimals` is the
        provider's own exponent, if it has one.
        """
        minor = self.integer(amount, None)
        return None if minor is None else money.from_minor(minor, code or self.text(currency), decimals=decimals)

    def object(self, path: str) -> Payload:
        """Return the object or list at the path. Raise `Malformed` if it is missing or scalar."""
        value = self.get(path)
        if type(value) is not dict:
            value = self._read(path, _REQUIRED, "an object", readers.as_container)
        return Payload(value, f"{self.path}.{path}")

    def maybe(self, path: str) -> Payload:
        """Return the object at the path, or an empty (false) one if it is missing or null."""
        value = self.get(path)
        if type(value) is not dict:
            value = self._read(path, {}, "an object", readers.as_container)
        return Payload(value, f"{self.path}.{path}")

    def each(self, path: str) -> Iterator[Payload]:
        """Yield every member of the list at the path, none if it is missing or null."""
        members: Any = self.get(path)
        if type(members) is not list:
            members = self._read(path, [], "a list", readers.as_list)
        for index, member in enumerate(members):
            yield Payload(member, f"{self.path}.{path}[{index}]")

    def texts_of(self, path: str, member: str) -> list[str]:
        """Return the texts of one member of each object in the list at the path, such as the names of tags."""
        values = (entry.get(member) for entry in self.each(path))
        return [value for value in values if isinstance(value, str) and value]

    @property
    def opt(self) -> OptionalMembers:
        """Read an optional member: `body.opt.text("plan.name")` returns None if it is missing or null."""
        return OptionalMembers(self)

    def select(self, *paths: str, **named: str) -> dict[str, Any]:
        """Return the members that are present, by their last step or the given name; `total:decimal` reads one by type.

            order.select("status", "currency:upper", plan="plan.name", total="amount:decimal", paid_at="paid:when")

        After a colon stands how to read it, as the method of that name does: text, id, integer, decimal, flag, seconds,
        millis, iso or when; `utc` reads an ISO time that is UTC if it has no zone; `lower` and `upper` return a text in
        that case and `nonempty` as it is, none if it is empty. Without a colon the member is returned as parsed. Raise
        `Malformed` for an ill-typed member, and for a missing one if `!` follows: `order_id="id:id!"`.
        """
        selected = {}
        for name, path, reader, exact, required in _selection(paths, tuple(named.items())):
            value = self.get(path)
            if value is None and not required:
                continue
            if exact is not None and (type(value) is not exact or (not value and reader == "id")):
                value = getattr(self if required else self.opt, reader)(path)
            if value is not None:
                selected[name] = value
        return selected

    def first(self, *paths: str) -> str | None:
        """Return the first member that is a text and not empty; None if there is none. `path:id` reads an id."""
        for path, reader in _typed(paths):
            value = self.id(path, None) if reader == "id" else self.text(path, None)
            if value:
                return value
        return None

    def texts(self, path: str) -> Mapping[str, str]:
        """Return the texts of the object at the path, such as `metadata`, and whole numbers as their digits."""
        members = self.maybe(path).value
        if not isinstance(members, dict):
            return {}
        return {name: str(value) for name, value in members.items() if type(value) in (str, int)}


class OptionalMembers:
    """The members of a payload that may be missing or null: None then. An ill-typed one still raises `Malformed`."""

    __slots__ = ("_payload",)

    def __init__(self, payload: Payload) -> None:
        self._payload = payload

    def text(self, path: str) -> str | None:
        """Return a string."""
        return self._payload.text(path, None)

    def id(self, path: str) -> str | None:
        """Return an id."""
        return self._payload.id(path, None)

    def integer(self, path: str) -> int | None:
        """Return a whole number."""
        return self._payload.integer(path, None)

    def decimal(self, path: str) -> Decimal | None:
        """Return a number, exactly."""
        return self._payload.decimal(path, None)

    def flag(self, path: str) -> bool | None:
        """Return true or false."""
        return self._payload.flag(path, None)

    def seconds(self, path: str) -> datetime | None:
        """Read a time in unix seconds."""
        return self._payload.seconds(path, None)

    def millis(self, path: str) -> datetime | None:
        """Read a time in unix milliseconds."""
        return self._payload.millis(path, None)

    def iso(self, path: str, *, naive_is_utc: bool = False) -> datetime | None:
        """Read an ISO 8601 time."""
        return self._payload.iso(path, None, naive_is_utc=naive_is_utc)

    def when(self, path: str) -> datetime | None:
        """Read a time in whichever form the provider sends."""
        return self._payload.when(path, None)

    def utc(self, path: str) -> datetime | None:
        """Read an ISO 8601 time; one without a zone is UTC."""
        return self._payload.iso(path, None, naive_is_utc=True)

    def money(
        self, amount: str, currency: str = "", *, code: str | None = None, decimals: int | None = None
    ) -> Decimal | None:
        """Return minor units as exact money, None if the amount or its currency (a path, or the code) is missing."""
        minor = self.integer(amount)
        code = self.text(currency) if currency else code
        return None if minor is None or not code else money.from_minor(minor, code, decimals=decimals)

    def nonempty(self, path: str) -> str | None:
        """Return a string, None if it is empty."""
        return self._payload.text(path, None) or None

    def lower(self, path: str) -> str | None:
        """Return a string in lower case, None if it is empty."""
        return self._payload.text(path, "").lower() or None

    def upper(self, path: str) -> str | None:
        """Return a string in upper case, None if it is empty."""
        return self._payload.text(path, "").upper() or None


_REQUIRING: Final = frozenset(("text", "id", "integer", "decimal", "flag", "seconds", "millis", "iso", "when"))
_READERS: Final = _REQUIRING | {"utc", "lower", "upper", "nonempty"}


@lru_cache(maxsize=4096)
def _typed(paths: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """Return each path with its reader, empty without one. Raise `Declaration` for a reader that does not exist."""
    split = tuple((path, reader) for path, _, reader in (path.partition(":") for path in paths))
    for path, reader in split:
        if reader and reader not in _READERS:
            raise Declaration(f"{path}:{reader}: a member is read as one of {', '.join(sorted(_READERS))}")
    return split


_EXACT: Final[Mapping[str, type]] = {"text": str, "id": str, "integer": int, "flag": bool}
"""Readers whose result for a value of this very type is the value itself; an empty id is none."""


@lru_cache(maxsize=4096)
def _selection(
    paths: tuple[str, ...], named: tuple[tuple[str, str], ...]
) -> tuple[tuple[str, str, str, type | None, bool], ...]:
    """Return (name, path, reader, the type that need not be read, whether it is required) of each member.

    Without such a type it is taken as parsed.
    """
    selection = []
    for name, spec in (*(("", path) for path in paths), *named):
        ((path, reader),) = _typed((spec.removesuffix("!"),))
        required = spec.endswith("!")
        if required and reader not in _REQUIRING:
            raise Declaration(f"{spec}: a required member is read as one of {', '.join(sorted(_REQUIRING))}")
        exact = _EXACT.get(reader, NoneType) if reader else None
        selection.append((name or path.rpartition(".")[2], path, reader, exact, required))
    return tuple(selection)
