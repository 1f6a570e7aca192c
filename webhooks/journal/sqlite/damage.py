"""Damage of a SQLite file: found by a check, noted beside the file, and reported by readiness.

Often one process finds the damage and another one reports readiness, so the note is a file.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from webhooks.errors import JournalDamaged
from webhooks.journal.model import Verification

HINT: Final = (
    "Stop Segue, keep the file with its -wal, then recover or restore it: docs/operating.md, A damaged file. "
    "`segue check` reports when it is intact again."
)
_CODES: Final = {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}
_SHOWN: Final = 10
"""Maximum number of listed problems."""


def is_damage(error: BaseException) -> bool:
    """Return whether the error means that the file is damaged."""
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF in _CODES


def note(path: str, problem: str) -> None:
    """Write a note beside the file that it is damaged."""
    with suppress(OSError):
        file = os.stat(path)  # noqa: PTH116
        text = f"{file.st_dev} {file.st_ino}\n{problem}\n"
        with os.fdopen(os.open(_note_of(path), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text)


def refuse(path: str) -> None:
    """Raise `JournalDamaged` if a note says that this very file is damaged."""
    try:
        place, _, why = Path(_note_of(path)).read_text().partition("\n")
        file = os.stat(path)  # noqa: PTH116
    except OSError:
        return
    if place == f"{file.st_dev} {file.st_ino}":
        raise JournalDamaged(f"the journal {Path(path).name} is damaged: {why.strip()}", hint=HINT)
    forget(path)  # another file is in its place


def forget(path: str) -> None:
    """Remove the note: the file is intact."""
    Path(_note_of(path)).unlink(missing_ok=True)


def verify(db: sqlite3.Connection, *, full: bool, seconds: float) -> Verification:
    """Check the file for at most `seconds`; `full` also compares the indexes with the rows."""
    kind = "integrity_check" if full else "quick_check"
    until = time.monotonic() + seconds
    timer = threading.Timer(seconds, db.interrupt)
    timer.start()
    try:
        lines = [row[0] for row in db.execute(f"PRAGMA {kind}({_SHOWN})")]
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            return Verification(problems=(), complete=False)
        if not is_damage(error):
            raise
        lines = [str(error)]
    finally:
        timer.cancel()
        timer.join()
    problems = tuple(line.replace("\n", " ") for line in lines if line != "ok")
    return Verification(problems=problems, complete=bool(problems) or time.monotonic() < until)


def _note_of(path: str) -> str:
    return f"{path}.damaged"
