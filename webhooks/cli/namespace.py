"""`segue namespace`: show the journal's namespace, or change it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from webhooks.cli.confirm import actor_option, audit_context, confirm, yes_option
from webhooks.cli.output import fail, good, print_json
from webhooks.cli.rows import opened

if TYPE_CHECKING:
    from webhooks.journal import Journal


@click.command(short_help="Show the journal's namespace; --rename changes it.")
@click.option("--rename", is_flag=True, help="Change the journal's namespace to the configured one.")
@yes_option
@actor_option
@click.option("--json", "as_json", is_flag=True)
def namespace(rename: bool, yes: bool, actor: str, as_json: bool) -> None:
    """Show the namespace of the journal and the configured one (SEGUE_NAMESPACE, or a fingerprint of the write key).

    A journal takes the namespace of the first `segue serve`, `web` or `work` that opens it. Installations with another
    namespace cannot open it: two installations on one database would deliver each other's events. --rename changes it.
    The namespace is part of every message id, so Segment counts events that are replayed afterwards once more.

    \b
    Examples:
      segue namespace
      SEGUE_NAMESPACE=shop-eu segue namespace --rename
    """  # noqa: D301
    from webhooks.cli.configuration import configuration
    from webhooks.journal import is_absent
    from webhooks.journal.notes import NAMESPACE, JournalNamespace

    config = configuration()
    ours = config.settings.own_namespace
    with opened(config, change=rename) as journal:
        if rename and (absent := is_absent(journal)):
            raise absent
        theirs = (NAMESPACE.read(journal.notes()) or JournalNamespace()).namespace
        if rename and not ours:
            raise fail("No namespace is configured.", "Set SEGUE_NAMESPACE, or a write key, from which one is derived.")
        changed = rename and theirs != ours
        if changed:
            _rename(journal, theirs, ours, actor, ask=not yes)
    if as_json:
        report = {"journal": (ours if changed else theirs) or None, "configured": ours or None, "renamed": changed}
        print_json(report)
    elif changed:
        good(f"the journal's namespace is now {ours}" + (f", it was {theirs}" if theirs else ""))
    else:
        good(f"the journal's namespace: {theirs or 'none yet'}; configured: {ours or 'none'}")


def _rename(journal: Journal, theirs: str, ours: str, actor: str, *, ask: bool) -> None:
    from webhooks.cli.move import ALIVE
    from webhooks.journal.notes import NAMESPACE, WORKERS, JournalNamespace

    now = datetime.now(UTC)
    alive = [name for name, (at, _) in WORKERS.read(journal.notes()).items() if now - at < ALIVE]
    if alive:
        raise fail(
            f"A worker still runs on this journal: {', '.join(alive)}.",
            "Stop Segue there, wait half a minute, and run it again.",
        )
    if theirs:
        confirm(f"Change the namespace from {theirs} to {ours}, and with it every new message id?", ask=ask)
    NAMESPACE.write(journal, JournalNamespace(ours), now=now)
    journal.audit("namespace", {"from": theirs, "to": ours}, by=audit_context(actor, "renamed by hand"), now=now)
