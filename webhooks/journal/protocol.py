"""The contract of a journal in roles, for every store. The tests in tests/journal check each store against it.

Times are parameters, aware UTC. If the store is unavailable, all methods raise `JournalUnavailable`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from translators.kit import Event
from webhooks.journal.filter import Filter
from webhooks.journal.model import (
    AppendResult,
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
)

EVERYTHING: Final = Filter()
MAX_SEARCHED: Final = 20_000
"""Events that one call of `search` examines for a text."""
StoredNotes = Mapping[str, tuple[datetime, Mapping[str, Any]]]
"""Notes by their name, with the time of each. `webhooks.journal.notes` decodes them."""


class EventQueue(Protocol):
    """Store arriving events; lease them to workers, and settle them."""

    def append(self, events: Sequence[Event], *, now: datetime) -> AppendResult:
        """Store new events durably (fsynced before it returns): all events of a call or none. Groups concurrent calls.

        An event whose (source, key) exists is counted as a duplicate and changes nothing. The same applies if it exists
        under one of its `former_keys` with the same type (and the same body, if the key requires it). Former keys are
        not stored. An event with a `problem` is stored as dead. An event that cannot be stored (text instead of bytes,
        a NUL in its name, a key over 2,000 bytes) fails only its own call, whatever error the store reports.
        """
        ...

    def claim(self, limit: int, *, worker: str, now: datetime, lease: timedelta) -> list[Claim]:
        """Lease up to `limit` pending events that are due and not leased (or whose lease expired), oldest first.

        If more are due, an event that was handed back or replayed comes after those that were due before it.
        """
        ...

    def renew(self, claims: Iterable[Claim], *, now: datetime, lease: timedelta) -> set[int]:
        """Renew leases; return the seqs renewed. A missing seq is now leased by another worker or settled."""
        ...

    def settle(self, settlements: Iterable[Settlement], *, now: datetime) -> set[int]:
        """End claims durably; return the seqs settled. A claim whose lease was lost changes nothing and is missing."""
        ...

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake`, from a thread, soon after a process has stored events; return a function that ends it.

        A worker also polls: a call may be left out shortly after another one, and at a failure.
        """
        ...


class EventQueries(Protocol):
    """Read events."""

    def get(self, seq: int) -> Row | None:
        """Return an event by its seq."""
        ...

    def find(self, source: str, key: str) -> Row | None:
        """Return an event by its source and key."""
        ...

    def rows(
        self, filter: Filter = EVERYTHING, *, after: Cursor = "", limit: int = 100, newest_first: bool = False
    ) -> list[Row]:
        """Return events in the order of their cursors, after `after`; or newest first, before it.

        In order, no event is ever added before a cursor that was returned: a reader that continues from the last row's
        cursor, or from `end()`, gets each event exactly once, with any number of writers. If events become visible in
        another order than they are numbered, the store omits the newest ones for a moment. Newest first returns all.
        Raise `JournalError` for a cursor of another store.
        """
        ...

    def search(
        self,
        filter: Filter = EVERYTHING,
        *,
        after: Cursor = "",
        limit: int = 100,
        newest_first: bool = False,
        max_searched: int = MAX_SEARCHED,
    ) -> SearchResult:
        """Return a page of `rows`, and the cursor of the next page.

        At most `max_searched` events are examined for a text; the result has the number.
        """
        ...

    def end(self) -> Cursor:
        """Return the cursor after all events that `rows` would return now; never the empty cursor."""
        ...

    def count(self, filter: Filter = EVERYTHING) -> int:
        """Return the number of events that the filter selects."""
        ...

    def seqs(self, filter: Filter = EVERYTHING) -> list[int]:
        """Return the seqs of the selected events, in order; for commands that ask for confirmation before a change."""
        ...

    def event_groups(self, filter: Filter = EVERYTHING) -> list[EventGroup]:
        """Return the number of selected events by source, type, state and reason."""
        ...

    def census(self) -> Census:
        """Return counts by state and source."""
        ...


