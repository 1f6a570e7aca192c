"""Read the refused deliveries from the journal's totals: by endpoint and reason, the number and the last time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from webhooks.monitoring.metrics.totals import labelled

_ALL: Final = ("segue_webhooks_rejected_total", "segue_webhooks_last_rejected_timestamp_seconds")
_LOST: Final = ("segue_webhooks_signed_rejected_total", "segue_webhooks_last_signed_rejected_timestamp_seconds")


class RefusedCount(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries of one endpoint that were refused for one reason, since the journal was created.

    Of `count`, `signed` had a valid signature, and the signature of `unchecked` was not checked (for example, the body
    was too large). Both are lost events; `last_lost_at` is the time of the last. Deliveries that the provider retries
    by itself are in neither.
    """

    source: str
    reason: str
    count: int
    last_at: datetime | None
    signed: int = 0
    unchecked: int = 0
    last_lost_at: datetime | None = None


def refused_counts(tallies: Mapping[str, float]) -> list[RefusedCount]:
    """Return the count of every endpoint and reason, the latest first."""
    counts = _by_labels(tallies, _ALL[0])
    last = _by_labels(tallies, _ALL[1])
    lost, last_lost = _by_labels(tallies, _LOST[0]), _by_labels(tallies, _LOST[1])
    rows = []
    for (source, reason), count in counts.items():
        if not count:
            continue
        lost_times = [time for key, time in last_lost.items() if key[:2] == (source, reason)]
        rows.append(
            RefusedCount(
                source=source,
                reason=reason,
                count=int(count),
                last_at=_time(last.get((source, reason))),
                signed=int(lost.get((source, reason, "right"), 0)),
                unchecked=int(lost.get((source, reason, "not_checked"), 0)),
                last_lost_at=_time(max(lost_times, default=None)),
            )
        )
    oldest = datetime.min.replace(tzinfo=UTC)
    return sorted(rows, key=lambda row: (row.last_at or oldest, row.source, row.reason), reverse=True)


def _by_labels(tallies: Mapping[str, float], series: str) -> dict[tuple[str, ...], float]:
    names = ("source", "reason", "signature")
    return {
        tuple(labels[name] for name in names if name in labels): value for labels, value in labelled(tallies, series)
    }


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
