"""What keeps stored events from being delivered, as the workers' heartbeats and the counts by state show it. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

FRESH: Final = timedelta(seconds=60)
"""A worker writes its heartbeat every ten seconds; an older one says nothing of now."""
FAILING_FLOOR: Final = 20.0
"""Seconds of failures in a row from which they are reported: one lost connection is no news."""


@dataclass(frozen=True, slots=True)
class FailingKey:
    """A write key whose batches have failed for so long: no answer, or the server's own failure (5xx)."""

    fingerprint: str
    since: datetime
    reason: str


def failing_keys(notes: Mapping[str, tuple[datetime, Mapping[str, Any]]], now: datetime) -> list[FailingKey]:
    """Return the write keys whose every batch fails now, by the heartbeats of all workers that are alive."""
    found: dict[str, FailingKey] = {}
    for name, (at, facts) in notes.items():
        if not name.startswith("worker:") or now - at > FRESH:
            continue
        for fingerprint, failure in facts.get("failing", {}).items():
            if failure["seconds"] >= FAILING_FLOOR:
                one = FailingKey(fingerprint, at - timedelta(seconds=failure["seconds"]), str(failure["reason"]))
                found[fingerprint] = min(found.get(fingerprint, one), one, key=lambda each: each.since)
    return [found[fingerprint] for fingerprint in sorted(found)]


def unconfigured(states: Mapping[str, Mapping[Any, int]], endpoints: Collection[str]) -> dict[str, int]:
    """Return how many events wait by endpoint, for the endpoints that are not configured (any more)."""
    waiting = {name: counts.get("pending", 0) for name, counts in states.items() if name not in endpoints}
    return {name: count for name, count in sorted(waiting.items()) if count}
