"""What is wrong now, from what the journal tells. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec

from webhooks.monitoring.alerts.delivery import failing_keys, unconfigured
from webhooks.monitoring.metrics.refused import RefusedCount
from webhooks.monitoring.silence import ArrivalTimes
from webhooks.monitoring.snapshot import JournalSnapshot
from webhooks.settings import AlertSettings

Severity = Literal["critical", "warning"]
Notes = Mapping[str, tuple[datetime, Mapping[str, Any]]]
NO_WORKER: Final = timedelta(minutes=3)
LOST: Final = timedelta(days=1)
"""So long is a lost delivery alerted of."""
DOUBTFUL: Final = frozenset({"refused", "clock"})
"""Causes that may be meant: another account than the one that is let in, a captured delivery sent again."""
DISK_FLOOR: Final = 512 * 1024 * 1024
"""Bytes under which a disk is low, however small it is."""


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """`key` stays the same while it lasts. Where `weight` has doubled since it was told, it is told again early."""

    key: str
    severity: Severity
    title: str
    text: str
    hint: str
    weight: float = 0.0


def conditions(
    *,
    seen: JournalSnapshot,
    notes: Notes,
    limits: Mapping[str, tuple[ArrivalTimes, float]],
    settings: AlertSettings,
    sources: Collection[str],
    now: datetime,
    refused: Collection[RefusedCount] = (),
) -> list[Alert]:
    """Everything that is wrong, the worst first. `sources` are the endpoints that are configured."""
    found = [
        *_workers(notes, now),
        *_held(notes, seen),
        *_failing(notes, now),
        *_unconfigured(seen, sources),
        *_lost(refused, sources, now),
        *_disk(seen, settings),
        *_backlog(seen, settings, now),
        *_dead(seen),
        *_silent(limits, sources, now),
    ]
    return sorted(found, key=lambda alert: alert.severity)  # critical before warning


def _workers(notes: Notes, now: datetime) -> Iterator[Alert]:
    signs = [at for name, (at, _) in notes.items() if name.startswith("worker:")]
    if signs and now - max(signs) > NO_WORKER:
        yield Alert(
            key="workers", severity="critical", title="No delivery worker is alive",
            text=f"None has given a sign for {span(now - max(signs))}. Webhooks are stored and wait; nothing is lost.",
            hint="Start `segue work`, or look in its log why it ended.",
        )  # fmt: skip


def _held(notes: Notes, seen: JournalSnapshot) -> Iterator[Alert]:
    for key in seen.keys:
        _, note = notes.get(f"hold:{key}", (None, {}))
        if note.get("held"):
            yield Alert(
                key=f"held:{key}", severity="critical", title=f"Segment refuses the write key {key}",
                text=f"Its events wait and nothing is lost. {str(note.get('reason', ''))[:300]}",
                hint="It is tried again every minute. Set the right SEGMENT_WRITE_KEY, SEGMENT_URL or SEGMENT_REGION "
                "and restart. `segue doctor` helps.",
            )  # fmt: skip


def _failing(notes: Notes, now: datetime) -> Iterator[Alert]:
    for key in failing_keys(notes, now):
        lasted = now - key.since
        yield Alert(
            key=f"failing:{key.fingerprint}", severity="critical",
            title=f"Segment has not accepted a batch for {span(lasted)} (write key {key.fingerprint})",
            text=f"Events wait, are tried again, and nothing is lost. {key.reason[:300]}",
            hint="Check the network and SEGMENT_URL with `segue doctor`; https://status.segment.com has its incidents.",
            weight=lasted.total_seconds(),
        )  # fmt: skip


def _unconfigured(seen: JournalSnapshot, sources: Collection[str]) -> Iterator[Alert]:
    for name, waiting in unconfigured(seen.states, sources).items():
        yield Alert(
            key=f"unconfigured:{name}", severity="warning",
            title=f"{count(waiting, 'event')} of {name} wait for an endpoint that is not configured",
            text="They were stored while it was, and are delivered as soon as it is again. Nothing is lost.",
            hint=f"Configure {name!r} again, or give them up: `segue drop --source {name} --state pending`.",
            weight=float(waiting),
        )  # fmt: skip


def _lost(refused: Collection[RefusedCount], sources: Collection[str], now: datetime) -> Iterator[Alert]:
    """Deliveries refused although they are rightly signed: each is an event that Segue does not have."""
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
        known = f"{count(signed, 'rightly signed delivery', 'rightly signed deliveries')} refused"
        is_sure = any(row.signed and row.reason not in DOUBTFUL for row in rows)
        yield Alert(
            key=f"refused:{source}", severity="critical" if is_sure else "warning",
            title=f"Deliveries of {source} are refused and lost",
            text=f"In all {known}, and {unchecked:,} whose signature was not checked: {causes}. They are not stored.",
            hint="The log's `rejected` lines say why. Change that, then send them again from the provider's console.",
            weight=max(10.0, signed + unchecked),
        )  # fmt: skip


def _disk(seen: JournalSnapshot, settings: AlertSettings) -> Iterator[Alert]:
    if seen.disk is None:
        return
    free, size = seen.disk
    if free < DISK_FLOOR or free < size * settings.disk_free / 100:
        yield Alert(
            key="disk", severity="critical", title=f"The journal's disk is low: {free / 1024**2:,.0f} MiB are left",
            text="Where it is full, webhooks are answered 503 and providers send again, until they give up.",
            hint="Make room, move SEGUE_DATABASE to a larger disk, or shorten [retention].",
        )  # fmt: skip


def _backlog(seen: JournalSnapshot, settings: AlertSettings, now: datetime) -> Iterator[Alert]:
    for source, at in sorted(seen.oldest.items()):
        if now - at > settings.backlog:
            waiting = seen.states.get(source, {}).get("pending", 0)
            yield Alert(
                key=f"backlog:{source}", severity="warning",
                title=f"Events of {source} have waited for {span(now - at)}",
                text=f"{count(waiting, 'event')} of {source} not delivered yet. Nothing is lost.",
                hint="`segue status` shows what holds them up: Segment away, a held write key, a worker behind.",
                weight=(now - at).total_seconds(),
            )  # fmt: skip


def _dead(seen: JournalSnapshot) -> Iterator[Alert]:
    for source, by in sorted(seen.states.items()):
        dead = by.get("dead", 0)
        if dead:
            yield Alert(
                key=f"dead:{source}", severity="warning", title=f"{count(dead, 'dead event')} of {source}",
                text="Malformed, failed in its translator, or refused by Segment. They are kept, and hold up no other.",
                hint=f"`segue dead --source {source}` has the reasons; then `segue replay` or `segue drop`.",
                weight=max(10.0, dead),
            )  # fmt: skip


def _silent(
    limits: Mapping[str, tuple[ArrivalTimes, float]], sources: Collection[str], now: datetime
) -> Iterator[Alert]:
    for source, (beats, limit) in sorted(limits.items()):
        silence = now.timestamp() - beats.last
        if source in sources and silence > limit:
            yield Alert(
                key=f"silent:{source}", severity="warning",
                title=f"Nothing has come from {source} for {span(timedelta(seconds=silence))}",
                text=f"Up to {span(timedelta(seconds=limit))} is usual for it, as its last weeks have shown.",
                hint="Look at the webhook in the provider's console; some turn an endpoint off after failures.",
            )  # fmt: skip


def span(time: timedelta) -> str:
    """`2 d 4 h`, `1 h 5 min`, `12 min`, `40 s`."""
    seconds = max(0, int(time.total_seconds()))
    days, hours, minutes = seconds // 86400, seconds % 86400 // 3600, seconds % 3600 // 60
    for large, small, units in ((days, hours, ("d", "h")), (hours, minutes, ("h", "min"))):
        if large:
            return f"{large} {units[0]}" + (f" {small} {units[1]}" if small else "")
    return f"{minutes} min" if minutes else f"{seconds} s"


def count(number: int, word: str, plural: str = "") -> str:
    """`1 event`, `1,200 events`."""
    return f"{number:,} {word if number == 1 else plural or f'{word}s'}"
