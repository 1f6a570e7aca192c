"""One table of segue.toml, read key by key. What is wrong is noted with the key's whole path, and reading goes on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")


class Table:
    """`where` is its path, as `sources.acme.identity`; `faults` is shared by all tables of one source."""

    def __init__(self, where: str, value: Any, faults: list[str]) -> None:
        self.where = where
        self.faults = faults
        self.value: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        if not isinstance(value, Mapping):
            faults.append(f"{where} is {_kind(value)}: write a table")

    def __contains__(self, key: str) -> bool:
        return key in self.value

    def path(self, key: str) -> str:
        """Return the key's whole path, quoted if TOML requires it."""
        return f"{self.where}.{key}" if _BARE.fullmatch(key) else f'{self.where}."{key}"'

    def fault(self, key: str, problem: str) -> None:
        """Note what is wrong with a key."""
        self.faults.append(f"{self.path(key)} {problem}")

    def only(self, *keys: str) -> None:
        """Note every key that is none of these, with the nearest one."""
        for key in self.value:
            if key not in keys:
                close = get_close_matches(key, keys, n=1)
                self.fault(
                    key, f"is not a setting: {f'did you mean {close[0]}?' if close else f'known are {_list(keys)}'}"
                )

    def text(self, key: str) -> str:
        """Return a text, empty if there is none."""
        value = self.value.get(key, "")
        if not isinstance(value, str):
            self.fault(key, f"is {_kind(value)}: write a text")
            return ""
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        """Return a text or a list of texts as a list; an empty text is none."""
        value = self.value.get(key) or []
        values = [value] if isinstance(value, str) else value
        if not isinstance(values, list) or not all(isinstance(text, str) and text for text in values):
            self.fault(key, f"is {_kind(value)}: write a path, or a list of paths")
            return ()
        return tuple(values)

    def choice(self, key: str, choices: Sequence[str]) -> str:
        """Return one of the words, the first by default."""
        value = self.value.get(key, choices[0])
        if value not in choices:
            self.fault(key, f"is {value!r}: choose {_list(choices, 'or')}")
            return choices[0]
        return str(value)

    def flag(self, key: str) -> bool:
        """Return true or false; false by default."""
        value = self.value.get(key, False)
        if not isinstance(value, bool):
            self.fault(key, f"is {_kind(value)}: write true or false")
            return False
        return value

    def table(self, key: str) -> Table:
        """Return the table at the key, an empty one if there is none."""
        return Table(self.path(key), self.value.get(key, {}), self.faults)

    def items(self) -> Iterator[tuple[str, Any]]:
        """Return keys and values as they are written."""
        yield from self.value.items()


def _list(words: Sequence[str], last: str = "and") -> str:
    ordered = sorted(words) if last == "and" else list(words)
    return ordered[0] if len(ordered) == 1 else f"{', '.join(ordered[:-1])} {last} {ordered[-1]}"


def _kind(value: Any) -> str:
    kinds: dict[type, str] = {str: "a text", bool: "true or false", int: "a number", float: "a number", list: "a list"}
    return kinds.get(type(value), "a table" if isinstance(value, Mapping) else "a date or time")
