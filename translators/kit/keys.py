"""Parts of an event's key for what is long, free text, or a whole object."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import msgspec

_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="number")


def digest(*values: Any) -> str:
    """Return 16 hex digits that name the values: the same for equal ones, in whichever order members were sent."""
    return sha256(_encoder.encode(values)).hexdigest()[:16]


def joined(*parts: str) -> str:
    """Return `a:b:c`, which no other parts give: `:` and `%` are escaped in each part but the last."""
    *first, last = parts
    return ":".join((*(part.replace("%", "%25").replace(":", "%3A") for part in first), last))
