"""Bring a SQLite file to this version's tables, in steps: an interrupted migration continues at the same step."""

from __future__ import annotations

import logging
import math
import sqlite3
import time
from typing import Final

from webhooks.errors import JournalError
from webhooks.journal import queries

log: Final = logging.getLogger("webhooks.journal")
SQL: Final = queries.load("sqlite/queries")
MIGRATIONS: Final = queries.load("sqlite/schema")
LATEST: Final = max(map(int, MIGRATIONS))
MOVED: Final = 10
"""The step before which events are moved into two tables, one of which is never updated."""
MOVED_AT_ONCE: Final = 1000
"""Events moved in one transaction."""
REPORT_EVERY: Final = 2.0
"""Seconds between two lines of progress."""


def migrate(db: sqlite3.Connection) -> None:
    """Run the steps that the file does not have yet. The caller is the only one that writes."""
    version = db.execute("PRAGMA user_version").fetchone()[0]
    if version > LATEST:
        raise JournalError(
            f"this journal has schema version {version}, and this Segue supports up to {LATEST}",
            hint="Start the newer version of Segue again.",
        )
    for number in sorted(map(int, MIGRATIONS)):
        if number > version:
            if number == MOVED:
                move(db)
            db.executescript(f"BEGIN IMMEDIATE; {MIGRATIONS[str(number)]}\nPRAGMA user_version = {number}; COMMIT;")


def move(db: sqlite3.Connection) -> None:
    """Move the events of earlier versions into the two tables. Their space is used again, so the file does not grow."""
    left = total = db.execute(SQL["left_to_move"]).fetchone()[0]
    reported = -math.inf
    while left:
        if time.monotonic() - reported >= REPORT_EVERY:
            reported = time.monotonic()
            log.info("migrating the journal", extra={"events": total - left, "of": total})
        db.execute("BEGIN IMMEDIATE")
        last = db.execute(SQL["last_to_move"], (MOVED_AT_ONCE,)).fetchone()
        for name in ("move_events", "move_states"):
            db.execute(SQL[name], last)
        left -= db.execute(SQL["moved"], last).rowcount
        db.execute("COMMIT")
    if total:
        log.info("migrated the journal", extra={"events": total})
