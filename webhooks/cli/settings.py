"""`segue settings`: the effective value of every setting, and where it comes from."""

from __future__ import annotations

from difflib import get_close_matches

import click

from webhooks.cli.complete import setting_names
from webhooks.cli.output import echo, fail, print_columns, print_json
from webhooks.logs import printable


@click.command(short_help="Show the effective value of every setting, and where it comes from.")
@click.argument("names", nargs=-1, metavar="[NAME]...", shell_complete=setting_names)
@click.option("--changed", is_flag=True, help="Only settings that differ from the default.")
@click.option("--json", "as_json", is_flag=True)
def settings(names: tuple[str, ...], changed: bool, as_json: bool) -> None:
    """Show every setting: its effective value, and whether a variable, segue.toml or the default gives it.

    NAME is a setting or a table of segue.toml. Secrets are never shown, only whether they are set. --json prints
    {"config_file": ..., "settings": [{"name", "value", "is_set", "secret", "origin", "where", "variable", "about"}]};
    origin is default, file, variable or secret_file.

    \b
    Examples:
      segue settings
      segue settings --changed
      segue settings segment web.port
      segue settings endpoints.stripe --json
    """  # noqa: D301
    from webhooks.cli.configuration import current_runtime
    from webhooks.settings.effective import effective

    runtime = current_runtime()
    loaded = runtime.settings
    entries = list(effective(loaded, runtime.origins, runtime.sources))
    known = [setting.name for setting in entries]
    for name in names:
        if not any(_within(setting, name) for setting in known):
            tables = {setting.rpartition(".")[0] for setting in known} - {""}
            close = get_close_matches(name, [*known, *tables], n=1)
            hint = f"Did you mean {close[0]}?" if close else "`segue settings` lists them all."
            raise fail(f"No setting or table is called {printable(name)!r}.", hint)
    selected = [entry for entry in entries if not names or any(_within(entry.name, name) for name in names)]
    if changed:
        selected = [entry for entry in selected if entry.origin != "default"]
    file = str(loaded.config_file) if loaded.config_file else None
    if as_json:
        print_json({"config_file": file, "settings": selected})
        return
    if selected:
        rows = [[entry.name, entry.shown, entry.where or "default"] for entry in selected]
        print_columns(rows, heading=["setting", "value", "from"])
    if len(selected) == 1:
        echo(f"{selected[0].about}{f' Variable: {selected[0].variable}' if selected[0].variable else ''}")
    echo(f"Read from the environment{f' and {file}' if file else '; there is no segue.toml here'}.", err=True)


def _within(setting: str, name: str) -> bool:
    return setting == name or setting.startswith(f"{name}.")
