"""Least privilege: three roles beside the tables' owner, each with only the rights that its processes need."""

from __future__ import annotations

from typing import Final

import psycopg

from webhooks.errors import JournalError
from webhooks.journal import queries
from webhooks.journal.postgres.connections import Connection, connect, unavailable

SQL: Final = queries.load("postgres/grants")
ROLES: Final = ("segue_web", "segue_worker", "segue_reader")
"""No role may log in: users become members of one. Roles belong to the server, their rights to one database."""


def script(schema: str = "public") -> str:
    """Return all statements as SQL, for an administrator to read or run."""
    quoted = _quoted(schema)
    roles = [f"{SQL['make_role'].format(role=role)};" for role in ROLES]
    return "\n\n".join([*roles, *(SQL[role].format(schema=quoted) for role in ROLES)])


def grant(url: str) -> list[str]:
    """Create missing roles and grant each its rights; return the names of created roles. May be repeated.

    Raise `JournalError` if this user may not create roles, `JournalUnavailable` for any other error.
    """
    try:
        with connect(url) as db, db.transaction():
            missing = [role for role in ROLES if not _role_exists(db, role)]
            for role in missing:
                db.execute(SQL["make_role"].format(role=role).encode())
            regrant(db)
    except psycopg.errors.InsufficientPrivilege as error:
        raise JournalError(
            f"this user may not create or change the roles: {str(error).splitlines()[0]}",
            hint="Run it as the tables' owner with CREATEROLE, or let an administrator run what `--dry-run` prints.",
        ) from error
    except psycopg.Error as error:
        raise unavailable(error) from error
    return missing


def regrant(db: Connection) -> None:
    """In a transaction: grant existing roles the rights on the current tables. Also called after a migration."""
    schema = _quoted(db.one("SELECT current_schema() AS name")["name"])
    for role in ROLES:
        if _role_exists(db, role):
            db.execute(SQL[role].format(schema=schema).encode())


def _role_exists(db: Connection, role: str) -> bool:
    exists: bool = db.one(SQL["is_role"], {"role": role})["exists"]
    return exists


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
