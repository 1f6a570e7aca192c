"""A journal from its URL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from webhooks.errors import JournalUnavailable, SettingsError
from webhooks.journal.protocol import Journal
from webhooks.journal.seal import PLAIN, Seal
from webhooks.journal.sqlite import SqliteJournal

POSTGRES: Final = ("postgres", "postgresql")
NOTE: Final = "encryption"
"""`{"keys": [ids]}`: those that rows may be sealed with."""
MOVED: Final = "moved"
"""`{"to"}`: where `segue move` moved it."""


def open_journal(url: str, keys: Sequence[str] = (), *, moved: bool = False, patient: bool = False) -> Journal:
    """`sqlite:///file.db`, `sqlite:////absolute.db`, a plain path, `postgresql://...`; `SettingsError` for all else.

    `keys` encrypt bodies at rest, see `webhooks.journal.seal.Seal`. A journal that `segue move` has moved away is
    refused unless `moved` allows it: what it took would be forgotten. Where `patient`, a server that is away at the
    moment is asked later: until then every call is `JournalUnavailable`, and the web server answers 503.
    """
    seal = Seal(keys)
    if url.partition("://")[0] in POSTGRES:
        from webhooks.journal.postgres import PostgresJournal

        shared = PostgresJournal(url, seal=seal)
        shared.open(
            lambda: (
                _greet_later(shared, seal, moved=moved, given=bool(keys))
                if patient
                else _greet(shared, seal, moved=moved, given=bool(keys))
            ),
            patient=patient,
        )
        return shared
    journal = _open(url, seal)
    _greet(journal, seal, moved=moved, given=bool(keys))
    return journal


def _greet_later(journal: Journal, seal: Seal, *, moved: bool, given: bool) -> None:
    """A fault of the settings that shows only now keeps the journal shut."""
    try:
        _greet(journal, seal, moved=moved, given=given)
    except SettingsError as error:
        raise JournalUnavailable("; ".join(error.faults), hint="Mend the settings and start again.") from error


def _greet(journal: Journal, seal: Seal, *, moved: bool, given: bool) -> None:
    """What a journal says of itself, against what is configured."""
    notes = journal.notes()
    if MOVED in notes and not moved:
        journal.close()
        to = notes[MOVED][1].get("to", "another one")
        fault = f"this journal was moved to {to}: set SEGUE_DATABASE (or DATABASE_URL) to that one"
        raise SettingsError([fault])
    _agree(journal, seal, notes, given=given)


def _agree(journal: Journal, seal: Seal, notes: Mapping[str, Any], *, given: bool) -> None:
    """The journal notes the keys it was sealed with, so that leaving them out does not go on in clear unnoticed."""
    noted = notes.get(NOTE, (None, {}))[1].get("keys", [])
    if noted and not given:
        journal.close()
        fault = (
            f"SEGUE_ENCRYPTION_KEY is not set, and this journal is encrypted (key {', '.join(noted)}): set it again; "
            f"to store in clear from now on, set it to `{PLAIN}` and the key, with a comma between"
        )
        raise SettingsError([fault])
    if seal.on and seal.current not in noted:
        journal.note(NOTE, {"keys": [*noted, seal.current]}, now=datetime.now(UTC))


def _open(url: str, seal: Seal) -> Journal:
    path = url.removeprefix("sqlite:///")
    kind = path.partition("://")[0]
    if kind != path or path.startswith("sqlite:"):
        raise SettingsError([f"the journal's URL begins with {kind.partition(':')[0]!r}; use sqlite:///segue.db"])
    if not path:
        raise SettingsError(["the journal's URL names no file; use sqlite:///segue.db"])
    return SqliteJournal(path, seal=seal)
