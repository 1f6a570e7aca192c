"""`segue alerts`: what is wrong now, and whether the ways to tell of it work."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from webhooks.cli.output import bad, echo, fail, good, print_json, warn

if TYPE_CHECKING:
    from webhooks.cli.configuration import Configuration
    from webhooks.journal import Journal
    from webhooks.monitoring.alerts import Alert


@click.group(invoke_without_command=True, short_help="What is wrong now; `segue alerts test` tries the ways to tell.")
@click.option("--json", "as_json", is_flag=True)
@click.pass_context
def alerts(context: click.Context, as_json: bool) -> None:
    """Show what the delivery worker would tell of now. Exit code 1 where there is something.

    Whom it tells, and of what, stands in [alerts] of segue.toml: docs/configuration.md.

    \b
    Examples:
      segue alerts
      segue alerts test
    """  # noqa: D301
    if context.invoked_subcommand:
        return
    from webhooks.cli.configuration import configuration
    from webhooks.cli.rows import opened

    config = configuration()
    with opened(config, quiet=as_json) as journal:
        found = current_alerts(config, journal)
    if as_json:
        print_json({"ok": not found, "alerts": found})
    for alert in [] if as_json else found:
        (bad if alert.severity == "critical" else warn)(alert.title)
        echo(f"      {alert.text}\n      What to do: {alert.hint}")
    if not found and not as_json:
        good("nothing is wrong")
    raise SystemExit(1 if found else 0)


def current_alerts(config: Configuration, journal: Journal) -> list[Alert]:
    """What an alert would be told of now."""
    from webhooks.monitoring.alerts import AlertWatcher, installation_name
    from webhooks.monitoring.metrics import SilenceTracker, SnapshotTaker
    from webhooks.segment import fingerprint

    settings = config.settings
    keys = {endpoint.write_key or settings.segment.write_key for endpoint in config.endpoints.values()}
    survey = SnapshotTaker(journal, settings.database, keys=sorted(map(fingerprint, keys)))
    pulse = SilenceTracker(journal, floor=settings.alerts.silence.total_seconds())
    watch = AlertWatcher(
        journal, survey, pulse, settings.alerts, sources=config.endpoints, name="cli",
        where=installation_name(settings.web.public_url), channels=[],
    )  # fmt: skip
    return watch.current()


@alerts.command(short_help="Send a test by every way that is configured.")
@click.option("--json", "as_json", is_flag=True)
def test(as_json: bool) -> None:
    """Send a test alert by webhook, Slack and e-mail, as far as they are configured. Exit code 1 where one fails.

    \b
    Example:
      segue alerts test
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.monitoring.alerts import (
        NotificationFailed,
        configured_channels,
        installation_name,
        sample_notification,
    )

    settings = configuration().settings
    news = sample_notification(installation_name(settings.web.public_url), datetime.now(UTC))
    told: dict[str, str] = {}
    for way in configured_channels(settings.alerts)[1:]:
        try:
            way.send(news)
            told[way.name] = ""
        except NotificationFailed as error:
            told[way.name] = str(error)
        if not as_json:
            (bad if told[way.name] else good)(f"{way.name}: {told[way.name] or 'sent'}")
    if not told:
        raise fail(
            "No way to tell is configured, so alerts go to the log only.",
            "Set SEGUE_ALERT_SLACK_URL, SEGUE_ALERT_WEBHOOK_URL or SEGUE_SMTP_URL: docs/configuration.md, [alerts].",
        )
    failed = {name: reason for name, reason in told.items() if reason}
    if as_json:
        print_json({"ok": not failed, "channels": [{"name": name, "fault": reason} for name, reason in told.items()]})
    raise SystemExit(1 if failed else 0)
