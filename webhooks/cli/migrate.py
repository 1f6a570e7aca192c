"""`segue migrate`: upgrade the journal's tables to this version. A Procfile's release phase runs it on PostgreSQL."""

from __future__ import annotations

from typing import Any

import click

from webhooks.cli.output import echo, fail, good, print_json
from webhooks.logs import progress


@click.command(short_help="Upgrade PostgreSQL's tables to this version (a Procfile's release phase).")
@click.option("--grants", is_flag=True, help="Also create roles for web, worker and reader, with least privilege.")
@click.option("--dry-run", is_flag=True, help="With --grants: print the SQL of the roles and do nothing.")
@click.option("--json", "as_json", is_flag=True)
def migrate(grants: bool, dry_run: bool, as_json: bool) -> None:
    """Create or upgrade the journal's tables in PostgreSQL. Each step is one transaction and keeps what the previous
    version uses, so that version can keep running. Repeated or concurrent runs are safe.

    A SQLite file is upgraded whenever it is opened for writing; this command only opens it, and shows the progress.
    Stop the previous version first.

    \b
    Examples:
      DATABASE_URL=postgres://... segue migrate
      segue migrate && segue serve
      DATABASE_URL=postgres://owner... segue migrate --grants   # then: CREATE USER web1 IN ROLE segue_web ...
      segue migrate --grants --dry-run                          # the SQL, for a database administrator
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime
    from webhooks.journal.postgres import ROLES, grant, script
    from webhooks.journal.postgres import migrate as upgrade

    if dry_run:
        if not grants:
            raise click.UsageError("--dry-run is for --grants: `segue migrate --grants --dry-run`")
        echo(script())
        return
    runtime = current_runtime()
    settings = runtime.settings
    if grants and not settings.on_postgres:
        raise fail(
            "Roles exist in PostgreSQL only, and the journal is a SQLite file.",
            "Protect the file by its mode: chmod 600.",
        )
    if settings.on_postgres:
        before, now = upgrade(settings.database)
        text = f"{settings.database_shown}: version {now}" + (f", from {before}" if before != now else ", unchanged")
        report: dict[str, Any] = {"database": settings.database_shown, "before": before, "version": now}
        if grants:
            report |= {"roles": list(ROLES), "made": grant(settings.database)}
            made = f", created {', '.join(report['made'])}" if report["made"] else ""
            text += f"; rights of {', '.join(ROLES)}{made}"
    else:
        with progress("webhooks.journal"):
            runtime.open_journal(take_namespace=False).close()
        text = f"{settings.database_shown} is up to date"
        report = {"database": settings.database_shown}
    if as_json:
        print_json(report)
    else:
        good(text)
