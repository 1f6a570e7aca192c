"""The journal keeps facts: the exact bytes of each event, before its sender is answered."""

from webhooks.journal.filter import Filter
from webhooks.journal.model import (
    DROPPABLE,
    HISTORY,
    Act,
    Attempt,
    Audited,
    Census,
    Changed,
    Claim,
    Cursor,
    Kind,
    Resealed,
    Row,
    SearchResult,
    Settlement,
    State,
    Stats,
    Stored,
    Verification,
    left_out_by,
)
from webhooks.journal.open import is_absent, open_existing, open_journal
from webhooks.journal.protocol import Journal
from webhooks.journal.sqlite import SqliteJournal

__all__ = [
    "DROPPABLE",
    "HISTORY",
    "Act",
    "Attempt",
    "Audited",
    "Census",
    "Changed",
    "Claim",
    "Cursor",
    "Filter",
    "Journal",
    "Kind",
    "Resealed",
    "Row",
    "SearchResult",
    "Settlement",
    "SqliteJournal",
    "State",
    "Stats",
    "Stored",
    "Verification",
    "is_absent",
    "left_out_by",
    "open_existing",
    "open_journal",
]
