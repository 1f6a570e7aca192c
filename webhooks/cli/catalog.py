"""`segue catalog`: every source, event type, message and property."""

from __future__ import annotations

import json
from pathlib import Path

import click

from webhooks.cli.complete import source_names
from webhooks.cli.output import echo, fail, print_json


@click.command(short_help="List every source, event type, message and property.")
@click.argument("names", nargs=-1, shell_complete=source_names)
@click.option(
    "--format", "form", type=click.Choice(["markdown", "json", "tracking-plan"]), default="markdown", show_default=True
)
@click.option(
    "--goldens",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Learn anew from a folder of goldens (DIR/<source>/* or DIR/*), instead of what is installed.",
)
@click.option(
    "--update",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --goldens: write what was learnt to this catalog.json of your package.",
)
@click.option(
    "--samples",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --goldens: write one request for each event type to this samples.json of your package.",
)
def catalog(names: tuple[str, ...], form: str, goldens: Path | None, update: Path | None, samples: Path | None) -> None:
    """List what the installed sources send, or NAMES alone.

    `tracking-plan` prints rules for Segment's Protocols (its Public API's tracking plans).

    \b
    Examples:
      segue catalog > CATALOG.md
      segue catalog stripe --format json
      segue catalog --format tracking-plan > plan.json
      segue catalog --goldens tests/golden --update translators/catalog.json --samples translators/samples.json
    """  # noqa: D301
    from webhooks.cli.configuration import configuration_or_default, unknown
    from webhooks.translation import catalog as room
    from webhooks.translation.samples import from_goldens, to_json

    sources = configuration_or_default().sources
    for name in names:
        if name not in sources:
            raise unknown(name, sources)
    if update is not None and goldens is None:
        raise fail("--update writes what --goldens teaches.", "Give both: --goldens tests/golden --update FILE.")
    if samples is not None and goldens is None:
        raise fail("--samples writes requests of --goldens.", "Give both: --goldens tests/golden --samples FILE.")
    chosen = [sources[name] for name in sorted(names or sources)]
    learnt = {
        source.name: room.learn(source, _folder(goldens, source.name)) if goldens else room.shipped(source)
        for source in chosen
    }
    if update is not None:
        update.write_text(json.dumps({name: each for name, each in learnt.items() if each}, indent=1) + "\n")
        echo(f"{update}: {sum(map(len, learnt.values()))} event types of {len(learnt)} sources", err=True)
    if samples is not None and goldens is not None:
        found = {source.name: from_goldens(source, _folder(goldens, source.name)) for source in chosen}
        samples.write_text(to_json(found))
        echo(f"{samples}: {sum(map(len, found.values()))} requests of {len(found)} sources", err=True)
    if update is not None or samples is not None:
        return
    entries = [room.describe(source, learnt[source.name]) for source in chosen]
    if form == "markdown":
        echo(room.markdown(entries), nl=False)
    else:
        print_json(entries if form == "json" else room.tracking_plan(entries))


def _folder(goldens: Path, name: str) -> Path:
    """`DIR/<source>` where several share a folder, else the folder itself."""
    own = goldens / name
    return own if own.is_dir() else goldens
