"""The journal stores the exact bytes of each event before its provider gets a response."""

from webhooks.journal.filter import Filter
from webhooks.journal.model import (
    DROPPABLE,
    HISTORY,
    AppendResult,
    Attempt,
    AuditContext,
    AuditEntry,
    Census,
    ChangeResult,
    Claim,
    Cursor,
    EventGroup,
    ReencryptResult,
    Row,
    SearchResult,
    Settlement,
    State,
    Stats,
    Verification,
    left_out_by,
)
from webhooks.journal.open import is_absent, open_existing, open_journal
from webhooks.journal.protocol import Journal
from webhooks.journal.sqlite import SqliteJournal

__all__ = [
    "DROPPABLE",
    "HISTORY",
    "AppendResult",
    "Attempt",
    "AuditContext",
    "AuditEntry",
    "Census",
    "ChangeResult",
    "Claim",
    "Cursor",
    "EventGroup",
    "Filter",
    "Journal",
    "ReencryptResult",
    "Row",
    "SearchResult",
    "Settlement",
    "SqliteJournal",
    "State",
    "Stats",
    "Verification",
    "is_absent",
    "left_out_by",
    "open_existing",
    "open_journal",
]
