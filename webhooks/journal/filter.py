"""Filters that select events. Every store applies a filter in the same way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from webhooks.journal.model import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """Conditions that must all be met; an empty filter selects every event. A time range includes `since`, not `until`.

    sources, types   any of them; `*` stands for any characters
    keys, seqs       any of them
    text             occurs in the body (read as UTF-8), the key or the reason; case is ignored
    """

    states: tuple[State, ...] = ()
    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    seqs: tuple[int, ...] | None = None
    received_since: datetime | None = None
    received_until: datetime | None = None
    occurred_since: datetime | None = None
    occurred_until: datetime | None = None
    settled_since: datetime | None = None
    settled_until: datetime | None = None
    text: str = ""


def text_matcher(text: str) -> Callable[[str, str, bytes], bool]:
    """Return a function that says whether an event's key, reason or body contains the text.

    JSON may contain a character as itself or as an escape; both match.
    """
    needles = {text.lower(), json.dumps(text)[1:-1].lower(), json.dumps(text, ensure_ascii=False)[1:-1].lower()}
    ascii_ = [needle.encode() for needle in needles if needle.isascii()]

    def matches(key: str, reason: str, body: bytes) -> bool:
        lower = body.lower()
        if any(needle in lower for needle in ascii_):
            return True
        beside = f"{key}\n{reason}\n"
        if lower.isascii():
            beside = beside.lower()
            return any(needle in beside for needle in needles)
        haystack = f"{beside}{body.decode('utf-8', 'replace')}".lower()
        return any(needle in haystack for needle in needles)

    return matches
