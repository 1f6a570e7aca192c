"""What cannot be read is kept all the same: an item or a whole delivery, as a dead event under its digest.

A whole delivery is kept with what it takes to split it later: its method, and whether the guard let it pass. Its query
may hold a token, and is not kept.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from hashlib import sha256
from typing import Final

from translators.kit.bounds import bounded_problem, shortened_values
from translators.kit.errors import Malformed
from translators.kit.event import Delivery, Event, Head, Item, Trust

MALFORMED_TYPE: Final = "(malformed)"
DELIVERY: Final = "(delivery)"
"""The member of an envelope that marks a whole delivery; its value is JSON."""


def problem_of(error: Exception) -> str:
    """Return why something could not be read: the path and the problem, or the traceback of a fault in our code."""
    return bounded_problem(str(error) if isinstance(error, Malformed) else "".join(traceback.format_exception(error)))


def unreadable_head(item: Item) -> Head:
    """Name an item by its bytes, and by its envelope, since items of one delivery may share their bytes."""
    digest = sha256(item.raw)
    if item.envelope:
        digest.update(json.dumps(sorted(item.envelope.items()), default=str).encode())
    return Head(id=f"sha256:{digest.hexdigest()}", type=MALFORMED_TYPE, occurred_at=None, clock="received")


def unreadable_delivery(
    delivery: Delivery, body: bytes, problem: str, *, headers: Mapping[str, str], trust: Trust, guarded: bool
) -> Event:
    """Keep a whole body as one dead event. `guarded` says whether the guard let it pass."""
    return Event(
        source=delivery.source,
        id=f"sha256:{sha256(body).hexdigest()}",
        type=MALFORMED_TYPE,
        occurred_at=delivery.received_at,
        clock="received",
        trust=trust,
        problem=problem,
        raw=body,
        received_at=delivery.received_at,
        headers=shortened_values(headers),
        envelope={DELIVERY: json.dumps({"method": delivery.method, "guarded": guarded})},
        options=delivery.options,
    )


def kept_delivery(event: Event) -> tuple[Delivery | None, bool]:
    """Return the delivery that an event was made of and whether the guard let it pass; None if it was an item."""
    if event.type != MALFORMED_TYPE or DELIVERY not in event.envelope:
        return None, True
    facts = json.loads(event.envelope[DELIVERY])
    delivery = Delivery(
        source=event.source,
        body=event.raw,
        received_at=event.received_at,
        headers=event.headers,
        options=event.options,
        method=facts["method"],
        replayed=True,
    )
    return delivery, facts["guarded"]
