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
    help="Rebuild the catalog from a folder of goldens (DIR/<source>/* or DIR/*) instead of reading the installed one.",
)
@click.option(
    "--update",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --goldens: write the catalog to this catalog.json of your package.",
)
@click.option(
    "--samples",
    type=click.Path(dir_okay=False, path_type=Path),
    help="With --goldens: write one request for each event type to this samples.json of your package.",
)
def catalog(names: tuple[str, ...], form: str, goldens: Path | None, update: Path | None, samples: Path | None) -> None:
    """List what the installed sources send, or only NAMES.

    `tracking-plan` prints rules for Segment's Protocols (its Public API's tracking plans).

    \b
    Examples:
      segue catalog > CATALOG.md
      segue catalog stripe --format json
      segue catalog --format tracking-plan > plan.json
      segue catalog --goldens tests/golden --update translators/catalog.json --samples translators/samples.json
    """  # noqa: D301
    from webhooks.cli.configuration import runtime_or_default, unknown
    from webhooks.translation import catalog as catalogs
    from webhooks.translation.samples import from_goldens, to_json

    sources = runtime_or_default().sources
    for name in names:
        if name not in sources:
            raise unknown(name, sources)
    if update is not None and goldens is None:
        raise fail(
            "--update needs --goldens.",
            "Give both: --goldens tests/golden --update FILE.",
        )
    if samples is not None and goldens is None:
        raise fail("--samples needs --goldens.", "Give both: --goldens tests/golden --samples FILE.")
    chosen = [sources[name] for name in sorted(names or sources)]
    catalog_of = {
        source.name: catalogs.learn(source, _folder(goldens, source.name)) if goldens else catalogs.shipped(source)
        for source in chosen
    }
    if update is not None:
        update.write_text(json.dumps({name: types for name, types in catalog_of.items() if types}, indent=1) + "\n")
        echo(f"{update}: {sum(map(len, catalog_of.values()))} event types of {len(catalog_of)} sources", err=True)
    if samples is not None and goldens is not None:
        requests = {source.name: from_goldens(source, _folder(goldens, source.name)) for source in chosen}
        samples.write_text(to_json(requests))
        echo(f"{samples}: {sum(map(len, requests.values()))} requests of {len(requests)} sources", err=True)
    if update is not None or samples is not None:
        return
    entries = [catalogs.describe(source, catalog_of[source.name]) for source in chosen]
    if form == "markdown":
        echo(catalogs.markdown(entries), nl=False)
    else:
        print_json(entries if form == "json" else catalogs.tracking_plan(entries))


def _folder(goldens: Path, name: str) -> Path:
    """Return `DIR/<source>` if several sources share the folder, else the folder itself."""
    own = goldens / name
    return own if own.is_dir() else goldens
