"""The journal keeps facts: the exact bytes of each event, before its sender is answered."""

from webhooks.journal.open import open_journal
from webhooks.journal.protocol import Census, Claim, Journal, Row, Settlement, State, Stats, Stored
from webhooks.journal.sqlite import SqliteJournal

__all__ = [
    "Census",
    "Claim",
    "Journal",
    "Row",
    "Settlement",
    "SqliteJournal",
    "State",
    "Stats",
    "Stored",
    "open_journal",
]
