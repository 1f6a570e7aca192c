"""Learn from each source's history how long it is usually silent, and detect a longer silence.

The tracker stores the longest silence that ended on each of the last 28 days. The limit is 1.5 times the longest of
them. A silence over the limit is stored only as long as the limit. So one outage does not hide the next, and the limit
of a source that has become slower grows after a few long silences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final, Protocol

import msgspec

from webhooks.journal.notes import NoteType
from webhooks.journal.protocol import Counters, Notes
from webhooks.monitoring.metrics.totals import labelled

SERIES: Final = "segue_source_last_event_timestamp_seconds"
DAYS: Final = 28
LEARNING_TIME: Final = 10 * 86400.0
FLOOR: Final = 3600.0
LEARNING_FLOOR: Final = 3 * 86400.0
"""The least limit in a source's first ten days, since its history must include a whole weekend."""
FACTOR: Final = 1.5


class ArrivalTimes(msgspec.Struct, frozen=True, kw_only=True):
    """The first and last event of one source, in seconds since 1970, and the longest silence of each day."""

    first: float
    last: float
    longest: Mapping[int, float] = {}

    def limit(self, now: float, floor: float) -> float:
        """Return the seconds of silence that are still usual."""
        least = floor if now - self.first >= LEARNING_TIME else max(floor, LEARNING_FLOOR)
        return max(least, FACTOR * max(self.longest.values(), default=0.0))

    def updated(self, last: float, now: float, floor: float) -> ArrivalTimes:
        """Return the times after an event at `last`."""
        if last <= self.last:
            return self
        silence = min(last - self.last, self.limit(now, floor))
        today = int(last // 86400)
        kept = {day: longest for day, longest in self.longest.items() if today - DAYS < day}
        return ArrivalTimes(first=self.first, last=last, longest={**kept, today: max(kept.get(today, 0.0), silence)})


class LearnedSources(msgspec.Struct, frozen=True):
    """The note of all trackers: the history of each source."""

    sources: Mapping[str, ArrivalTimes] = {}


LEARNED: Final = NoteType("silence", LearnedSources)


class LearningJournal(Counters, Notes, Protocol):
    """What `SilenceTracker` uses of the journal."""


class SilenceTracker:
    """Learn from the journal's totals. `sources` returns what any process has learned."""

    def __init__(
        self,
        journal: LearningJournal,
        *,
        floor: float = FLOOR,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._journal = journal
        self._floor = floor
        self._clock = clock

    def learn(self) -> None:
        """Update the history. Call it about once a minute: the time between two calls counts as at most one silence."""
        now = self._clock().timestamp()
        known = self.sources()
        updated = dict(known)
        for labels, last in labelled(self._journal.tallies(), SERIES):
            source = labels["source"]
            arrivals = known.get(source)
            updated[source] = (
                arrivals.updated(last, now, self._floor) if arrivals else ArrivalTimes(first=last, last=last)
            )
        if updated != known:
            LEARNED.write(self._journal, LearnedSources(updated), now=self._clock())

    def sources(self) -> dict[str, ArrivalTimes]:
        """Return the history of each source that ever sent an event."""
        return dict((LEARNED.read(self._journal.notes()) or LearnedSources()).sources)

    def limits(self) -> dict[str, tuple[ArrivalTimes, float]]:
        """Return each source's history, and the seconds of silence that are still usual for it."""
        now = self._clock().timestamp()
        return {source: (arrivals, arrivals.limit(now, self._floor)) for source, arrivals in self.sources().items()}
