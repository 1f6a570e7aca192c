"""Events for tests of the journal and the worker."""

from datetime import UTC, datetime, timedelta
from typing import Any

from translators.kit import Event

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def event(id: str, **changes: Any) -> Event:
    facts: dict[str, Any] = {
        "source": "acme", "id": id, "type": "thing.done", "raw": b'{"id": "x"}', "occurred_at": NOW - MINUTE, "received_at": NOW,
        "headers": {"x-kept": "1"}, "envelope": {"org": "o"},
    }  # fmt: skip
    return Event(**facts | changes)
