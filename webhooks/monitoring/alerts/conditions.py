"""Find the current problems from the journal's data. Pure functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, Literal

import msgspec

from webhooks.journal.notes import WORKERS, WRITE_KEY_HOLDS
from webhooks.journal.protocol import StoredNotes
from webhooks.monitoring.alerts.delivery import failing_keys, unconfigured
from webhooks.monitoring.metrics.refused import RefusedCount
from webhooks.monitoring.silence import ArrivalTimes
from webhooks.monitoring.snapshot import JournalSnapshot
from webhooks.settings import AlertSettings

Severity = Literal["critical", "warning"]
NO_WORKER: Final = timedelta(minutes=3)
LOST: Final = timedelta(days=1)
"""How long a lost delivery is alerted."""
DOUBTFUL: Final = frozenset({"refused", "clock"})
"""Reasons that may be intended: another account than the allowed one, or a captured delivery that is sent again."""
DISK_FLOOR: Final = 512 * 1024 * 1024
"""Free bytes under which a disk of any size is low."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """One problem. `key` is the same as long as it lasts. If `weight` doubles, the alert is sent again early."""

    key: str
    severity: Severity
    title: str
    text: str
    hint: str = ""  # an alert that an earlier version stored has none
    weight: float = 0.0


def conditions(
    *,
    snapshot: JournalSnapshot,
    notes: StoredNotes,
    limits: Mapping[str, tuple[ArrivalTimes, float]],
    settings: AlertSettings,
    sources: Collection[str],
    now: datetime,
    refused: Collection[RefusedCount] = (),
) -> list[Alert]:
    """Return all current alerts, critical ones first. `sources` are the configured endpoints."""
    alerts = [
        *_workers(notes, now),
        *_held(notes, snapshot),
        *_failing(notes, now),
        *_unconfigured(snapshot, sources),
        *_lost(refused, sources, now),
        *_disk(snapshot, settings),
        *_backlog(snapshot, settings, now),
        *_dead(snapshot),
        *_silent(limits, sources, now),
    ]
    return sorted(alerts, key=lambda alert: alert.severity)  # critical before warning


def _workers(notes: StoredNotes, now: datetime) -> Iterator[Alert]:
    heartbeats = [at for at, _ in WORKERS.read(notes).values()]
    if heartbeats and now - max(heartbeats) > NO_WORKER:
        yield Alert(
            key="workers", severity="critical", title="No delivery worker is alive",
            text=f"The last heartbeat was {span(now - max(heartbeats))} ago. Webhooks are stored; nothing is lost.",
            hint="Start `segue work`, or read in its log why it ended.",
        )  # fmt: skip


def _held(notes: StoredNotes, snapshot: JournalSnapshot) -> Iterator[Alert]:
    for key in snapshot.keys:
        hold = WRITE_KEY_HOLDS.of(key).read(notes)
        if hold and hold.held:
            yield Alert(
                key=f"held:{key}", severity="critical", title=f"Segment refuses the write key {key}",
                text=f"Its events wait; nothing is lost. {hold.reason[:300]}",
                hint="Segue tries it every minute. Correct SEGMENT_WRITE_KEY, SEGMENT_URL or SEGMENT_REGION "
                "and restart. `segue doctor` helps.",
            )  # fmt: skip


def _failing(notes: StoredNotes, now: datetime) -> Iterator[Alert]:
    for key in failing_keys(notes, now):
        lasted = now - key.since
        yield Alert(
            key=f"failing:{key.fingerprint}", severity="critical",
            title=f"Segment has not accepted a batch for {span(lasted)} (write key {key.fingerprint})",
            text=f"Events wait and are retried; nothing is lost. {key.reason[:300]}",
            hint="Check the network and SEGMENT_URL with `segue doctor`; https://status.segment.com lists incidents.",
            weight=lasted.total_seconds(),
        )  # fmt: skip


def _unconfigured(snapshot: JournalSnapshot, sources: Collection[str]) -> Iterator[Alert]:
    for name, waiting in unconfigured(snapshot.states, sources).items():
        yield Alert(
            key=f"unconfigured:{name}", severity="warning",
            title=f"{count(waiting, 'event')} of {name} wait for an endpoint that is not configured",
            text="They were stored while it was configured, and are delivered when it is again. Nothing is lost.",
            hint=f"Configure {name!r} again, or drop them: `segue drop --source {name} --state pending`.",
            weight=float(waiting),
        )  # fmt: skip


def _lost(refused: Collection[RefusedCount], sources: Collection[str], now: datetime) -> Iterator[Alert]:
    """Yield alerts for deliveries that were refused despite a valid signature: Segue does not have these events."""
    for source in sorted({row.source for row in refused} & {*sources}):
        rows = [
            row for row in refused
            if row.source == source and row.last_lost_at is not None and now - row.last_lost_at < LOST
        ]  # fmt: skip
        if not rows:
            continue
        signed, unchecked = sum(row.signed for row in rows), sum(row.unchecked for row in rows)
        causes = ", ".join(
            f"{row.reason} {row.signed + row.unchecked:,} (last {row.last_lost_at:%Y-%m-%d %H:%M} UTC)" for row in rows
        )
        known = f"{count(signed, 'correctly signed delivery', 'correctly signed deliveries')} refused"
        is_sure = any(row.signed and row.reason not in DOUBTFUL for row in rows)
        yield Alert(
            key=f"refused:{source}", severity="critical" if is_sure else "warning",
            title=f"Deliveries of {source} are refused and lost",
            text=f"{known}, and {unchecked:,} whose signature was not checked: {causes}. They are not stored.",
            hint="The log's `rejected` lines say why. Fix the cause, then resend them from the provider's console.",
            weight=max(10.0, signed + unchecked),
        )  # fmt: skip


def _disk(snapshot: JournalSnapshot, settings: AlertSettings) -> Iterator[Alert]:
    if snapshot.disk is None:
        return
    free, size = snapshot.disk
    if free < DISK_FLOOR or free < size * settings.disk_free / 100:
        yield Alert(
            key="disk", severity="critical", title=f"The journal's disk is low: {free / 1024**2:,.0f} MiB are left",
            text="If it is full, webhooks are answered 503, and providers retry until they give up.",
            hint="Free space, move SEGUE_DATABASE to a larger disk, or shorten [retention].",
        )  # fmt: skip


def _backlog(snapshot: JournalSnapshot, settings: AlertSettings, now: datetime) -> Iterator[Alert]:
    for source, at in sorted(snapshot.oldest.items()):
        if now - at > settings.backlog:
            waiting = snapshot.states.get(source, {}).get("pending", 0)
            yield Alert(
                key=f"backlog:{source}", severity="warning",
                title=f"Events of {source} have waited for {span(now - at)}",
                text=f"{count(waiting, 'event')} of {source} are not delivered yet. Nothing is lost.",
                hint="`segue status` shows the cause: Segment unreachable, a held write key, a slow worker.",
                weight=(now - at).total_seconds(),
            )  # fmt: skip


def _dead(snapshot: JournalSnapshot) -> Iterator[Alert]:
    for source, by in sorted(snapshot.states.items()):
        dead = by.get("dead", 0)
        if dead:
            yield Alert(
                key=f"dead:{source}", severity="warning", title=f"{count(dead, 'dead event')} of {source}",
                text="Malformed, failed in the translator, or refused by Segment. They are kept and delay no others.",
                hint=f"`segue dead --source {source}` has the reasons; then `segue replay` or `segue drop`.",
                weight=max(10.0, dead),
            )  # fmt: skip


def _silent(
    limits: Mapping[str, tuple[ArrivalTimes, float]], sources: Collection[str], now: datetime
) -> Iterator[Alert]:
    for source, (arrivals, limit) in sorted(limits.items()):
        silence = now.timestamp() - arrivals.last
        if source in sources and silence > limit:
            yield Alert(
                key=f"silent:{source}", severity="warning",
                title=f"{source} has sent nothing for {span(timedelta(seconds=silence))}",
                text=f"Up to {span(timedelta(seconds=limit))} is usual for it, by its last four weeks.",
                hint="Check the webhook in the provider's console; some providers disable an endpoint after failures.",
            )  # fmt: skip


def span(time: timedelta) -> str:
    """Return a duration as text: `2 d 4 h`, `1 h 5 min`, `12 min`, `40 s`."""
    seconds = max(0, int(time.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    for large, small, units in ((days, hours, ("d", "h")), (hours, minutes, ("h", "min"))):
        if large:
            return f"{large} {units[0]}" + (f" {small} {units[1]}" if small else "")
    return f"{minutes} min" if minutes else f"{seconds} s"


def count(number: int, word: str, plural: str = "") -> str:
    """Return a number with its noun: `1 event`, `1,200 events`."""
    return f"{number:,} {word if number == 1 else plural or f'{word}s'}"
