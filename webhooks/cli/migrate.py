"""`segue migrate`: the journal's tables in PostgreSQL, brought to this version. A Procfile's release phase runs it."""

from __future__ import annotations

import click

from webhooks.cli.output import good, print_json


@click.command(short_help="Bring PostgreSQL's tables to this version (a Procfile's release phase).")
@click.option("--json", "as_json", is_flag=True)
def migrate(as_json: bool) -> None:
    """Make or change the journal's tables in PostgreSQL. Each step is one transaction and leaves alone what the
    version before it uses, so that it may run on meanwhile. Calling it again, or several times at once, does no harm.

    A SQLite file is brought up to date whenever it is opened; here it is only opened.

    \b
    Examples:
      DATABASE_URL=postgres://... segue migrate
      segue migrate && segue serve
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.journal import open_journal
    from webhooks.journal.postgres import migrate as bring

    settings = configuration().settings
    if settings.on_postgres:
        before, now = bring(settings.database)
        text = f"{settings.database_shown}: version {now}" + (f", from {before}" if before != now else ", as it was")
        told = {"database": settings.database_shown, "before": before, "version": now}
    else:
        open_journal(settings.database, settings.encryption_key).close()
        text = f"{settings.database_shown} is up to date"
        told = {"database": settings.database_shown}
    if as_json:
        print_json(told)
    else:
        good(text)
