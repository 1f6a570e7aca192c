"""`segue alerts`: current problems, and a test of the alert channels."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from webhooks.cli.output import bad, echo, fail, good, print_json, warn

if TYPE_CHECKING:
    from webhooks.monitoring.alerts import Alert
    from webhooks.runtime import MonitoredJournal, Runtime


@click.group(
    invoke_without_command=True, short_help="Show current problems; `segue alerts test` tries the alert channels."
)
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def alerts(context: click.Context, as_json: bool) -> None:
    """Show the alerts that the delivery worker would send now. Exit code 1 if there are any.

    [alerts] in segue.toml sets the channels and thresholds: docs/configuration.md.

    \b
    Examples:
      segue alerts
      segue alerts test
    """  # noqa: D301
    if context.invoked_subcommand:
        return
    from webhooks.cli.configuration import current_runtime
    from webhooks.cli.rows import opened

    runtime = current_runtime()
    with opened(runtime, quiet=as_json) as journal:
        active = current_alerts(runtime, journal)
    if as_json:
        print_json({"ok": not active, "alerts": active})
    for alert in [] if as_json else active:
        (bad if alert.severity == "critical" else warn)(alert.title)
        echo(f"      {alert.text}\n      What to do: {alert.hint}")
    if not active and not as_json:
        good("nothing is wrong")
    raise SystemExit(1 if active else 0)


def current_alerts(runtime: Runtime, journal: MonitoredJournal) -> list[Alert]:
    """Return the alerts that would be sent now."""
    return runtime.monitoring(journal, name="cli", channels=[]).watcher.current()


@alerts.command(short_help="Send a test alert to every configured channel.")
@click.option("--json", "as_json", is_flag=True)
def test(as_json: bool) -> None:
    """Send a test alert by webhook, Slack and e-mail, if they are configured. Exit code 1 if one fails.

    \b
    Example:
      segue alerts test
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime
    from webhooks.monitoring.alerts import (
        NotificationFailed,
        configured_channels,
        installation_name,
        sample_notification,
    )

    settings = current_runtime().settings
    notification = sample_notification(installation_name(settings.web.public_url), datetime.now(UTC))
    results: dict[str, str] = {}
    for channel in configured_channels(settings.alerts)[1:]:
        try:
            channel.send(notification)
            results[channel.name] = ""
        except NotificationFailed as error:
            results[channel.name] = str(error)
        if not as_json:
            (bad if results[channel.name] else good)(f"{channel.name}: {results[channel.name] or 'sent'}")
    if not results:
        raise fail(
            "No alert channel is configured, so alerts go to the log only.",
            "Set SEGUE_ALERT_SLACK_URL, SEGUE_ALERT_WEBHOOK_URL or SEGUE_SMTP_URL: docs/configuration.md, [alerts].",
        )
    failed = {name: reason for name, reason in results.items() if reason}
    if as_json:
        print_json(
            {"ok": not failed, "channels": [{"name": name, "fault": reason} for name, reason in results.items()]}
        )
    raise SystemExit(1 if failed else 0)
