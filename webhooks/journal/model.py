"""The journal's values: stored events, claims and settlements, and the results of an operator's changes.

States of an event:

    pending ──▶ delivered          Segment accepted every message
       │  └───▶ ignored            the translator declares that the event has no message for Segment
       │  └───▶ unsupported        no translator knows the type; kept, counted, and replayable
       ├──────▶ dead               malformed, the translator raised, or Segment refused the message; see `reason`
       └──────▶ dropped            an operator decided not to deliver it; the audit log says who and why

A replay makes a settled event pending again. A drop applies to every event that is not delivered.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from translators.kit import Event

Cursor = str
"""An opaque position in the order of arrival. The empty cursor is before every event."""
FORGOTTEN: Final = timedelta(days=7)
"""Age after which pruning deletes the note of a worker (`worker:<name>`) that no longer runs."""
HISTORY: Final = 20
"""Attempts kept with an event: the latest ones."""
_SETTING: Final = re.compile(r"\bset (SEGUE_[A-Z0-9_]{1,80}=[a-z0-9_]{1,40})\b")


class State(StrEnum):
    """The state of an event."""

    PENDING = "pending"
    DELIVERED = "delivered"
    IGNORED = "ignored"
    UNSUPPORTED = "unsupported"
    DEAD = "dead"
    DROPPED = "dropped"


DROPPABLE: Final = (State.PENDING, State.IGNORED, State.UNSUPPORTED, State.DEAD)
"""States that `drop` changes; the other events are delivered or dropped already."""


def left_out_by(state: State, reason: str) -> str:
    """Return the setting that would deliver an ignored event, such as a test event of a live endpoint; else "".

    Sources name it in their reason: "a test order; set SEGUE_SHOP_ENVIRONMENT=both ...".
    """
    setting = _SETTING.search(reason) if state is State.IGNORED else None
    return setting[1] if setting else ""


@dataclass(frozen=True, slots=True)
class AppendResult:
    """The result of an append: how many events were new and how many were duplicates."""

    new: int
    duplicate: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One pending event, leased to a worker. `event.options` is empty: the endpoint's settings supply them."""

    seq: int
    event: Event
    attempts: int
    lease: str
    worker: str = ""
    replay_generation: int = 0
    locked: str = ""
    """Why its content cannot be decrypted; empty if it can. Otherwise `event` has no body, headers and envelope."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settlement:
    """The end of a claim: a final state, or `PENDING` to return it to the queue until `due_at`.

    `attempt` counts this as a try. Returning work that was not begun (shutdown, throttling) is not a try.
    """

    claim: Claim
    state: State
    reason: str = ""
    due_at: datetime | None = None
    attempt: bool = True

    @property
    def eventful(self) -> bool:
        """Return whether it is added to the event's history even as the first entry."""
        return self.attempt and self.state in {State.PENDING, State.DEAD}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry of an event's history: an attempt (a success at the first try has none) or an operator's change.

    outcome  the state after the try (`pending`: it will be retried), `replayed` or `dropped`
    actor    the worker or the operator
    reason   its first 500 characters
    """

    at: datetime
    actor: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An event with its state, for people and for `segue move`. `cursor` is its place in the order of arrival.

    `seq` identifies it in this journal. `replay_generation` counts the replays with new message ids.
    """

    seq: int
    event: Event
    state: State
    attempts: int
    due_at: datetime | None
    leased_until: datetime | None
    settled_at: datetime | None
    reason: str
    replay_generation: int = 0
    history: tuple[Attempt, ...] = ()
    cursor: Cursor = ""
    locked: str = ""
    """As in `Claim`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """A page of a search. `next` is the cursor of the next page; empty on the last page.

    searched     how many events were searched for a text; 0 without a text
    searched_to  when the last of them was received
    """

    rows: tuple[Row, ...]
    next: Cursor = ""
    searched: int = 0
    searched_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """The result of a check for damage; not `complete` if time ran out."""

    problems: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ReencryptResult:
    """The result of `reencrypt`: rows by the id of their key (`plain` if unencrypted), and how many were changed.

    The next call begins at the cursor `after`; empty at the end.
    """

    after: Cursor
    by_key: Mapping[str, int]
    changed: int
    locked: int


@dataclass(frozen=True, slots=True)
class EventGroup:
    """The number of events with the same source, type, state and reason. `latest` is the newest event's seq."""

    source: str
    type: str
    state: State
    reason: str
    count: int
    first_received: datetime
    last_received: datetime
    latest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditContext:
    """The person who changes events, and why. All the calls of one command have the same `operation`."""

    actor: str
    reason: str
    operation: str = ""


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """The result of a replay or drop. `left` counts events that do not exist or whose state it does not change."""

    changed: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A line of the audit log. `events` are the changed events as `source/key`, in order."""

    id: int
    at: datetime
    actor: str
    action: str
    reason: str
    operation: str
    events: tuple[str, ...] = ()
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Census:
    """Counts for `segue status`, readiness and metrics."""

    by_state: Mapping[State, int]
    by_source: Mapping[str, Mapping[State, int]]
    oldest_pending: datetime | None
    oldest_by_source: Mapping[str, datetime] = field(default_factory=dict)
    """When the oldest pending event of each source was received; a source without one is missing."""
    unsupported_types: Mapping[tuple[str, str], int] = field(default_factory=dict)
    size_bytes: int = 0


@dataclass(slots=True)
class Stats:
    """Counts since this process opened the journal. `events / groups` is the mean number of events in a commit."""

    commits: int = 0
    """Durable transactions of any kind."""
    groups: int = 0
    """Group commits of `append`."""
    events: int = 0
    """Events in these groups, including duplicates."""
    last_commit_seconds: float = 0.0
    """From the call until the commit was durable."""
    samples: deque[tuple[int, float]] = field(default_factory=lambda: deque(maxlen=10_000))
    """(events, seconds) of the latest groups, for histograms; the reader removes them."""

    def count_group(self, events: int) -> None:
        """Count the group that was committed last."""
        self.groups += 1
        self.events += events
        self.samples.append((events, self.last_commit_seconds))
