"""The workers that run on a journal, by their heartbeats."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from webhooks.journal.notes import WORKERS
from webhooks.journal.protocol import Notes

ALIVE: Final = timedelta(seconds=30)
"""A running worker's heartbeat is never older than this."""


def running_workers(journal: Notes, now: datetime) -> list[str]:
    """Return the names of the workers that still run."""
    return [name for name, (at, _) in WORKERS.read(journal.notes()).items() if now - at < ALIVE]
