"""How long each source is usually silent, learned from its own history, and when that is longer than usual.

What is remembered is the longest silence that ended on each of the last days. A source is silent for longer than usual
beyond half as long again as the longest of them. A silence that was noticed is learned no longer than the limit it went
beyond: one outage does not blunt the next notice, and a source that has become slow is believed after a few.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Final

import msgspec

from webhooks.journal import Journal
from webhooks.monitoring.metrics.totals import labelled

NOTE: Final = "pulse"
SERIES: Final = "segue_source_last_event_timestamp_seconds"
DAYS: Final = 28
YOUTH: Final = 10 * 86400.0
FLOOR: Final = 3600.0
YOUNG: Final = 3 * 86400.0
"""The least limit in a source's youth, until a whole weekend lies behind it."""
FACTOR: Final = 1.5


class ArrivalTimes(msgspec.Struct, frozen=True, kw_only=True):
    """One source: when it was first and last heard, in seconds since 1970, and each day's longest silence."""

    first: float
    last: float
    longest: Mapping[int, float] = {}

    def limit(self, now: float, floor: float) -> float:
        """Seconds of silence that are still usual."""
        least = floor if now - self.first >= YOUTH else max(floor, YOUNG)
        return max(least, FACTOR * max(self.longest.values(), default=0.0))

    def heard(self, last: float, now: float, floor: float) -> ArrivalTimes:
        """After it was heard again at `last`."""
        if last <= self.last:
            return self
        silence = min(last - self.last, self.limit(now, floor))
        today = int(last // 86400)
        kept = {day: longest for day, longest in self.longest.items() if today - DAYS < day}
        return ArrivalTimes(first=self.first, last=last, longest={**kept, today: max(kept.get(today, 0.0), silence)})


class SilenceTracker:
    """`listen` learns what the journal's totals tell; `sources` gives what was learned by any process."""

    def __init__(
        self, journal: Journal, *, floor: float = FLOOR, clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._journal = journal
        self._floor = floor
        self._clock = clock

    def listen(self) -> None:
        """Learn. To be called every minute or so: what lies between two calls is one silence, or none."""
        now = self._clock().timestamp()
        known = self.sources()
        heard = dict(known)
        for labels, last in labelled(self._journal.tallies(), SERIES):
            source = labels["source"]
            beats = known.get(source)
            heard[source] = beats.heard(last, now, self._floor) if beats else ArrivalTimes(first=last, last=last)
        if heard != known:
            self._journal.note(NOTE, {"sources": msgspec.to_builtins(heard, str_keys=True)}, now=self._clock())

    def sources(self) -> dict[str, ArrivalTimes]:
        """What is known of each source that was ever heard."""
        found = self._journal.notes().get(NOTE)
        return msgspec.convert(found[1]["sources"], dict[str, ArrivalTimes], strict=False) if found else {}

    def limits(self) -> dict[str, tuple[ArrivalTimes, float]]:
        """Each source with the seconds of silence that are still usual for it."""
        now = self._clock().timestamp()
        return {source: (beats, beats.limit(now, self._floor)) for source, beats in self.sources().items()}
