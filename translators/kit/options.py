"""A source's own settings, per endpoint: declared once, read with their type."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

T = TypeVar("T", str, tuple[str, ...])


class HasOptions(Protocol):
    """A delivery, an item or an event: each carries its endpoint's options."""

    @property
    def options(self) -> Mapping[str, Any]:
        """Return the values of all options by name."""
        ...


@dataclass(frozen=True, slots=True)
class Option(Generic[T]):
    """A setting of a source: `SEGUE_<ENDPOINT>_<NAME>` or a key in segue.toml.

    Make it with `text_option`, `choice_option` or `list_option`.

    `choices`: the values that are allowed, if not any. `many`: the value is a tuple of texts. `pattern`: a regular
    expression that each value must match as a whole; if one does not, `help` is shown.
    """

    name: str
    help: str
    default: T
    choices: tuple[str, ...] = ()
    many: bool = False
    pattern: str = ""

    def of(self, holder: HasOptions) -> T:
        """Return its value for the endpoint of a delivery, an item or an event."""
        return cast(T, holder.options.get(self.name, self.default))


def text_option(name: str, help: str, default: str = "", *, pattern: str = "") -> Option[str]:
    """Declare an option whose value is a text."""
    return Option(name, help, default, pattern=pattern)


def choice_option(name: str, help: str, choices: Iterable[str], default: str) -> Option[str]:
    """Declare an option whose value is one of `choices`."""
    return Option(name, help, default, choices=tuple(choices))


def list_option(name: str, help: str, default: Iterable[str] = (), *, pattern: str = "") -> Option[tuple[str, ...]]:
    """Declare an option whose value is a list of texts; in a variable they are separated by commas."""
    return Option(name, help, tuple(default), many=True, pattern=pattern)
