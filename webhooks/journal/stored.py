"""A journal in a database: what both stores share, which is all that is not SQL."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Generic, TypeVar

import msgspec

from translators.kit import Event
from webhooks.journal import former, records
from webhooks.journal.database import JournalDatabase
from webhooks.journal.encryption import Encryption
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
from webhooks.journal.per_process import PerProcess
from webhooks.journal.protocol import EVERYTHING, MAX_SEARCHED, StoredNotes
from webhooks.journal.text_search import EventSearch

D = TypeVar("D", bound=JournalDatabase)


class StoredJournal(Generic[D]):
    """See `webhooks.journal.protocol.Journal`. It may be used on both sides of a fork.

    `open_database` returns the database for this process.
    """

    def __init__(self, open_database: Callable[[], D], encryption: Encryption) -> None:
        self._encryption = encryption
        self._databases = PerProcess(open_database, abandon=lambda database: database.abandon())

    @property
    def database(self) -> D:
        """Return the database, as this process has it open."""
        return self._databases.get()

    @property
    def stats(self) -> Stats:
        """Return counts of this process's commits."""
        return self.database.stats

    # the queue

    def append(self, events: Sequence[Event], *, now: datetime) -> AppendResult:
        """Store durably, in one group commit with concurrent callers."""
        try:
            arrivals = former.arrivals(events, now, self._encryption)
        except records.BAD_VALUE as error:
            raise records.unstorable("an event", error) from error
        return self.database.append(arrivals) if events else AppendResult(0, 0)

    def claim(self, limit: int, *, worker: str, now: datetime, lease: timedelta) -> list[Claim]:
        """Lease the oldest due events: first a fair share of each source."""
        claimed = self.database.claim(limit, f"{worker}:{uuid.uuid4().hex}", now=now, length=lease)
        return [records.claim(record, worker, self._encryption) for record in claimed]

    def renew(self, claims: Iterable[Claim], *, now: datetime, lease: timedelta) -> set[int]:
        """Renew the leases that this worker still has."""
        return self.database.renew([(claim.seq, claim.lease) for claim in claims], now=now, length=lease)

    def settle(self, settlements: Iterable[Settlement], *, now: datetime) -> set[int]:
        """End the claims whose leases this worker still has."""
        ended = [records.settle_params(settlement, now, self._encryption) for settlement in settlements]
        return self.database.settle(ended, now=now) if ended else set()

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when another process may have stored events; return a function that ends it."""
        return self.database.watch(wake)

    # queries

    def get(self, seq: int) -> Row | None:
        """Return an event."""
        record = self.database.get(seq)
        return self._search.row(record) if record else None

    def find(self, source: str, key: str) -> Row | None:
        """Return an event."""
        record = self.database.find(source, key)
        return self._search.row(record) if record else None

    def rows(
        self, filter: Filter = EVERYTHING, *, after: Cursor = "", limit: int = 100, newest_first: bool = False
    ) -> list[Row]:
        """Return events in order of arrival, or newest first."""
        return self._search.rows(filter, after, limit, newest_first=newest_first)

    def search(
        self,
        filter: Filter = EVERYTHING,
        *,
        after: Cursor = "",
        limit: int = 100,
        newest_first: bool = False,
        max_searched: int = MAX_SEARCHED,
    ) -> SearchResult:
        """Return a page, and how many events were searched for a text."""
        return self._search.search(filter, after, limit, newest_first=newest_first, max_searched=max_searched)

    def end(self) -> Cursor:
        """Return the cursor after all events that `rows` would return now."""
        return self.database.end()

    def count(self, filter: Filter = EVERYTHING) -> int:
        """Return the number of events that the filter selects."""
        return self._search.count(filter)

    def seqs(self, filter: Filter = EVERYTHING) -> list[int]:
        """Return the seqs of the events that the filter selects."""
        return self._search.seqs(filter)

    def event_groups(self, filter: Filter = EVERYTHING) -> list[EventGroup]:
        """Return event counts by source, type, state and reason."""
        return self._search.event_groups(filter)

    def census(self) -> Census:
        """Return counts by state and source."""
        return self.database.census()

    # changes by an operator, and pruning

    def replay(
        self,
        seqs: Sequence[int],
        *,
        by: AuditContext,
        as_new: bool = False,
        now: datetime,
        due_at: datetime | None = None,
    ) -> ChangeResult:
        """Make settled events pending again."""
        changed = self.database.replay(seqs, by=by, now=now, due_at=due_at or now, as_new=as_new)
        return ChangeResult(changed, len(set(seqs)) - changed)

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> ChangeResult:
        """Drop events that are not delivered."""
        changed = self.database.drop(seqs, by=by, now=now)
        return ChangeResult(changed, len(set(seqs)) - changed)

    def load(self, rows: Iterable[Row]) -> AppendResult:
        """Store rows of another journal unchanged."""
        try:
            params = [records.load_params(row, self._encryption) for row in rows]
            new = self.database.load(params) if params else 0
        except records.BAD_VALUE as error:
            raise records.unstorable("an event", error) from error
        return AppendResult(new, len(params) - new)

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int = 5000) -> int:
        """Delete settled events that are old enough, expired tokens, and notes of workers that stopped long ago."""
        return self.database.prune(ages, now=now, limit=limit)

    def reencrypt(self, *, after: Cursor = "", limit: int = 500, dry_run: bool = False) -> ReencryptResult:
        """Encrypt some rows again, in one transaction."""
        return self.database.reencrypt(after, limit, dry_run=dry_run)

    def audit(self, action: str, detail: Mapping[str, Any], *, by: AuditContext, now: datetime) -> None:
        """Add a line to the audit log."""
        self.database.write(("audit", records.audit_line(action, (), detail, by, now)))

    def audits(self, *, event: tuple[str, str] | None = None, before: int = 0, limit: int = 100) -> list[AuditEntry]:
        """Return the audit log, newest first."""
        params = {"event": "/".join(event or ()), "before": before, "limit": limit}
        return [records.audit_entry(record) for record in self.database.read("audits", params)]

    def verify(self, *, full: bool = False, seconds: float = 30.0) -> Verification:
        """Check the store for damage."""
        return self.database.verify(full=full, seconds=seconds)

    # tokens, notes and counters

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        """Store a one-time token; return its first value."""
        params: dict[str, Any] = {"source": source, "token": records.token(token), "value": value}
        params |= {"now": records.micros(now), "until": records.micros(until)}
        first: str = self.database.write(("remember", params))[0]["value"]
        return first

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        """Store a note."""
        self.database.write(("note", records.note_params(name, value, now)))

    def note_first(self, name: str, value: Mapping[str, Any], *, now: datetime) -> Mapping[str, Any]:
        """Store a note unless it exists; return the stored one."""
        params = records.note_params(name, value, now)
        (stored,) = self.database.write(("note_first", params), ("noted", {"name": params["name"]}))
        return msgspec.json.decode(stored["value"], type=dict[str, Any])

    def notes(self) -> StoredNotes:
        """Return all notes."""
        notes = self.database.read("notes")
        return {note["name"]: (records.moment(note["at"]), msgspec.json.decode(note["value"])) for note in notes}

    def tally(self, amounts: Mapping[str, float], *, marks: Mapping[str, float] | None = None) -> None:
        """Add to lasting counters, always in the same order, so that no deadlock occurs."""
        self.database.write_many(("tally", sorted(amounts.items())), ("mark", sorted((marks or {}).items())))

    def tallies(self) -> Mapping[str, float]:
        """Return every counter and mark."""
        return {tally["name"]: tally["amount"] for tally in self.database.read("tallies")}

    # the store

    def check(self) -> None:
        """Make a durable write."""
        self.database.check()

    def close(self) -> None:
        """Close files and connections; they are opened again when needed."""
        self.database.close()

    @property
    def _search(self) -> EventSearch:
        return EventSearch(self.database, self._encryption)
