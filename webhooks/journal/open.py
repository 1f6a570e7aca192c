"""A journal from its URL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from webhooks.errors import SettingsError
from webhooks.journal.protocol import Journal
from webhooks.journal.seal import PLAIN, Seal
from webhooks.journal.sqlite import SqliteJournal

POSTGRES: Final = ("postgres", "postgresql")
NOTE: Final = "encryption"
"""`{"keys": [ids]}`: those that rows may be sealed with."""


def open_journal(url: str, keys: Sequence[str] = ()) -> Journal:
    """`sqlite:///file.db`, `sqlite:////absolute.db`, a plain path, `postgresql://...`; `SettingsError` for all else.

    `keys` encrypt bodies at rest, see `webhooks.journal.seal.Seal`.
    """
    seal = Seal(keys)
    journal = _open(url, seal)
    _agree(journal, seal, given=bool(keys))
    return journal


def _agree(journal: Journal, seal: Seal, *, given: bool) -> None:
    """The journal notes the keys it was sealed with, so that leaving them out does not go on in clear unnoticed."""
    noted = journal.notes().get(NOTE, (None, {}))[1].get("keys", [])
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
    if kind in POSTGRES:
        from webhooks.journal.postgres import PostgresJournal

        return PostgresJournal(url, seal=seal)
    if kind != path or path.startswith("sqlite:"):
        raise SettingsError([f"the journal's URL begins with {kind.partition(':')[0]!r}; use sqlite:///segue.db"])
    if not path:
        raise SettingsError(["the journal's URL names no file; use sqlite:///segue.db"])
    return SqliteJournal(path, seal=seal)
