"""One notification to a channel: alerts that are raised, repeated or resolved."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

import msgspec

from translators.kit import to_iso
from webhooks.monitoring.alerts.conditions import Alert, span

AlertStatus = Literal["raised", "again", "resolved", "test"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertUpdate:
    """One alert, its status, since when it lasts, and how often it was sent before."""

    status: AlertStatus
    alert: Alert
    since: datetime
    times_sent: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """Updates that are sent together. `where` names the installation."""

    updates: Sequence[AlertUpdate]
    where: str
    now: datetime

    @property
    def id(self) -> str:
        """Return an id that is the same for the same updates, so that a receiver recognizes a retry."""
        parts = [[update.status, update.alert.key, to_iso(update.since), update.times_sent] for update in self.updates]
        return f"msg_{hashlib.sha256(msgspec.json.encode([self.where, parts])).hexdigest()[:32]}"

    @property
    def subject(self) -> str:
        """Return one line: the first alert, and the number of others."""
        first = self.updates[0]
        mark = {"raised": "", "again": "still: ", "resolved": "resolved: ", "test": "test: "}[first.status]
        more = f" (and {len(self.updates) - 1} more)" if len(self.updates) > 1 else ""
        return " ".join(f"[segue] {mark}{first.alert.title}{more}".split())

    def lines(self, update: AlertUpdate) -> list[str]:
        """Return one alert as lines of text."""
        if update.status == "resolved":
            return [f"RESOLVED  {update.alert.title}", f"It lasted {span(self.now - update.since)}."]
        word = {
            "raised": update.alert.severity.upper(),
            "again": f"STILL {update.alert.severity.upper()}",
            "test": "TEST",
        }
        since = [f"Since {update.since:%Y-%m-%d %H:%M} UTC."] if update.status == "again" else []
        return [
            f"{word[update.status]}  {update.alert.title}",
            update.alert.text,
            f"What to do: {update.alert.hint}",
            *since,
        ]

    def text(self) -> str:
        """Return the notification as text."""
        parts = ["\n".join(self.lines(update)) for update in self.updates]
        return "\n\n".join([*parts, f"Segue on {self.where}, {self.now:%Y-%m-%d %H:%M} UTC"]) + "\n"

    def data(self) -> Mapping[str, Any]:
        """Return the notification as JSON data. https://www.standardwebhooks.com: `type`, `timestamp`, `data`."""
        alerts = [
            {
                "key": update.alert.key, "status": update.status, "severity": update.alert.severity,
                "title": update.alert.title, "text": update.alert.text, "hint": update.alert.hint,
                "since": to_iso(update.since),
            }
            for update in self.updates
        ]  # fmt: skip
        return {"type": "segue.alerts", "timestamp": to_iso(self.now), "data": {"where": self.where, "alerts": alerts}}


def sample_notification(where: str, now: datetime) -> Notification:
    """Return the notification that `segue alerts test` sends."""
    alert = Alert(
        key="test", severity="warning", title="This is a test of Segue's alerts",
        text="This is only a test: `segue alerts test` was run.", hint="nothing.",
    )  # fmt: skip
    return Notification(updates=[AlertUpdate(status="test", alert=alert, since=now)], where=where, now=now)


def installation_name(public_url: str) -> str:
    """Return the name of this installation: its public address, or else the host name."""
    return public_url.partition("://")[2] or socket.gethostname()
