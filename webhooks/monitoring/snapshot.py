"""What is to be seen in the journal and on the disk, taken now and then by a worker and noted for whoever is scraped.

A census counts every event that is kept, which may be millions, so no scrape makes one while a worker lives.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec

from webhooks.journal import Journal

NOTE: Final = "survey"
EVERY: Final = 15.0
"""Seconds between two surveys, at least."""
SHARE: Final = 50.0
"""So many times as long as one took is the pause before the next."""
STALE: Final = 6.0
"""So many pauses late, no worker is taking them any more."""


class JournalSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """`states` holds events by source and state, `oldest` when each source's oldest pending one was received.

    `keys` are the fingerprints of the write keys in use; `disk` is free and whole bytes where the journal's is known;
    `pause` is how many seconds lie until the next survey.
    """

    at: datetime
    states: Mapping[str, Mapping[str, int]] = {}
    oldest: Mapping[str, datetime] = {}
    size: int = 0
    disk: tuple[int, int] | None = None
    keys: tuple[str, ...] = ()
    pause: float = EVERY


class SnapshotTaker:
    """`database` is the journal's URL. `clock` gives aware UTC, `tick` is monotonic."""

    def __init__(
        self,
        journal: Journal,
        database: str,
        *,
        keys: Collection[str] = (),
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tick: Callable[[], float] = time.monotonic,
    ) -> None:
        self._journal = journal
        self._folder = folder(database)
        self._keys = tuple(keys)
        self._clock = clock
        self._tick = tick
        self._due = tick()
        self._own: JournalSnapshot | None = None

    def take(self) -> None:
        """Look, and note it for all; unless that cost so much that it is not due again, or another worker just did."""
        if self._tick() < self._due or self._is_fresh(self._noted(), 0.8):
            return
        seen = self._look()
        self._journal.note(NOTE, msgspec.to_builtins(seen), now=seen.at)

    def latest(self) -> JournalSnapshot:
        """What a worker saw; where none has for a while, what is seen from here."""
        noted = self._noted()
        if noted is not None and self._is_fresh(noted, STALE):
            return noted
        if self._own is None or self._tick() >= self._due:
            self._own = self._look()
        return self._own

    def _look(self) -> JournalSnapshot:
        began = self._tick()
        census = self._journal.census()
        now = self._clock()
        pause = max(EVERY, SHARE * (self._tick() - began))
        self._due = began + pause
        disk = None if self._folder is None else shutil.disk_usage(self._folder)
        return JournalSnapshot(
            at=now,
            states={source: {state.value: n for state, n in by.items()} for source, by in census.by_source.items()},
            oldest=census.oldest_by_source,
            size=census.size_bytes,
            disk=(disk.free, disk.total) if disk else None,
            keys=self._keys,
            pause=pause,
        )

    def _noted(self) -> JournalSnapshot | None:
        found = self._journal.notes().get(NOTE)
        return msgspec.convert(found[1], JournalSnapshot) if found else None

    def _is_fresh(self, seen: JournalSnapshot | None, pauses: float) -> bool:
        return seen is not None and self._clock() - seen.at < timedelta(seconds=pauses * seen.pause)


def folder(database: str) -> Path | None:
    """Where the journal's file is; None where the journal is no file of this machine."""
    return Path(database.removeprefix("sqlite:///")).absolute().parent if database.startswith("sqlite:///") else None
