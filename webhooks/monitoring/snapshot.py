"""Snapshots of the journal and its disk. A worker takes them at intervals, and stores them for `/metrics` and alerts.

A census counts every stored event, which may be millions. So a scrape takes none as long as a worker is alive.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, Protocol

import msgspec

from webhooks.journal.notes import NoteType
from webhooks.journal.protocol import EventQueries, Notes

EVERY: Final = 15.0
"""The least seconds between two snapshots."""
PAUSE_FACTOR: Final = 50.0
"""The pause before the next snapshot, as a multiple of the time that one took."""
STALE: Final = 6.0
"""After so many pauses without a new snapshot, no worker is taking them."""


class JournalSnapshot(msgspec.Struct, frozen=True, kw_only=True):
    """The journal at one time.

    `states` has the number of events by source and state; `oldest` is when each source's oldest pending event was
    received. `keys` are the fingerprints of the write keys in use. `disk` is the free and total bytes of the journal's
    disk, if known. `pause` is the seconds until the next snapshot.
    """

    at: datetime
    states: Mapping[str, Mapping[str, int]] = {}
    oldest: Mapping[str, datetime] = {}
    size: int = 0
    disk: tuple[int, int] | None = None
    keys: tuple[str, ...] = ()
    pause: float = EVERY


SNAPSHOT: Final = NoteType("snapshot", JournalSnapshot)


class CountableJournal(EventQueries, Notes, Protocol):
    """What `SnapshotTaker` uses of the journal."""


class SnapshotTaker:
    """`database` is the journal's URL. `clock` gives aware UTC, `tick` is monotonic."""

    def __init__(
        self,
        journal: CountableJournal,
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
        """Take a snapshot and store it for all processes, unless none is due or another worker has just taken one."""
        if self._tick() < self._due or self._is_fresh(self._stored(), 0.8):
            return
        snapshot = self._snapshot()
        SNAPSHOT.write(self._journal, snapshot, now=snapshot.at)

    def latest(self) -> JournalSnapshot:
        """Return a worker's last snapshot. If it is too old, return one of this process."""
        stored = self._stored()
        if stored is not None and self._is_fresh(stored, STALE):
            return stored
        if self._own is None or self._tick() >= self._due:
            self._own = self._snapshot()
        return self._own

    def _snapshot(self) -> JournalSnapshot:
        started = self._tick()
        census = self._journal.census()
        now = self._clock()
        pause = max(EVERY, PAUSE_FACTOR * (self._tick() - started))
        self._due = started + pause
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

    def _stored(self) -> JournalSnapshot | None:
        return SNAPSHOT.read(self._journal.notes())

    def _is_fresh(self, snapshot: JournalSnapshot | None, pauses: float) -> bool:
        return snapshot is not None and self._clock() - snapshot.at < timedelta(seconds=pauses * snapshot.pause)


def folder(database: str) -> Path | None:
    """Return the folder of the journal's file; None if the journal is not a file on this machine."""
    return Path(database.removeprefix("sqlite:///")).absolute().parent if database.startswith("sqlite:///") else None
