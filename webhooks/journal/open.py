"""A journal from its URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, cast

from webhooks.errors import JournalAbsent, JournalUnavailable, SettingsError
from webhooks.journal.absent import AbsentJournal
from webhooks.journal.encryption import PLAIN, Encryption
from webhooks.journal.protocol import Journal
from webhooks.journal.sqlite import SqliteJournal
from webhooks.journal.sqlite.read_only import ReadOnlyFile

POSTGRES: Final = ("postgres", "postgresql")
NOTE: Final = "encryption"
"""`{"keys": [ids]}`: those that rows may be sealed with."""
NAMESPACE: Final = "namespace"
"""`{"namespace"}`: of the installation whose journal it is."""
MOVED: Final = "moved"
"""`{"to"}`: where `segue move` moved it."""


def open_journal(
    url: str, keys: Sequence[str] = (), *, moved: bool = False, wait_for_server: bool = False, namespace: str = ""
) -> Journal:
    """`sqlite:///file.db`, `sqlite:////absolute.db`, a plain path, `postgresql://...`; `SettingsError` for all else.

    `keys` encrypt bodies at rest, see `webhooks.journal.encryption.Seal`. A journal that `segue move` has moved away is
    refused unless `moved` allows it: what it took would be forgotten. Where `patient`, a server that is away at the
    moment is asked later: until then every call is `JournalUnavailable`, and the web server answers 503.

    With a `namespace`, a journal that has none takes it, and one that has another is refused with `SettingsError`.
    """
    check = _Check(Encryption(keys), given=bool(keys), moved=moved, namespace=namespace)
    if not _is_postgres(url):
        journal = SqliteJournal(file_of(url), seal=check.seal)
        check.of(journal)
        return journal
    from webhooks.journal.postgres import PostgresJournal

    shared = PostgresJournal(url, seal=check.seal)
    is_later = False
    shared.open(lambda: check.later(shared) if is_later else check.of(shared), wait_for_server=wait_for_server)
    is_later = True
    return shared


def open_existing(url: str, keys: Sequence[str] = (), *, change: bool = False, moved: bool = False) -> Journal:
    """The journal for a command that creates none: to be read, or also to `change` it; `moved` as of `open_journal`.

    If there is none yet, an `AbsentJournal` that is empty until there is one.
    """
    seal = Encryption(keys)
    check = _Check(seal, given=bool(keys), moved=moved, keep=False)

    def opened() -> Journal:
        if _is_postgres(url):
            from webhooks.journal.postgres import PostgresJournal

            shared = PostgresJournal(url, seal=seal)
            shared.open(lambda: replace(check, keep=change).of(shared), create=False)
            return shared
        looked_at = SqliteJournal(file_of(url), seal=seal, file=ReadOnlyFile)
        if change:
            looked_at.close()
            return open_journal(url, keys, moved=moved)
        check.of(looked_at)
        return looked_at

    try:
        return opened()
    except JournalAbsent as absent:
        return cast("Journal", AbsentJournal(absent, opened))


def is_absent(journal: object) -> JournalAbsent | None:
    """Why there is no such journal, or None if there is one."""
    return journal.absent if isinstance(journal, AbsentJournal) and journal.present is None else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Check:
    """What a journal says of itself, against what is configured; `SettingsError` if they do not agree."""

    seal: Encryption = field(kw_only=False)
    given: bool
    moved: bool = False
    namespace: str = ""
    keep: bool = True

    def later(self, journal: Journal) -> None:
        """A fault of the settings that shows only now keeps the journal shut."""
        try:
            self.of(journal)
        except SettingsError as error:
            raise JournalUnavailable("; ".join(error.faults), hint="Correct the settings and start again.") from error

    def of(self, journal: Journal) -> None:
        """Look at its notes."""
        notes = journal.notes()
        try:
            self._move(notes)
            self._keys(journal, notes)
            self._namespace(journal)
        except SettingsError:
            journal.close()
            raise

    def _move(self, notes: Mapping[str, Any]) -> None:
        if MOVED in notes and not self.moved:
            to = notes[MOVED][1].get("to", "another one")
            fault = f"this journal was moved to {to}: set SEGUE_DATABASE (or DATABASE_URL) to that one"
            raise SettingsError([fault])

    def _keys(self, journal: Journal, notes: Mapping[str, Any]) -> None:
        """The journal notes the keys it was sealed with, so that leaving them out does not go on in clear unnoticed."""
        noted = notes.get(NOTE, (None, {}))[1].get("keys", [])
        if noted and not self.given:
            fault = (
                f"SEGUE_ENCRYPTION_KEY is not set, and this journal is encrypted (key {', '.join(noted)}): set it "
                f"again; to store in clear from now on, set it to `{PLAIN}` and the key, with a comma between"
            )
            raise SettingsError([fault])
        if self.keep and self.seal.on and self.seal.current not in noted:
            journal.note(NOTE, {"keys": [*noted, self.seal.current]}, now=datetime.now(UTC))

    def _namespace(self, journal: Journal) -> None:
        if self.namespace:
            noted = journal.note_first(NAMESPACE, {"namespace": self.namespace}, now=datetime.now(UTC))
            if fault := other_namespace(noted, self.namespace):
                raise SettingsError([fault])


def other_namespace(noted: Mapping[str, Any], configured: str) -> str:
    """What is wrong if the journal's namespace is not the configured one; empty if nothing is."""
    theirs = noted.get("namespace", configured)
    if not configured or theirs == configured:
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
    """The path of a SQLite journal's URL; `SettingsError` if it names none."""
    path = url.removeprefix("sqlite:///")
    kind = path.partition("://")[0]
    if kind != path or path.startswith("sqlite:"):
        raise SettingsError([f"the journal's URL begins with {kind.partition(':')[0]!r}; use sqlite:///segue.db"])
    if not path:
        raise SettingsError(["the journal's URL names no file; use sqlite:///segue.db"])
    return path
