"""Which events an operator means. Every store reads a filter in the same way."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from webhooks.journal.model import State


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """All that is given must hold; an empty one means every event. A span begins with `since` and ends before `until`.

    sources, types   any of them; `*` stands for any characters, all else for itself
    keys, seqs       any of them
    text             is found, in whatever case, in the body (read as UTF-8), the key or the reason
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


def finder(text: str) -> Callable[[str, str, bytes], bool]:
    """Whether an event's key, reason or body holds the text, for stores that look at bodies one by one.

    JSON may write a character as itself or as an escape; both are found.
    """
    wanted = {text.lower(), json.dumps(text)[1:-1].lower(), json.dumps(text, ensure_ascii=False)[1:-1].lower()}
    ascii_ = [needle.encode() for needle in wanted if needle.isascii()]

    def found(key: str, reason: str, body: bytes) -> bool:
        lower = body.lower()
        if any(needle in lower for needle in ascii_):
            return True
        beside = f"{key}\n{reason}\n"
        if lower.isascii():
            beside = beside.lower()
            return any(needle in beside for needle in wanted)
        haystack = f"{beside}{body.decode('utf-8', 'replace')}".lower()
        return any(needle in haystack for needle in wanted)

    return found
