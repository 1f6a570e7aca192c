"""The PostgreSQL journal, for any number of web and worker processes on any number of machines."""

from webhooks.journal.postgres.grants import ROLES, grant, script
from webhooks.journal.postgres.schema import migrate
from webhooks.journal.postgres.store import PostgresJournal

__all__ = ["ROLES", "PostgresJournal", "grant", "migrate", "script"]
