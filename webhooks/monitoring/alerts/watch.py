"""Decide when to send an alert: when raised, again at intervals, and when resolved. State is in a journal note."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

import msgspec

from webhooks.journal.notes import WORKERS, NoteType
from webhooks.journal.protocol import Counters, Notes, OneTimeTokens
from webhooks.monitoring.alerts.channels import Channel, NotificationFailed, configured_channels
from webhooks.monitoring.alerts.conditions import NO_WORKER, Alert, conditions
from webhooks.monitoring.alerts.notification import AlertStatus, AlertUpdate, Notification
from webhooks.monitoring.metrics import SilenceTracker, SnapshotTaker, refused_counts
from webhooks.settings import AlertSettings

log: Final = logging.getLogger("webhooks.monitoring.alerts")
EVERY: Final = 60.0
"""Seconds between two checks."""
CALM: Final = timedelta(minutes=5)
"""How long an alert must be over before it is sent as resolved."""
EARLY: Final = timedelta(minutes=10)
FORGET: Final = timedelta(days=1)
"""After this time, `resolved` is no longer sent to a channel that could not be reached."""


class LastUpdate(msgspec.Struct, kw_only=True):
    """When an alert was last sent to a channel, how often, and with what weight."""

    at: datetime
    times: int
    weight: float


class OpenAlert(msgspec.Struct, kw_only=True):
    """An alert that was raised. `gone` is when the problem ended; `sent` is the last update of entry channel."""

    alert: Alert
    since: datetime
    gone: datetime | None = None
    sent: dict[str, LastUpdate] = {}


class OpenAlerts(msgspec.Struct):
    """The note of all watchers: the open alerts by key. If this release cannot read it, each is sent once more."""

    open: dict[str, OpenAlert] = {}


OPEN_ALERTS: Final = NoteType("alerts", OpenAlerts)


class WatchedJournal(Notes, OneTimeTokens, Counters, Protocol):
    """What `AlertWatcher` uses of the journal."""


class AlertWatcher:
    """One watcher of several; the first to check in a minute checks for all. `clock` returns aware UTC."""

    def __init__(
        self,
        journal: WatchedJournal,
        snapshots: SnapshotTaker,
        silence: SilenceTracker,
        settings: AlertSettings,
        *,
        sources: Collection[str],
        name: str,
        where: str,
        channels: Sequence[Channel] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._journal = journal
        self._snapshots = snapshots
        self._silence = silence
        self._settings = settings
        self._sources = frozenset(sources)
        self._name = name
        self._where = where
        self._channels = configured_channels(settings) if channels is None else channels
        self._clock = clock

    def current(self) -> list[Alert]:
        """Return the current alerts."""
        return conditions(
            snapshot=self._snapshots.latest(), notes=self._journal.notes(), limits=self._silence.limits(),
            settings=self._settings, sources=self._sources, now=self._clock(),
            refused=refused_counts(self._journal.tallies()),
        )  # fmt: skip

    def check(self) -> None:
        """Check for alerts and send what is due. Do nothing if another watcher checked within the last minute."""
        now = self._clock()
        until = now + timedelta(seconds=EVERY * 0.9)
        if self._journal.remember("segue", OPEN_ALERTS.name, self._name, now=now, until=until) != self._name:
            return
        before = self._open()
        open_alerts = deepcopy(before)
        _update(open_alerts, self.current(), now)
        for channel in self._channels:
            self._notify(channel, open_alerts, now)
        kept = {key: entry for key, entry in open_alerts.items() if not _is_over(entry, now)}
        if kept != before:
            OPEN_ALERTS.write(self._journal, OpenAlerts(kept), now=now)

    def check_if_no_worker(self) -> None:
        """Check if no worker is alive to do so."""
        heartbeats = [at for at, _ in WORKERS.read(self._journal.notes()).values()]
        if heartbeats and self._clock() - max(heartbeats) > NO_WORKER:
            self.check()

    def _open(self) -> dict[str, OpenAlert]:
        return (OPEN_ALERTS.read(self._journal.notes()) or OpenAlerts()).open

    def _notify(self, channel: Channel, open_alerts: dict[str, OpenAlert], now: datetime) -> None:
        due = [(entry, status) for entry in open_alerts.values() if (status := self._due(entry, channel.name, now))]
        if not due:
            return
        times = [last.times if (last := entry.sent.get(channel.name)) else 0 for entry, _ in due]
        updates = [
            AlertUpdate(status=status, alert=entry.alert, since=entry.since, times_sent=times_sent)
            for (entry, status), times_sent in zip(due, times, strict=True)
        ]
        try:
            channel.send(Notification(updates=updates, where=self._where, now=now))
        except NotificationFailed as error:
            log.warning(
                "an alert was not sent and will be retried", extra={"channel": channel.name, "reason": str(error)}
            )
            return
        for (entry, status), update in zip(due, updates, strict=True):
            if status == "resolved":
                del entry.sent[channel.name]
            else:
                entry.sent[channel.name] = LastUpdate(at=now, times=update.times_sent + 1, weight=entry.alert.weight)

    def _due(self, entry: OpenAlert, channel: str, now: datetime) -> AlertStatus | None:
        last = entry.sent.get(channel)
        if entry.gone is not None:
            return "resolved" if last and now - entry.gone >= CALM else None
        if last is None:
            return "raised"
        doubled = entry.alert.weight >= 2 * last.weight > 0 and now - last.at >= EARLY
        return "again" if doubled or now - last.at >= self._settings.repeat else None


def _update(open_alerts: dict[str, OpenAlert], alerts: Collection[Alert], now: datetime) -> None:
    for alert in alerts:
        entry = open_alerts.setdefault(alert.key, OpenAlert(alert=alert, since=now))
        entry.alert, entry.gone = alert, None
    present = {alert.key for alert in alerts}
    for key, entry in open_alerts.items():
        if key not in present and entry.gone is None:
            entry.gone = now


def _is_over(entry: OpenAlert, now: datetime) -> bool:
    return entry.gone is not None and (not entry.sent or now - entry.gone >= FORGET)
