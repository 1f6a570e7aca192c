"""marshmallow fields whose messages continue the key's name: "SEGMENT_REGION" + "is 'uk': choose us or eu"."""

from __future__ import annotations

import math
import re
from base64 import b64decode
from collections.abc import Iterable
from datetime import timedelta
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from marshmallow import ValidationError
from marshmallow.fields import Field

T = TypeVar("T")
_SPAN: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(ms|s|m|h|d)?")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE: Final = re.compile(r"(\d+)\s*(B|KB|KiB|MB|MiB)?", re.IGNORECASE)
_BYTES: Final = {"b": 1, "kb": 1000, "kib": 1024, "mb": 1000_000, "mib": 1024 * 1024}
_PEM: Final = re.compile(r"-----BEGIN [^-]+-----.*?-----END [^-]+-----", re.DOTALL)
_TRUE: Final = {"true", "yes", "on", "1"}
_FALSE: Final = {"false", "no", "off", "0"}


def refuse(value: Any, hint: str) -> ValidationError:
    """Return the error of a value that is not a secret."""
    text = repr(value)
    return ValidationError(f"is {text if len(text) <= 60 else text[:57] + '...'}: {hint}")


class Rule(Field[T]):
    """A field that is checked by its value alone."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **rest: Any) -> T:
        del attr, data, rest
        return self.read(value)

    def read(self, value: Any) -> T:
        """Return the value in its type, or raise `ValidationError`."""
        raise NotImplementedError


class Text(Rule[str]):
    """One line of text: one of `choices`, or matching a pattern."""

    def __init__(self, *, choices: Iterable[str] = (), shape: str = ".+", hint: str = "", **rest: Any) -> None:
        super().__init__(**rest)
        self.choices = tuple(choices)
        self.shape = re.compile(shape)
        self.hint = f"choose {either(self.choices)}{hint}" if self.choices else hint or "give text"

    def read(self, value: Any) -> str:
        text = value.strip() if isinstance(value, str) else ""
        invalid = text not in self.choices if self.choices else not self.shape.fullmatch(text)
        if invalid:
            raise refuse(value, self.hint)
        return text


class Host(Text):
    """An address to listen on. IPv6 may be in brackets, as in a URL."""

    def read(self, value: Any) -> str:
        text = super().read(value.strip().removeprefix("[").removesuffix("]") if isinstance(value, str) else value)
        return text.lower()


class Secret(Rule[str]):
    """A write key: printable, without spaces. An error never shows it."""

    def read(self, value: Any) -> str:
        text = value.strip() if isinstance(value, str) else ""
        if not text or not text.isprintable() or " " in text:
            raise ValidationError("is not a key: give one word without spaces or line breaks")
        return text


class Secrets(Rule[tuple[str, ...]]):
    """One or more secrets: a list, or text split at commas and spaces. A PEM block is not split."""

    def read(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            blocks = [block.replace("\\n", "\n") for block in _PEM.findall(value)]
            secrets = blocks + [part for part in re.split(r"[\s,]+", _PEM.sub(" ", value)) if part]
        elif isinstance(value, list) and all(isinstance(part, str) and part.strip() for part in value):
            secrets = [part.strip() for part in value]
        else:
            raise ValidationError("is not a list of secrets: give text, with commas between several")
        if not secrets:
            raise ValidationError("contains no secret: give at least one, or leave the setting out")
        return tuple(dict.fromkeys(secrets))


class Keys(Rule[tuple[str, ...]]):
    """Keys of 32 bytes, in hexadecimal or base64; read as hexadecimal. The first may be the word `plain`."""

    def read(self, value: Any) -> tuple[str, ...]:
        words = value if isinstance(value, list) else re.split(r"[\s,]+", str(value).strip())
        keys = [word if index == 0 and word == "plain" else self._key(word) for index, word in enumerate(words)]
        if len(set(keys)) < len(keys):
            raise ValidationError("contains a key twice: remove one of them")
        return tuple(keys)

    def _key(self, word: Any) -> str:
        hint = "give 32 random bytes, as printed by `openssl rand -base64 32`"
        text = word if isinstance(word, str) else ""
        try:
            key = bytes.fromhex(text) if re.fullmatch(r"[0-9A-Fa-f]{64}", text) else _base64(text)
        except ValueError:
            raise ValidationError(f"contains a word that is not a key: {hint}") from None
        if len(key) != 32:
            raise ValidationError(f"contains a key of {len(key)} bytes: {hint}")
        if len(set(key)) < 8:
            raise ValidationError(f"contains a key that is not random: {hint}")
        return key.hex()


def _base64(text: str) -> bytes:
    return b64decode(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4), validate=True)


class Words(Rule[tuple[str, ...]]):
    """A list of words: a list, or text split at commas and spaces."""

    def read(self, value: Any) -> tuple[str, ...]:
        if isinstance(value, str):
            return tuple(dict.fromkeys(part for part in re.split(r"[\s,]+", value) if part))
        if isinstance(value, list) and all(isinstance(part, str) and part.strip() for part in value):
            return tuple(dict.fromkeys(part.strip() for part in value))
        raise refuse(value, "give words, separated by commas")


class Flag(Rule[bool]):
    """A boolean: true or false, yes or no, on or off, 1 or 0."""

    def read(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        word = str(value).strip().lower()
        if word not in _TRUE | _FALSE:
            raise refuse(value, "choose true or false")
        return word in _TRUE


class Whole(Rule[int]):
    """A whole number from `low` to `high`."""

    def __init__(self, low: int, high: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.low, self.high = low, high

    def read(self, value: Any) -> int:
        text = "" if isinstance(value, bool) else str(value).strip()
        number = int(text) if re.fullmatch(r"-?[0-9]{1,18}", text) else None
        if number is None or not self.low <= number <= self.high:
            raise refuse(value, f"give a whole number from {self.low} to {self.high}")
        return number


class Number(Rule[float]):
    """A number from `low` to `high`; `unit` names it in errors."""

    def __init__(self, low: float, high: float, unit: str, **rest: Any) -> None:
        super().__init__(**rest)
        self.low, self.high, self.unit = low, high, unit

    def read(self, value: Any) -> float:
        try:
            number = math.nan if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            number = math.nan
        if not self.low <= number <= self.high:
            raise refuse(value, f"give {self.unit} from {self.low:g} to {self.high:g}")
        return number


class Duration(Rule[timedelta]):
    """A duration: `7d`, `36h`, `15m`, `60s`, `200ms`. If `bare` is set, a number without a unit is seconds."""

    def __init__(self, low: timedelta, high: timedelta, *, bare: bool = False, reason: str = "", **rest: Any) -> None:
        super().__init__(**rest)
        self.low, self.high, self.bare, self.reason = low, high, bare, reason

    def read(self, value: Any) -> timedelta:
        match = _SPAN.fullmatch("" if isinstance(value, bool) else str(value).strip())
        if match is None:
            raise refuse(value, "give a duration such as 7d, 36h, 15m, 60s or 200ms")
        number, unit = match.groups()
        if unit is None and not self.bare:
            raise refuse(value, f"add the unit, such as {number}d or {number}h")
        seconds = float(number) * _SECONDS[unit or "s"]
        if not self.low.total_seconds() <= seconds <= self.high.total_seconds():
            because = f", because {self.reason}" if self.reason and seconds < self.low.total_seconds() else ""
            raise refuse(value, f"give {span_text(self.low)} to {span_text(self.high)}{because}")
        return timedelta(seconds=seconds)


class Size(Rule[int]):
    """A number of bytes: `1MiB`, `512KiB`, `1048576`."""

    def __init__(self, low: int, high: int, **rest: Any) -> None:
        super().__init__(**rest)
        self.low, self.high = low, high

    def read(self, value: Any) -> int:
        match = _SIZE.fullmatch("" if isinstance(value, bool) else str(value).strip())
        size = int(match[1]) * _BYTES[(match[2] or "B").lower()] if match and len(match[1]) < 16 else -1
        if not self.low <= size <= self.high:
            raise refuse(value, f"give a size from {self.low // 1024}KiB to {self.high // 1024**2}MiB, such as 1MiB")
        return size


class Url(Rule[str]):
    """An http(s) base URL. `cut` are paths of the service that are removed from its end."""

    def __init__(self, *, cut: Iterable[str] = (), **rest: Any) -> None:
        super().__init__(**rest)
        self.cut = tuple(cut)

    def read(self, value: Any) -> str:
        text = value.strip().rstrip("/") if isinstance(value, str) else ""
        try:
            parts = urlsplit(text)
            ok = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
            with_password = "@" in parts.netloc
        except ValueError:
            ok = with_password = False
        if with_password:
            raise ValidationError("contains a user name or password: give the URL without them")
        if not ok or any(c.isspace() for c in text) or parts.query or parts.fragment:
            raise refuse(value, "give a URL such as https://hooks.example.com, without ? and #")
        for path in self.cut:
            text = text.removesuffix(path)
        return text


class Database(Rule[str]):
    """The journal's URL. An error never shows it.

    `sqlite:///file.db` is relative to the working directory, `sqlite:////data/segue.db` is absolute. PostgreSQL is
    `postgresql://user:password@host/name`, or Heroku's `postgres://`.
    """

    def read(self, value: Any) -> str:
        text = value.strip() if isinstance(value, str) else ""
        scheme, _, path = text.partition("://")
        example = "sqlite:////data/segue.db"
        if scheme in {"postgres", "postgresql"}:
            if not re.fullmatch(r"([^@/?#\s]*@)?[^@/?#\s]*/[^/?#\s]+(\?[^#\s]*)?", path):
                raise ValidationError(
                    f"is not a database URL: give {scheme}://user:password@host:5432/name, with special characters of "
                    "the password as %XX"
                )
            return text
        if scheme in {"mysql", "redis", "mongodb"}:
            raise ValidationError(f"is a {scheme}:// URL: give one of PostgreSQL, or of a file, such as {example}")
        if scheme != "sqlite" or len(path) < 2 or not path.startswith("/"):
            name = path if scheme == "sqlite" else text
            is_path = name.startswith(("/", "./", "../")) or name.endswith((".db", ".sqlite", ".sqlite3"))
            suggestion = f"sqlite:///{name}" if is_path and "@" not in name else f"one such as {example}"
            raise ValidationError(f"is not a URL of PostgreSQL or of a SQLite file: give {suggestion}")
        if ":memory:" in path:
            raise ValidationError(f"is in memory, which is not durable: give a file, such as {example}")
        return text


def span_text(span: timedelta) -> str:
    """Return a duration as `7d`, `72h` or `60s`: in the largest unit that divides it, hours up to four days."""
    seconds = span.total_seconds()
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        if seconds % length == 0 and (unit != "d" or seconds > 4 * 86400) and seconds >= length:
            return f"{seconds / length:.0f}{unit}"
    return f"{seconds * 1000:g}ms"


def either(words: Iterable[str]) -> str:
    """Return words as `a, b or c`."""
    *first, last = words
    return f"{', '.join(first)} or {last}" if first else last
