"""The PostgreSQL journal: group commit by several flushers, a queue that workers share, partitions that are dropped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from webhooks.errors import JournalUnavailable
from webhooks.journal.encryption import Encryption
from webhooks.journal.postgres.database import PostgresDatabase
from webhooks.journal.postgres.opening import Opening
from webhooks.journal.postgres.partitions import SPAN
from webhooks.journal.stored import StoredJournal


class PostgresJournal(StoredJournal[PostgresDatabase]):
    """See `webhooks.journal.protocol.Journal`. Call `open` before any other method.

    `span` is how long a partition is open, see `webhooks.journal.postgres.partitions`.
    """

    def __init__(self, url: str, *, encryption: Encryption | None = None, span: timedelta = SPAN) -> None:
        encryption = encryption or Encryption()
        self._opening = Opening(url)
        super().__init__(lambda: PostgresDatabase(url, encryption, span, self._opening), encryption)

    def open(
        self, on_open: Callable[[], None] = lambda: None, *, wait_for_server: bool = False, create: bool = True
    ) -> None:
        """Check the tables, then call `on_open`.

        With `wait_for_server`, an unavailable server is no error: the first use that reaches it does both. Until both
        succeed, the journal does nothing else. Unless `create`, missing tables raise `JournalAbsent`.
        """
        self._opening.prepare(on_open, create=create)
        try:
            self.database.open()
        except JournalUnavailable:
            if not wait_for_server:
                raise
