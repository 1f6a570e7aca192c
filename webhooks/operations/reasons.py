"""Reasons without what differs between events."""

from __future__ import annotations

import re
from typing import Final

MESSAGE_ID: Final = re.compile(r"(?<![a-z0-9_-])[a-z0-9_]{1,24}-[a-z0-9-]{0,26}[0-9a-f]{40}: ")
"""A message id before a fault. Bounded and anchored, since reasons contain text that senders choose."""
_NUMBER: Final = re.compile(r"(?<=\[)\d+(?=\])|\d{4,}")


def reason_pattern(reason: str) -> str:
    """Return a reason without what differs between events: message ids, list indexes, long numbers, tracebacks."""
    last = reason.strip().rpartition("\n")[2]
    return _NUMBER.sub("N", MESSAGE_ID.sub("", last))
