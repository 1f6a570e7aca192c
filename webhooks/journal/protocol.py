"""What a journal promises, whatever stores it. One contract test suite (tests/journal) holds every store to it."""

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
MOST_SEARCHED: Final = 20_000
"""Events that a search looks for a text in before it answers."""


class Journal(Protocol):
    """The store. Every time is a parameter, aware UTC. `JournalUnavailable` is raised by all when it is away."""

    @property
    def stats(self) -> Stats:
        """Counters for metrics."""
        ...

    def append(self, events: Sequence[Event], *, now: datetime) -> AppendResult:
        """Store new events durably (fsynced before it returns); all of one call or none. Groups concurrent calls.

        An event whose (source, key) is there already is counted as duplicate and changes nothing; so is one that is
        there under one of its `former_keys`, with the same type (and the same body, if the key says so). Former keys
        are not stored. An event with a
        `problem` is stored dead. One that cannot be stored at all (text where bytes belong, a NUL in its
        name, a key over 2,000 bytes) fails its own call only, whatever error the store gives for it.
        """
        ...

    def claim(self, limit: int, *, worker: str, now: datetime, lease: timedelta) -> list[Claim]:
        """Lease up to `limit` pending events that are due and unleased (or whose lease ran out), oldest first."""
        ...

    def renew(self, claims: Iterable[Claim], *, now: datetime, lease: timedelta) -> set[int]:
        """Prolong leases; returns the seqs still held. One missing from it belongs to somebody else by now."""
        ...

    def settle(self, settlements: Iterable[Settlement], *, now: datetime) -> set[int]:
        """End claims durably; returns the seqs settled. A lease that was lost is left alone and not in it."""
        ...

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int = 5000) -> int:
        """Delete settled events older than their state's age, oldest first, at most `limit`. Never `PENDING`.

        One-time tokens that ran out and the notes of workers long gone go with them.
        A store that gives up whole blocks may keep some for longer, and may delete more than `limit` with a block.
        """
        ...

    def census(self) -> Census:
        """Counts by state and source."""
        ...

    def find(self, source: str, key: str) -> Row | None:
        """One event by its source and key."""
        ...

    def get(self, seq: int) -> Row | None:
        """One event by its seq."""
        ...

    def rows(
        self, filter: Filter = EVERYTHING, *, after: Cursor = "", limit: int = 100, newest_first: bool = False
    ) -> list[Row]:
        """Events in the order of their cursors, behind `after`; or newest first, before it.

        In order, an event never comes to lie behind a cursor that was handed out: who goes on from the last row's
        cursor, or from `end()`, sees each event exactly once, however many write. A store whose events become
        visible in another order than they are numbered holds the youngest back for that. Newest first shows all.
        `JournalError` for a cursor that is none of this store's.
        """
        ...

    def search(
        self,
        filter: Filter = EVERYTHING,
        *,
        after: Cursor = "",
        limit: int = 100,
        newest_first: bool = False,
        most: int = MOST_SEARCHED,
    ) -> SearchResult:
        """A page as `rows` gives it, and where the next one begins.

        A text is looked for in the bodies of at most `most` events, and the result says in how many it was.
        """
        ...

    def end(self) -> Cursor:
        """The cursor behind everything that `rows` would give now; never the empty one."""
        ...

    def count(self, filter: Filter = EVERYTHING) -> int:
        """How many events the filter means."""
        ...

    def seqs(self, filter: Filter = EVERYTHING) -> list[int]:
        """The events that the filter means now, in order; for commands that confirm a choice and then act on it."""
        ...

    def event_groups(self, filter: Filter = EVERYTHING) -> list[EventGroup]:
        """The events that the filter means, counted by source, type, state and reason."""
        ...

    def replay(
        self,
        seqs: Sequence[int],
        *,
        by: AuditContext,
        as_new: bool = False,
        now: datetime,
        due_at: datetime | None = None,
    ) -> ChangeResult:
        """Make settled events pending again: due now or then, no attempts, one more entry in their history.

        In one transaction with a line in the audit log (where something changed). A pending event is left alone.
        `as_new` raises the edition, and so gives its messages new ids.
        """
        ...

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> ChangeResult:
        """Make events `DROPPED` that are in one of `DROPPABLE`'s states; a worker's lease on one is lost.

        In one transaction with a line in the audit log (where something changed). The event stays until its
        retention ends, as the memory that recognises a provider's retry.
        """
        ...

    def load(self, rows: Iterable[Row]) -> AppendResult:
        """Store rows of another journal as they stand, unleased, in the order given; all of one call or none.

        Their seq and cursor are given anew. One whose (source, key) is there already changes nothing.
        """
        ...

    def audit(self, action: str, detail: Mapping[str, Any], *, by: AuditContext, now: datetime) -> None:
        """Add a line to the audit log, which is never changed or pruned."""
        ...

    def audits(self, *, event: tuple[str, str] | None = None, before: int = 0, limit: int = 100) -> list[AuditEntry]:
        """The audit log, newest first; those before an id, those about one event (source, key)."""
        ...

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        """Note a one-time token with a value; gives the value first noted, until that runs out. Durable."""
        ...

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        """Keep a small fact under a name (a worker's heartbeat, a held write key), over the one before."""
        ...

    def note_first(self, name: str, value: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
        """Keep a fact unless one is kept under this name already; the one that is kept then."""
        ...

    def notes(self) -> Mapping[str, tuple[datetime, Mapping[str, Any]]]:
        """All facts kept by `note`, with the time of each."""
        ...

    def tally(self, amounts: Mapping[str, float], *, marks: Mapping[str, float] | None = None) -> None:
        """Add to lasting counters, all of one call or none; a counter begins at 0. A mark keeps its highest value."""
        ...

    def tallies(self) -> Mapping[str, float]:
        """Every counter and mark."""
        ...

    def reencrypt(self, *, after: Cursor = "", limit: int = 500, dry_run: bool = False) -> ReencryptResult:
        """Seal anew what is not sealed with today's first key (or open what is, where that is `plain`)."""
        ...

    def check(self) -> None:
        """Prove that a write would be durable now; `JournalUnavailable` with the reason where it would not."""
        ...

    def verify(self, *, full: bool = False, seconds: float = 30.0) -> Verification:
        """Look through the store for damage, for at most so many seconds; for commands, since other reads wait for it.

        A server looks after its own pages.
        """
        ...

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake`, from a thread, when another process may have stored something; returns what ends it.

        A store that is not told of it calls nothing: who waits looks by himself now and then in any case.
        """
        ...

    def close(self) -> None:
        """Flush and let go of files and connections."""
        ...
