"""What a journal promises, whatever stores it. One contract test suite (tests/journal) holds every store to it.

States of an event:

    pending ──▶ delivered          every message was accepted by Segment
       │  └───▶ ignored            the translator declares that it means nothing to Segment
       │  └───▶ unsupported        no translator knows the type; kept, counted, and replayable
       └──────▶ dead               malformed, the translator raised, or Segment refused the message; `reason` says
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from translators.kit import Event


class State(StrEnum):
    """Where an event stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    IGNORED = "ignored"
    UNSUPPORTED = "unsupported"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Stored:
    """What an append did: how many events were new, how many were there already."""

    new: int
    duplicate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One pending event, leased to a worker. `event.options` is empty: the endpoint's settings supply them."""

    seq: int
    event: Event
    attempts: int
    lease: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The end of a claim: a final state, or `PENDING` to hand it back until `due_at`.

    `attempt` counts this as a try; handing back unbegun work (shutdown, throttling) does not.
    """

    claim: Claim
    state: State
    reason: str = ""
    due_at: datetime | None = None
    attempt: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An event as it stands, for people. `seq` is the order of arrival."""

    seq: int
    event: Event
    state: State
    attempts: int
    due_at: datetime | None
    leased_until: datetime | None
    settled_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Counts for `segue status`, readiness and metrics."""

    by_state: Mapping[State, int]
    by_source: Mapping[str, Mapping[State, int]]
    oldest_pending: datetime | None
    oldest_by_source: Mapping[str, datetime] = field(default_factory=dict)
    """When the oldest pending event of each source was received; a source without one is not in it."""
    unsupported_types: Mapping[tuple[str, str], int] = field(default_factory=dict)
    size_bytes: int = 0


@dataclass(slots=True)
class Stats:
    """Since this process opened the journal. `events / groups` is how many events shared one commit."""

    commits: int = 0
    """Durable transactions of every kind."""
    groups: int = 0
    """Those of `append`."""
    events: int = 0
    """Events in the groups, duplicates among them."""
    last_commit_seconds: float = 0.0
    """From the wish to write until it was durable."""
    samples: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=10_000))
    """(events, seconds) of the latest groups, for whoever takes them away to make histograms."""


class Journal(Protocol):
    """The store. Every time is a parameter, aware UTC. `JournalUnavailable` is raised by all when it is away."""

    @property
    def stats(self) -> Stats:
        """Counters for metrics."""
        ...

    def append(self, events: Sequence[Event], *, now: datetime) -> Stored:
        """Store new events durably (fsynced before it returns); all of one call or none. Groups concurrent calls.

        An event whose (source, key) is there already is counted as duplicate and changes nothing. An event with a
        `problem` is stored dead. One that cannot be stored at all (text where bytes belong) fails its own call only.
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
        """Delete settled events older than their state's age, oldest first, at most `limit`. Never `PENDING`."""
        ...

    def census(self) -> Census:
        """Counts by state and source."""
        ...

    def find(self, source: str, key: str) -> Row | None:
        """One event by its source and key."""
        ...

    def rows(self, *, states: Iterable[State] = (), source: str = "", after: int = 0, limit: int = 100) -> list[Row]:
        """Events in order of arrival, behind `after`."""
        ...

    def remember(self, source: str, token: str, value: str, *, now: datetime, until: datetime) -> str:
        """Note a one-time token with a value; gives the value first noted, until that runs out. Durable."""
        ...

    def note(self, name: str, value: Mapping[str, Any], *, now: datetime) -> None:
        """Keep a small fact under a name (a worker's heartbeat, a held write key), over the one before."""
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

    def check(self) -> None:
        """Prove that a write would be durable now; `JournalUnavailable` with the reason where it would not."""
        ...

    def close(self) -> None:
        """Flush and let go of files and connections."""
        ...
