"""How it stands: what an alert would be told of now, the worker's heartbeat, and whether anybody would be told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from webhooks.cli.alerts import current_alerts
from webhooks.cli.configuration import Configuration
from webhooks.cli.findings import Finding
from webhooks.journal import Journal
from webhooks.monitoring.alerts import configured_channels
from webhooks.monitoring.metrics.exposition import ALIVE


def examine(config: Configuration, journal: Journal, now: datetime) -> Iterator[Finding]:
    """Of the journal."""
    signs = [now - at for name, (at, _) in journal.notes().items() if name.startswith("worker:")]
    if signs and min(signs) < ALIVE:
        yield Finding("ok", "worker", f"a worker gave a sign {max(timedelta(), min(signs)).total_seconds():.0f} s ago")
    elif not signs:
        yield Finding("warning", "worker", "no worker has ever worked on this journal: start `segue work`")
    for alert in current_alerts(config, journal):
        grade = "fault" if alert.severity == "critical" else "warning"
        yield Finding(grade, alert.key.partition(":")[0], f"{alert.title}. {alert.text} {alert.hint}")  # type: ignore[arg-type]
    if len(configured_channels(config.settings.alerts)) == 1:
        yield Finding(
            "warning", "alerts",
            "nobody is told where something goes wrong, but for the log: set SEGUE_ALERT_SLACK_URL or another of "
            "[alerts], or let Prometheus watch (docs/monitoring.md)",
        )  # fmt: skip
    else:
        yield Finding("ok", "alerts", "alerts are told; `segue alerts test` tries it")
