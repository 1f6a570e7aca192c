"""What is SQL of a journal. Each store implements it; `webhooks.journal.stored` is what they share."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Protocol

from webhooks.journal.former import ArrivingEvents
from webhooks.journal.model import (
    AppendResult,
    AuditContext,
    Census,
    Cursor,
    ReencryptResult,
    State,
    Stats,
    Verification,
)
from webhooks.journal.records import Params, Record
from webhooks.journal.text_search import EventPages

NamedParams = Mapping[str, Any]


class JournalDatabase(EventPages, Protocol):
    """The tables of a journal, used by one process. Parameters and records are those of `webhooks.journal.records`.

    A value that cannot be stored raises `JournalError`; any other failure raises `JournalUnavailable`.
    """

    @property
    def stats(self) -> Stats:
        """Return counts of this process's commits."""
        ...

    def append(self, arrivals: ArrivingEvents) -> AppendResult:
        """Store events in one group commit with concurrent callers."""
        ...

    def claim(self, limit: int, lease: str, *, now: datetime, length: timedelta) -> Sequence[Record]:
        """Lease the oldest due events, in order: first a fair share of each source, then any others."""
        ...

    def renew(self, leases: Sequence[tuple[int, str]], *, now: datetime, length: timedelta) -> set[int]:
        """Renew leases by (seq, lease); return the seqs renewed."""
        ...

    def settle(self, ended: Sequence[dict[str, Any]], *, now: datetime) -> set[int]:
        """End claims by `records.settle_params`; return the seqs settled."""
        ...

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when another process may have stored events; return a function that ends it."""
        ...

    def get(self, seq: int) -> Record | None:
        """Return an event by its seq."""
        ...

    def find(self, source: str, key: str) -> Record | None:
        """Return an event by its source and key."""
        ...

    def end(self) -> Cursor:
        """Return the cursor after all events that a page would have now."""
        ...

    def census(self) -> Census:
        """Return counts by state and source."""
        ...

    def replay(self, seqs: Sequence[int], *, by: AuditContext, now: datetime, due_at: datetime, as_new: bool) -> int:
        """Make settled events pending again, with a line in the audit log; return how many."""
        ...

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> int:
        """Drop undelivered events, with a line in the audit log; return how many."""
        ...

    def load(self, rows: Sequence[Params]) -> int:
        """Store rows by `records.load_params`; return how many were new."""
        ...

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int) -> int:
        """Delete what is old enough; return how many events."""
        ...

    def reencrypt(self, after: Cursor, limit: int, *, dry_run: bool) -> ReencryptResult:
        """Encrypt some rows again in one transaction."""
        ...

    def read(self, name: str, params: NamedParams | None = None) -> Sequence[Record]:
        """Return the records of a named query of notes, counters, tokens or the audit log."""
        ...

    def write(self, *statements: tuple[str, NamedParams]) -> Sequence[Record]:
        """Run named statements in one transaction; return the records of the last."""
        ...

    def write_many(self, *statements: tuple[str, Sequence[Params]]) -> None:
        """Run each named statement for all its parameters, in one transaction."""
        ...

    def check(self) -> None:
        """Prove by a write that events can be stored."""
        ...

    def verify(self, *, full: bool, seconds: float) -> Verification:
        """Check for damage."""
        ...

    def close(self) -> None:
        """Close files and connections; they are opened again when needed."""
        ...

    def abandon(self) -> None:
        """In the child of a fork: release what may be released of the parent's without closing its connections."""
        ...
