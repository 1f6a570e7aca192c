"""Open a journal by its URL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Final, cast

from webhooks.errors import JournalAbsent, JournalUnavailable, SettingsError
from webhooks.journal.absent import AbsentJournal
from webhooks.journal.encryption import PLAIN, Encryption
from webhooks.journal.notes import ENCRYPTION, MOVED, NAMESPACE, EncryptionKeys, JournalNamespace
from webhooks.journal.protocol import Journal, Notes, StoredNotes
from webhooks.journal.sqlite import SqliteJournal
from webhooks.journal.sqlite.read_only import ReadOnlyFile

POSTGRES: Final = ("postgres", "postgresql")


def open_journal(
    url: str, keys: Sequence[str] = (), *, moved: bool = False, wait_for_server: bool = False, namespace: str = ""
) -> Journal:
    """Open `sqlite:///file.db`, `sqlite:////absolute.db`, a plain path or `postgresql://...`; else `SettingsError`.

    `keys` encrypt bodies at rest, see `webhooks.journal.encryption.Encryption`. A journal that `segue move` has
    moved is refused unless `moved` allows it: its events would be lost. With `wait_for_server`, an unavailable server
    is no error here: until it responds, every call raises `JournalUnavailable`, and the web server answers 503.

    With a `namespace`, a journal without one takes it; a journal with another one is refused with `SettingsError`.
    """
    check = _NotesCheck(Encryption(keys), keys_given=bool(keys), moved=moved, namespace=namespace)
    if not _is_postgres(url):
        journal = SqliteJournal(file_of(url), encryption=check.encryption)
        check.of(journal)
        return journal
    from webhooks.journal.postgres import PostgresJournal

    shared = PostgresJournal(url, encryption=check.encryption)
    is_later = False
    shared.open(lambda: check.later(shared) if is_later else check.of(shared), wait_for_server=wait_for_server)
    is_later = True
    return shared


def open_existing(url: str, keys: Sequence[str] = (), *, change: bool = False, moved: bool = False) -> Journal:
    """Open the journal for a command that does not create it: to read it, or also to `change` it.

    `moved` is as in `open_journal`. If the journal does not exist, return an empty `AbsentJournal`.
    """
    encryption = Encryption(keys)
    check = _NotesCheck(encryption, keys_given=bool(keys), moved=moved, keep=False)

    def opened() -> Journal:
        if _is_postgres(url):
            from webhooks.journal.postgres import PostgresJournal

            shared = PostgresJournal(url, encryption=encryption)
            shared.open(lambda: replace(check, keep=change).of(shared), create=False)
            return shared
        read_only = SqliteJournal(file_of(url), encryption=encryption, file=ReadOnlyFile)
        if change:
            read_only.close()
            return open_journal(url, keys, moved=moved)
        check.of(read_only)
        return read_only

    try:
        return opened()
    except JournalAbsent as absent:
        return cast("Journal", AbsentJournal(absent, opened))


def is_absent(journal: object) -> JournalAbsent | None:
    """Return why the journal does not exist, or None if it does."""
    return journal.absent if isinstance(journal, AbsentJournal) and journal.present is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _NotesCheck:
    """Compare a journal's notes with the settings; raise `SettingsError` if they differ."""

    encryption: Encryption = field(kw_only=False)
    keys_given: bool
    moved: bool = False
    namespace: str = ""
    keep: bool = True

    def later(self, journal: Journal) -> None:
        """Check after the start: a problem in the settings makes the journal unavailable."""
        try:
            self.of(journal)
        except SettingsError as error:
            raise JournalUnavailable("; ".join(error.faults), hint="Correct the settings and start again.") from error

    def of(self, journal: Journal) -> None:
        """Check the journal's notes."""
        notes = journal.notes()
        try:
            self._move(notes)
            self._keys(journal, notes)
            self._namespace(journal)
        except SettingsError:
            journal.close()
            raise

    def _move(self, notes: StoredNotes) -> None:
        moved = MOVED.read(notes)
        if moved and not self.moved:
            to = moved.to or "another one"
            fault = f"this journal was moved to {to}: set SEGUE_DATABASE (or DATABASE_URL) to that journal"
            raise SettingsError([fault])

    def _keys(self, journal: Notes, notes: StoredNotes) -> None:
        """Keep the ids of used keys in a note, so that a missing setting does not silently turn encryption off."""
        noted = (ENCRYPTION.read(notes) or EncryptionKeys()).keys
        if noted and not self.keys_given:
            fault = (
                f"SEGUE_ENCRYPTION_KEY is not set, and this journal is encrypted (key {', '.join(noted)}): set it "
                f"again; to store unencrypted from now on, set it to `{PLAIN}` and the key, with a comma between"
            )
            raise SettingsError([fault])
        if self.keep and self.encryption.on and self.encryption.current not in noted:
            ENCRYPTION.write(journal, EncryptionKeys((*noted, self.encryption.current)), now=datetime.now(UTC))

    def _namespace(self, journal: Notes) -> None:
        if self.namespace:
            noted = NAMESPACE.write_first(journal, JournalNamespace(self.namespace), now=datetime.now(UTC))
            if fault := other_namespace(noted, self.namespace):
                raise SettingsError([fault])


def other_namespace(noted: JournalNamespace | None, configured: str) -> str:
    """Return the problem if the journal's namespace is not the configured one; else an empty text."""
    theirs = noted.namespace if noted else ""
    if not configured or theirs in {"", configured}:
        return ""
    return (
        f"the journal belongs to the namespace {theirs!r}, and this installation's is {configured!r}: two "
        "installations on one database would deliver each other's events. Give each a database (or a PostgreSQL "
        f"schema) of its own. If this is the same installation with another write key, set SEGUE_NAMESPACE={theirs}, "
        "which keeps its message ids. To change the namespace on purpose, run `segue namespace --rename`"
    )


def _is_postgres(url: str) -> bool:
    return url.partition("://")[0] in POSTGRES


def file_of(url: str) -> str:
    """Return the path in a SQLite journal's URL. Raise `SettingsError` if it has none."""
    path = url.removeprefix("sqlite:///")
    kind = path.partition("://")[0]
    if kind != path or path.startswith("sqlite:"):
        raise SettingsError([f"the journal's URL begins with {kind.partition(':')[0]!r}; use sqlite:///segue.db"])
    if not path:
        raise SettingsError(["the journal's URL names no file; use sqlite:///segue.db"])
    return path
