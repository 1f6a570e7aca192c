"""`segue namespace`: show the journal's namespace, or change it."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from webhooks.cli.confirm import actor_option, audit_context, confirm, yes_option
from webhooks.cli.output import good, print_json
from webhooks.cli.rows import opened


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
    from webhooks.cli.configuration import current_runtime
    from webhooks.operations import namespace as operation

    runtime = current_runtime()
    ours = runtime.settings.own_namespace
    with opened(runtime, change=rename) as journal:
        now = datetime.now(UTC)
        plan = operation.plan(journal, ours, now=now) if rename else None
        theirs = operation.current(journal)
        changed = plan is not None and plan.changes
        if plan and changed:
            question = f"Change the namespace from {theirs} to {ours}, and with it every new message id?"
            confirm(question, ask=bool(theirs) and not yes)
            operation.run(journal, plan, by=audit_context(actor, "renamed by hand"), now=now)
    if as_json:
        report = {"journal": (ours if changed else theirs) or None, "configured": ours or None, "renamed": changed}
        print_json(report)
    elif changed:
        good(f"the journal's namespace is now {ours}" + (f", it was {theirs}" if theirs else ""))
    else:
        good(f"the journal's namespace: {theirs or 'none yet'}; configured: {ours or 'none'}")
