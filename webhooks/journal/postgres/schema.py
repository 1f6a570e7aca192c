"""Create and change the tables by numbered migrations; each keeps what the previous version uses."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

import psycopg

from webhooks.errors import JournalAbsent, JournalError, JournalUnavailable
from webhooks.journal import queries
from webhooks.journal.postgres.connections import Connection, connect, unavailable
from webhooks.journal.postgres.grants import regrant

MIGRATIONS: Final = queries.load("postgres/schema")
LATEST: Final = max(map(int, MIGRATIONS))
SQL: Final = queries.load("postgres/queries")
_LOCK: Final = 0x5E6E_0001
_TABLE: Final = """
CREATE TABLE IF NOT EXISTS segue_schema (version integer PRIMARY KEY, at timestamptz NOT NULL DEFAULT now())
"""


def migrate(url: str) -> tuple[int, int]:
    """Migrate the tables to this version, each step in its own transaction; return (version before, version now).

    Any number of processes may call it at once. A newer schema is not changed. If it fails, raise `JournalUnavailable`.
    """
    try:
        with connect(url) as db:
            db.execute("SELECT set_config('statement_timeout', '0', false), pg_advisory_lock(%s)", (_LOCK,))
            db.execute(_TABLE)
            before = have = version(db)
            for number in range(have + 1, LATEST + 1):
                with db.transaction():
                    db.execute(MIGRATIONS[str(number)].encode())
                    db.execute("INSERT INTO segue_schema (version) VALUES (%s)", (number,))
                have = number
            if before != have:
                with db.transaction():
                    regrant(db)
            if db.one(SQL["is_restored"])["exists"]:
                db.execute(SQL["restored"])
            return before, have
    except psycopg.Error as error:
        raise unavailable(error) from error


def version(db: Connection) -> int:
    """Return the version of the existing tables; 0 without any."""
    if db.one("SELECT to_regclass('segue_schema') AS name")["name"] is None:
        return 0
    applied: int = db.one("SELECT coalesce(max(version), 0) AS version FROM segue_schema")["version"]
    return applied


def ensure(url: str, *, create: bool = True) -> None:
    """Ensure that the tables have this version or a newer one; create them if there are none.

    Raise `JournalError` if they are older: other versions may be running, so they are not migrated here. Unless
    `create`, raise `JournalAbsent` if there are none.
    """
    try:
        with connect(url) as db:
            have = version(db)
            if 0 < have < LATEST:  # another process may be creating them now, step by step
                db.execute("SELECT pg_advisory_lock_shared(%s), pg_advisory_unlock_shared(%s)", (_LOCK, _LOCK))
                have = version(db)
    except psycopg.Error as error:
        raise unavailable(error) from error
    if have == 0 and not create:
        raise JournalAbsent(f"no journal at {_shown(url)} yet", beginning="0-0")
    if have == 0:
        try:
            migrate(url)
        except JournalUnavailable as error:
            raise JournalUnavailable(
                error.message, hint=f"{error.hint} Or run `segue migrate` as the owner."
            ) from error
    elif have < LATEST:
        raise JournalError(
            f"the journal's tables have version {have}, and this Segue needs {LATEST}",
            hint="Run `segue migrate` (a Procfile's release phase does).",
        )


def _shown(url: str) -> str:
    """Return the URL without user, password and parameters."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
