"""The journal's values: an event as it stands, a claim and its end, and what an operator chooses and changes.

States of an event:

    pending ──▶ delivered          every message was accepted by Segment
       │  └───▶ ignored            the translator declares that it means nothing to Segment
       │  └───▶ unsupported        no translator knows the type; kept, counted, and replayable
       ├──────▶ dead               malformed, the translator raised, or Segment refused the message; `reason` says
       └──────▶ dropped            an operator decided that it is not delivered; the audit log says who and why

An operator's replay makes every settled event pending again; an operator's drop ends every one that is not delivered.
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
"""A place in the order of arrival, opaque. The empty one is before everything."""
FORGOTTEN: Final = timedelta(days=7)
"""After which the note of a worker that is gone (`worker:<name>`) is deleted with the pruning."""
HISTORY: Final = 20
"""Attempts kept with an event, the last ones."""
_SETTING: Final = re.compile(r"\bset (SEGUE_[A-Z0-9_]{1,80}=[a-z0-9_]{1,40})\b")


class State(StrEnum):
    """Where an event stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    IGNORED = "ignored"
    UNSUPPORTED = "unsupported"
    DEAD = "dead"
    DROPPED = "dropped"


DROPPABLE: Final = (State.PENDING, State.IGNORED, State.UNSUPPORTED, State.DEAD)
"""What `drop` changes; the rest is delivered or dropped already."""


def left_out_by(state: State, reason: str) -> str:
    """The setting that would deliver an event that a setting leaves out, as a live endpoint leaves out test events;
    empty if it is anything else. Sources say it in their reason: "a test order; set SEGUE_SHOP_ENVIRONMENT=both ...".
    """
    setting = _SETTING.search(reason) if state is State.IGNORED else None
    return setting[1] if setting else ""


@dataclass(frozen=True, slots=True)
class AppendResult:
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
    worker: str = ""
    replay_generation: int = 0
    locked: str = ""
    """Why its content is not here: it is sealed, and does not open. Then `event` has no body, headers and envelope."""


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

    @property
    def eventful(self) -> bool:
        """Whether it is kept in the event's history even as its first entry."""
        return self.attempt and self.state in {State.PENDING, State.DEAD}


@dataclass(frozen=True, slots=True)
class Attempt:
    """One entry of an event's history: a try that was not simply right at once, or what an operator did.

    outcome  the state that the try ended in (`pending`: handed back), `replayed` or `dropped`
    actor    the worker or the operator
    reason   up to 500 characters of it
    """

    at: datetime
    actor: str
    outcome: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """An event as it stands, for people and for moving. `seq` names it here; `cursor` is its place in the order.

    `replay_generation` counts the replays that were to be new events for Segment. `lease` is never told.
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
    """As of a claim."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchResult:
    """A page of a search. `next` is the cursor to go on from; empty if there is no more.

    searched     how many events a text was looked for in; 0 without a text
    searched_to  when the last of them was received
    """

    rows: tuple[Row, ...]
    next: Cursor = ""
    searched: int = 0
    searched_to: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was found in looking through a store for damage; not `complete` if the time did not suffice."""

    problems: tuple[str, ...] = ()
    complete: bool = True


@dataclass(frozen=True, slots=True)
class ReencryptResult:
    """What `reseal` saw: how many rows by the key that they were sealed with (`plain` without one), and did.

    `after` is where the next call begins; empty at the end.
    """

    after: Cursor
    by_key: Mapping[str, int]
    changed: int
    locked: int


@dataclass(frozen=True, slots=True)
class EventGroup:
    """Events alike in source, type, state and reason. `latest` is the seq of the one that came last."""

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
    """Who changes events by hand, and why. `operation` is the same for all the calls of one command."""

    actor: str
    reason: str
    operation: str = ""


@dataclass(frozen=True, slots=True)
class ChangeResult:
    """What a replay or a drop did. `left`: not there (any more), or in a state that it does not change."""

    changed: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """A line of the audit log. `events` are `source/key` of the events it changed, in order."""

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
