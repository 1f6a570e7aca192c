"""Name an event by the members that its source declares (`Source.head_at`), without parsing the rest of its body.

A body that could be read in another way by the source's functions is left to them: the answer is the same.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

import msgspec

from translators.kit.bounds import bounded_head
from translators.kit.errors import Malformed
from translators.kit.event import Head
from translators.kit.source import HeadMembers
from translators.kit.times import from_iso, from_millis, from_seconds, from_unix

_READERS: Final[dict[str, tuple[type, Callable[..., datetime]]]] = {
    "seconds": (int, from_seconds),
    "millis": (int, from_millis),
    "when": (int, from_unix),
    "iso": (str, from_iso),
    "utc": (str, lambda text: from_iso(text, naive_is_utc=True)),
}
"""The usual type of a time, and how it is read. Any other one is left to the source's functions."""
_MAX_BRACKETS: Final = 400
"""With more, a body might be nested too deeply to be parsed."""
_DIGITS: Final = bytes.maketrans(b"123456789", b"0" * 9)
_STEP, _LONG = 2, b"0" * 9
"""A number of 18 digits has nine digits among every second byte. A longer one may have an exponent or a length over the
limits of a number, which is not seen without parsing it."""


class HeadReader:
    """Read the head of bodies by declared members."""

    def __init__(self, declared: HeadMembers) -> None:
        time, self._time = _READERS[declared.reader]
        self._where = [(f"where_{number}", values) for number, values in enumerate(declared.where.values())]
        fields: dict[str, tuple[str, Any]] = {
            "id": (declared.id, str),
            "type": (declared.type, str),
            "occurred_at": (declared.occurred_at, time),
            **{name: (member, str) for (name, _), member in zip(self._where, declared.where, strict=True)},
        }
        members = msgspec.defstruct(
            "Members", [(name, kind, msgspec.field(name=member)) for name, (member, kind) in fields.items()], gc=False
        )
        self._decode = msgspec.json.Decoder(members).decode

    def read(self, body: bytes) -> Head | None:
        """Return the head of a body that is one event; None if the source's functions are to read it."""
        if (
            body.count(b"{") + body.count(b"[") > _MAX_BRACKETS
            or _LONG in body[::_STEP].translate(_DIGITS)
            or not _is_utf8(body)
        ):
            return None
        try:
            members: Any = self._decode(body)
            for name, values in self._where:
                if getattr(members, name) not in values:
                    return None
            return bounded_head(Head(id=members.id, type=members.type, occurred_at=self._time(members.occurred_at)))
        except (msgspec.DecodeError, Malformed, ValueError, RecursionError):
            return None


def _is_utf8(body: bytes) -> bool:
    """Return whether a body is UTF-8; the texts of members that are not read are not checked otherwise."""
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
