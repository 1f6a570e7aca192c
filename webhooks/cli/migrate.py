"""`segue migrate`: the journal's tables in PostgreSQL, brought to this version. A Procfile's release phase runs it."""

from __future__ import annotations

from typing import Any

import click

from webhooks.cli.output import echo, fail, good, print_json


@click.command(short_help="Bring PostgreSQL's tables to this version (a Procfile's release phase).")
@click.option("--grants", is_flag=True, help="Also make the roles of web, worker and reader, with least privilege.")
@click.option("--dry-run", is_flag=True, help="With --grants: print the SQL of the roles and do nothing.")
@click.option("--json", "as_json", is_flag=True)
def migrate(grants: bool, dry_run: bool, as_json: bool) -> None:
    """Make or change the journal's tables in PostgreSQL. Each step is one transaction and leaves alone what the
    version before it uses, so that it may run on meanwhile. Calling it again, or several times at once, does no harm.

    A SQLite file is brought up to date whenever it is opened; here it is only opened.

    \b
    Examples:
      DATABASE_URL=postgres://... segue migrate
      segue migrate && segue serve
      DATABASE_URL=postgres://owner... segue migrate --grants   # then: CREATE USER web1 IN ROLE segue_web ...
      segue migrate --grants --dry-run                          # the SQL, for somebody else to run
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.journal import open_journal
    from webhooks.journal.postgres import ROLES, grant, script
    from webhooks.journal.postgres import migrate as bring

    if dry_run:
        if not grants:
            raise click.UsageError("--dry-run is for --grants: `segue migrate --grants --dry-run`")
        echo(script())
        return
    settings = configuration().settings
    if grants and not settings.on_postgres:
        raise fail(
            "Roles are PostgreSQL's, and the journal is a SQLite file.", "Its file mode is its rights: chmod 600."
        )
    if settings.on_postgres:
        before, now = bring(settings.database)
        text = f"{settings.database_shown}: version {now}" + (f", from {before}" if before != now else ", as it was")
        told: dict[str, Any] = {"database": settings.database_shown, "before": before, "version": now}
        if grants:
            told |= {"roles": list(ROLES), "made": grant(settings.database)}
            made = f", made {', '.join(told['made'])}" if told["made"] else ""
            text += f"; rights of {', '.join(ROLES)}{made}"
    else:
        open_journal(settings.database, settings.encryption_key).close()
        text = f"{settings.database_shown} is up to date"
        told = {"database": settings.database_shown}
    if as_json:
        print_json(told)
    else:
        good(text)
