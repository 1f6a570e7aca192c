"""Least privilege: three roles beside the tables' owner, each with the rights that its processes need and no more."""

from __future__ import annotations

from typing import Final

import psycopg

from webhooks.errors import JournalError
from webhooks.journal import queries
from webhooks.journal.postgres.connections import Connection, connect, unavailable

SQL: Final = queries.load("postgres/grants")
ROLES: Final = ("segue_web", "segue_worker", "segue_reader")
"""None may log in: users are made members of one. They are of the whole server, their rights of one database."""


def script(schema: str = "public") -> str:
    """All of it as SQL, to be read or run by somebody else."""
    quoted = _quoted(schema)
    roles = [f"{SQL['make_role'].format(role=role)};" for role in ROLES]
    return "\n\n".join([*roles, *(SQL[role].format(schema=quoted) for role in ROLES)])


def grant(url: str) -> list[str]:
    """Make the roles that are missing, and give each its rights; the names of those made. Again does no harm.

    `JournalError` where this user may not make roles, `JournalUnavailable` for all else.
    """
    try:
        with connect(url) as db, db.transaction():
            missing = [role for role in ROLES if not _is_there(db, role)]
            for role in missing:
                db.execute(SQL["make_role"].format(role=role).encode())
            regrant(db)
    except psycopg.errors.InsufficientPrivilege as error:
        raise JournalError(
            f"this user may not make or change the roles: {str(error).splitlines()[0]}",
            hint="Run it as the tables' owner with CREATEROLE, or let an administrator run what `--dry-run` prints.",
        ) from error
    except psycopg.Error as error:
        raise unavailable(error) from error
    return missing


def regrant(db: Connection) -> None:
    """Give the roles that are there the rights of today's tables; after a migration too. In a transaction."""
    schema = _quoted(db.one("SELECT current_schema() AS name")["name"])
    for role in ROLES:
        if _is_there(db, role):
            db.execute(SQL[role].format(schema=schema).encode())


def _is_there(db: Connection, role: str) -> bool:
    found: bool = db.one(SQL["is_role"], {"role": role})["exists"]
    return found


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
