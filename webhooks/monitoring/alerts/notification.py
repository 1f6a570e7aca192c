"""What is told to a channel at one time: some alerts raised, some told again, some resolved."""

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
    """One alert, since when, and how often it was told before."""

    kind: AlertStatus
    alert: Alert
    since: datetime
    before: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """`where` names the installation."""

    told: Sequence[AlertUpdate]
    where: str
    now: datetime

    @property
    def id(self) -> str:
        """The same for the same news, so that a receiver knows a retry."""
        parts = [[each.kind, each.alert.key, to_iso(each.since), each.before] for each in self.told]
        return f"msg_{hashlib.sha256(msgspec.json.encode([self.where, parts])).hexdigest()[:32]}"

    @property
    def subject(self) -> str:
        """One line: the first alert, and how many more."""
        first = self.told[0]
        mark = {"raised": "", "again": "still: ", "resolved": "resolved: ", "test": "test: "}[first.kind]
        more = f" (and {len(self.told) - 1} more)" if len(self.told) > 1 else ""
        return " ".join(f"[segue] {mark}{first.alert.title}{more}".split())

    def lines(self, each: AlertUpdate) -> list[str]:
        """One alert as text."""
        if each.kind == "resolved":
            return [f"RESOLVED  {each.alert.title}", f"It lasted {span(self.now - each.since)}."]
        word = {"raised": each.alert.severity.upper(), "again": f"STILL {each.alert.severity.upper()}", "test": "TEST"}
        since = [f"Since {each.since:%Y-%m-%d %H:%M} UTC."] if each.kind == "again" else []
        return [f"{word[each.kind]}  {each.alert.title}", each.alert.text, f"What to do: {each.alert.hint}", *since]

    def text(self) -> str:
        """All of it, for people."""
        parts = ["\n".join(self.lines(each)) for each in self.told]
        return "\n\n".join([*parts, f"Segue on {self.where}, {self.now:%Y-%m-%d %H:%M} UTC"]) + "\n"

    def data(self) -> Mapping[str, Any]:
        """All of it, for programs. https://www.standardwebhooks.com: `type`, `timestamp`, `data`."""
        alerts = [
            {
                "key": each.alert.key, "status": each.kind, "severity": each.alert.severity, "title": each.alert.title,
                "text": each.alert.text, "hint": each.alert.hint, "since": to_iso(each.since),
            }
            for each in self.told
        ]  # fmt: skip
        return {"type": "segue.alerts", "timestamp": to_iso(self.now), "data": {"where": self.where, "alerts": alerts}}


def sample_notification(where: str, now: datetime) -> Notification:
    """What `segue alerts test` sends."""
    alert = Alert(
        key="test", severity="warning", title="This is a test of Segue's alerts",
        text="Nothing is wrong. Somebody ran `segue alerts test`.", hint="nothing.",
    )  # fmt: skip
    return Notification(told=[AlertUpdate(kind="test", alert=alert, since=now)], where=where, now=now)


def installation_name(public_url: str) -> str:
    """What names this installation: its public address, else the machine."""
    return public_url.partition("://")[2] or socket.gethostname()