class EventRetention(Protocol):
    """Delete events that are old enough."""

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int = 5000) -> int:
        """Delete settled events older than their state's age, oldest first, at most `limit`. Never `PENDING`.

        Also delete expired one-time tokens and the notes of workers that stopped long ago. A store that drops whole
        partitions may keep some events for longer, and may delete more than `limit` with a partition.
        """
        ...


class EventOperations(Protocol):
    """Change events for an operator, with an audit log."""

    def replay(
        self,
        seqs: Sequence[int],
        *,
        by: AuditContext,
        as_new: bool = False,
        now: datetime,
        due_at: datetime | None = None,
    ) -> ChangeResult:
        """Make settled events pending again: due now or at `due_at`, with 0 attempts and a new entry in their history.

        If events change, the same transaction adds a line to the audit log. A pending event is not changed. `as_new`
        increments the replay generation, which gives its messages new ids.
        """
        ...

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> ChangeResult:
        """Make events in a state of `DROPPABLE` `DROPPED`. A worker loses its lease on a dropped event.

        If events change, the same transaction adds a line to the audit log. The event stays until its retention ends,
        so that a provider's retry is recognised as a duplicate.
        """
        ...

    def load(self, rows: Iterable[Row]) -> AppendResult:
        """Store rows of another journal unchanged but without leases, in their order: all rows of a call or none.

        They get a new seq and cursor. A row whose (source, key) exists changes nothing.
        """
        ...

    def reencrypt(self, *, after: Cursor = "", limit: int = 500, dry_run: bool = False) -> ReencryptResult:
        """Encrypt the rows that are not encrypted with the first key; if that is `plain`, decrypt them."""
        ...

    def audit(self, action: str, detail: Mapping[str, Any], *, by: AuditContext, now: datetime) -> None:
        """Add a line to the audit log, which is never changed or pruned."""
        ...

    def audits(self, *, event: tuple[str, str] | None = None, before: int = 0, limit: int = 100) -> list[AuditEntry]:
        """Return lines of the audit log, newest first: before an id, or about one event (source, key)."""
        ...

    def verify(self, *, full: bool = False, seconds: float = 30.0) -> Verification:
        """Check the store for damage, for at most `seconds`. Only for commands: other reads wait for it.

        A database server checks its own pages, so its store returns no problems.
        """
        ...


class Notes(Protocol):
    """Keep small facts under a name. `webhooks.journal.notes` has each kind of note and its content."""

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        """Store a note under a name (a worker's heartbeat, a held write key); replace an existing note."""
        ...

    def note_first(self, name: str, value: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
        """Store a note unless one exists under this name; return the stored note."""
        ...

    def notes(self) -> StoredNotes:
        """Return all notes with their times."""
        ...


class OneTimeTokens(Protocol):
    """Keep values that count once until they expire."""

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        """Store a one-time token with a value durably; return its first value until that expires."""
        ...


class Counters(Protocol):
    """Keep the counts of all processes."""

    def tally(self, amounts: Mapping[str, float], *, marks: Mapping[str, float] | None = None) -> None:
        """Add to lasting counters: all of a call or none. A counter begins at 0. A mark keeps its highest value."""
        ...

    def tallies(self) -> Mapping[str, float]:
        """Return every counter and mark."""
        ...


class Store(Protocol):
    """The store itself."""

    @property
    def stats(self) -> Stats:
        """Return counters for metrics."""
        ...

    def check(self) -> None:
        """Prove by a write that the journal can store events; else raise `JournalUnavailable` with the reason."""
        ...

    def close(self) -> None:
        """Flush, and close files and connections."""
        ...


class Journal(
    EventQueue, EventQueries, EventRetention, EventOperations, Notes, OneTimeTokens, Counters, Store, Protocol
):
    """The durable store: all roles. A class that uses it takes only the roles that it needs."""
