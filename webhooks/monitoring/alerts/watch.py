"""Who tells what when: each alert once, again after a while, and when it is over. A note of the journal keeps count."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from copy import deepcopy
from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from webhooks.journal import Journal
from webhooks.monitoring.alerts.channels import Channel, NotificationFailed, configured
from webhooks.monitoring.alerts.conditions import NO_WORKER, Alert, conditions
from webhooks.monitoring.alerts.notification import AlertStatus, AlertUpdate, Notification
from webhooks.monitoring.metrics import SilenceTracker, SnapshotTaker, refused_counts
from webhooks.settings import AlertSettings

log: Final = logging.getLogger("webhooks.monitoring.alerts")
NOTE: Final = "alerts"
EVERY: Final = 60.0
"""Seconds between two looks."""
CALM: Final = timedelta(minutes=5)
"""So long must it be well again before that is told."""
EARLY: Final = timedelta(minutes=10)
FORGET: Final = timedelta(days=1)
"""After so long an end is not told any more where a channel could not be reached."""


class LastUpdate(msgspec.Struct, kw_only=True):
    """When a channel was last told, how often, and of what weight."""

    at: datetime
    times: int
    weight: float


class OpenAlert(msgspec.Struct, kw_only=True):
    """An alert that is raised. `gone` is since when it is well again."""

    alert: Alert
    since: datetime
    gone: datetime | None = None
    told: dict[str, LastUpdate] = {}


class AlertWatcher:
    """One of several; whoever looks first in a minute looks for all. `clock` gives aware UTC."""

    def __init__(
        self,
        journal: Journal,
        survey: SnapshotTaker,
        pulse: SilenceTracker,
        settings: AlertSettings,
        *,
        sources: Collection[str],
        name: str,
        where: str,
        ways: Sequence[Channel] | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._journal = journal
        self._survey = survey
        self._pulse = pulse
        self._settings = settings
        self._sources = frozenset(sources)
        self._name = name
        self._where = where
        self._ways = configured(settings) if ways is None else ways
        self._clock = clock

    def now(self) -> list[Alert]:
        """What is wrong now."""
        return conditions(
            seen=self._survey.latest(), notes=self._journal.notes(), limits=self._pulse.limits(),
            settings=self._settings, sources=self._sources, now=self._clock(),
            refused=refused_counts(self._journal.tallies()),
        )  # fmt: skip

    def look(self) -> None:
        """Look, and tell what there is to tell; nothing where another did within the minute."""
        now = self._clock()
        until = now + timedelta(seconds=EVERY * 0.9)
        if self._journal.remember("segue", NOTE, self._name, now=now, until=until) != self._name:
            return
        before = self._open()
        found = deepcopy(before)
        _update(found, self.now(), now)
        for way in self._ways:
            self._tell(way, found, now)
        kept = {key: each for key, each in found.items() if not _is_over(each, now)}
        if kept != before:
            self._journal.note(NOTE, {"open": msgspec.to_builtins(kept)}, now=now)

    def stand_in(self) -> None:
        """Look where no worker lives that would."""
        signs = [at for name, (at, _) in self._journal.notes().items() if name.startswith("worker:")]
        if signs and self._clock() - max(signs) > NO_WORKER:
            self.look()

    def _open(self) -> dict[str, OpenAlert]:
        found = self._journal.notes().get(NOTE)
        return msgspec.convert(found[1]["open"], dict[str, OpenAlert]) if found else {}

    def _tell(self, way: Channel, found: dict[str, OpenAlert], now: datetime) -> None:
        due = [(each, kind) for each in found.values() if (kind := self._due(each, way.name, now))]
        if not due:
            return
        times = [last.times if (last := each.told.get(way.name)) else 0 for each, _ in due]
        told = [
            AlertUpdate(kind=kind, alert=each.alert, since=each.since, before=before)
            for (each, kind), before in zip(due, times, strict=True)
        ]
        try:
            way.send(Notification(told=told, where=self._where, now=now))
        except NotificationFailed as error:
            log.warning("an alert was not told, and will be", extra={"channel": way.name, "reason": str(error)})
            return
        for (each, kind), one in zip(due, told, strict=True):
            if kind == "resolved":
                del each.told[way.name]
            else:
                each.told[way.name] = LastUpdate(at=now, times=one.before + 1, weight=each.alert.weight)

    def _due(self, each: OpenAlert, way: str, now: datetime) -> AlertStatus | None:
        last = each.told.get(way)
        if each.gone is not None:
            return "resolved" if last and now - each.gone >= CALM else None
        if last is None:
            return "raised"
        heavier = each.alert.weight >= 2 * last.weight > 0 and now - last.at >= EARLY
        return "again" if heavier or now - last.at >= self._settings.repeat else None


def _update(found: dict[str, OpenAlert], alerts: Collection[Alert], now: datetime) -> None:
    for alert in alerts:
        each = found.setdefault(alert.key, OpenAlert(alert=alert, since=now))
        each.alert, each.gone = alert, None
    present = {alert.key for alert in alerts}
    for key, each in found.items():
        if key not in present and each.gone is None:
            each.gone = now


def _is_over(each: OpenAlert, now: datetime) -> bool:
    return each.gone is not None and (not each.told or now - each.gone >= FORGET)
