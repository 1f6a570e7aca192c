"""What tests read of a journal beyond its protocol."""

from webhooks.journal import Row, SqliteJournal
from webhooks.journal.sqlite.file import SqliteFile
from webhooks.web.handler import WebhookHandler


def rows_of(handler: WebhookHandler, *, limit: int = 100) -> list[Row]:
    """Return the first rows of the SQLite journal of a handler."""
    assert isinstance(handler.journal, SqliteJournal)
    return handler.journal.rows(limit=limit)


def file_of(journal: SqliteJournal) -> SqliteFile:
    """Return the open file of a journal that is written."""
    file = journal.database.file
    assert isinstance(file, SqliteFile)
    return file
