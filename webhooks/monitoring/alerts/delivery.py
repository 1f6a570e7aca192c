"""Find what prevents the delivery of stored events, from heartbeats and counts by state. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from webhooks.journal.notes import WORKERS
from webhooks.journal.protocol import StoredNotes

FRESH: Final = timedelta(seconds=60)
"""A worker writes its heartbeat every ten seconds; an older one is not current."""
FAILING_FLOOR: Final = 20.0
"""Seconds of failures in a row before they are reported: one lost connection is not."""


@dataclass(frozen=True, slots=True)
class FailingKey:
    """A write key whose batches fail since a time: no response, or a server failure (5xx)."""

    fingerprint: str
    since: datetime
    reason: str


def failing_keys(notes: StoredNotes, now: datetime) -> list[FailingKey]:
    """Return the write keys whose batches all fail now, from the heartbeats of all live workers."""
    failing: dict[str, FailingKey] = {}
    for at, heartbeat in WORKERS.read(notes).values():
        if now - at > FRESH:
            continue
        for fingerprint, failure in heartbeat.failing.items():
            if failure.seconds >= FAILING_FLOOR:
                key = FailingKey(fingerprint, at - timedelta(seconds=failure.seconds), failure.reason)
                failing[fingerprint] = min(failing.get(fingerprint, key), key, key=lambda key: key.since)
    return [failing[fingerprint] for fingerprint in sorted(failing)]


def unconfigured(states: Mapping[str, Mapping[Any, int]], endpoints: Collection[str]) -> dict[str, int]:
    """Return the number of waiting events of each endpoint that is not configured."""
    waiting = {name: counts.get("pending", 0) for name, counts in states.items() if name not in endpoints}
    return {name: count for name, count in sorted(waiting.items()) if count}
