"""The embedded journal: one SQLite file, with group commit for `append`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from webhooks.journal.encryption import Encryption
from webhooks.journal.runners import Runner, runner
from webhooks.journal.sqlite.database import SqliteDatabase
from webhooks.journal.sqlite.file import SqliteFile
from webhooks.journal.sqlite.journal_file import JournalFile
from webhooks.journal.stored import StoredJournal


class SqliteJournal(StoredJournal[SqliteDatabase]):
    """See `webhooks.journal.protocol.Journal`.

    `file` is a class to use instead of `SqliteFile`, for a journal that is only read.
    """

    def __init__(
        self,
        path: str | Path,
        *,
        encryption: Encryption | None = None,
        run: Runner | None = None,
        file: Callable[[Path, Runner], JournalFile] | None = None,
    ) -> None:
        self.path = Path(path).absolute()
        encryption = (encryption or Encryption()).compressing()
        open_file = file or SqliteFile
        super().__init__(
            lambda: SqliteDatabase(open_file(self.path, run or runner()), self.path, encryption), encryption
        )
        if file is None:
            self.database.file.write(lambda _: None)
        else:
            self.database.file.read(lambda _: None)
