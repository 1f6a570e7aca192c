"""Check the worker's heartbeat, current alerts, and whether alerts are sent anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from webhooks.cli.alerts import current_alerts
from webhooks.cli.findings import Finding
from webhooks.journal.notes import WORKERS
from webhooks.monitoring.alerts import configured_channels
from webhooks.monitoring.metrics.exposition import ALIVE

if TYPE_CHECKING:
    from webhooks.runtime import MonitoredJournal, Runtime


def examine(runtime: Runtime, journal: MonitoredJournal, now: datetime) -> Iterator[Finding]:
    """Check the journal's notes and the alerts."""
    heartbeat_ages = [now - at for at, _ in WORKERS.read(journal.notes()).values()]
    if heartbeat_ages and min(heartbeat_ages) < ALIVE:
        yield Finding(
            "ok", "worker", f"a worker reported {max(timedelta(), min(heartbeat_ages)).total_seconds():.0f} s ago"
        )
    elif not heartbeat_ages:
        yield Finding("warning", "worker", "no worker has ever used this journal: start `segue work`")
    for alert in current_alerts(runtime, journal):
        grade = "fault" if alert.severity == "critical" else "warning"
        yield Finding(grade, alert.key.partition(":")[0], f"{alert.title}. {alert.text} {alert.hint}")  # type: ignore[arg-type]
    if len(configured_channels(runtime.settings.alerts)) == 1:
        yield Finding(
            "warning", "alerts",
            "alerts go to the log only: set SEGUE_ALERT_SLACK_URL or another channel of [alerts], or "
            "monitor with Prometheus (docs/monitoring.md)",
        )  # fmt: skip
    else:
        yield Finding("ok", "alerts", "alert channels are configured; `segue alerts test` tests them")
