"""`segue sources`: list sources, whether they are open, and why a plugin does not load."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from webhooks.cli.complete import source_names
from webhooks.cli.output import bad, echo, print_columns, print_json

if TYPE_CHECKING:
    from translators.kit import Source
    from webhooks.runtime import Runtime


@click.command(short_help="List every source: how it signs, what it translates, whether it is open.")
@click.argument("name", required=False, shell_complete=source_names)
@click.option("--verbose", is_flag=True, help="Show the full traceback of a plugin that does not load.")
@click.option("--json", "as_json", is_flag=True)
def sources(name: str | None, verbose: bool, as_json: bool) -> None:
    """List the sources, or show NAME with its event types and options.

    \b
    Examples:
      segue sources
      segue sources stripe
      segue sources --verbose          # why a plugin does not load
    """  # noqa: D301
    from webhooks.cli.configuration import runtime_or_default, unknown

    runtime = runtime_or_default()
    entries = [_entry(runtime, source) for source in sorted(runtime.sources.values(), key=lambda source: source.name)]
    broken = [
        {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version, "error": plugin.error}
        for plugin in runtime.registry.broken
    ]
    if name:
        entries = [entry for entry in entries if entry["name"] == name]
        broken = [plugin for plugin in broken if plugin["name"] == name]
        if not entries and not broken:
            raise unknown(name, runtime.sources)
    if as_json:
        print_json({"sources": entries, "broken": broken})
    elif name and entries:
        _print_source(entries[0], runtime.sources[name])
    else:
        rows = [
            [
                entry["name"],
                entry["title"],
                entry["open"],
                f"{entry['translated']} / {entry['ignored']}",
                _signatures(entry),
                _package(entry),
            ]
            for entry in entries
        ]
        print_columns(rows, heading=["source", "provider", "open", "translated / ignored", "signature", "from"])
    if not as_json:
        for plugin in broken:
            error = plugin["error"].strip()
            bad(
                f"{plugin['name']} ({plugin['distribution']} {plugin['version']}) does not load: "
                + (error if verbose else error.splitlines()[-1])
            )
            if not verbose:
                echo("      `segue sources --verbose` has the traceback; the other sources still work.")
    raise SystemExit(1 if name and not entries else 0)


def _entry(runtime: Runtime, source: Source) -> dict[str, Any]:
    plugin = next((plugin for plugin in runtime.registry.plugins if plugin.source is source), None)
    endpoints = sorted(name for name in runtime.open if runtime.endpoints[name].source is source)
    return {
        "name": source.name,
        "title": source.title,
        "docs": source.docs,
        "open": ", ".join(endpoints) or "closed",
        "secret": f"{source.name.upper()}_WEBHOOK_SECRET",
        "secret_help": source.secret_help,
        "schemes": {
            name: {"class": type(scheme).__name__, "strength": scheme.strength}
            for name, scheme in source.schemes.items()
        },
        "translated": len(source.declared.handlers),
        "ignored": len(source.declared.ignored),
        "distribution": plugin.distribution if plugin else "segue.toml",
        "version": plugin.version if plugin else "",
        "file": plugin.file if plugin else "",
        "options": {
            name: {"help": option.help, "default": option.default, "choices": option.choices}
            for name, option in source.options.items()
        },
    }


def _signatures(entry: dict[str, Any]) -> str:
    return ", ".join(f"{name} ({scheme['strength']})" for name, scheme in entry["schemes"].items())


def _package(entry: dict[str, Any]) -> str:
    """Return the distribution and its version, or the file of a source that is not installed."""
    if entry["file"]:
        return _short_path(Path(entry["file"]))
    return f"{entry['distribution']} {entry['version']}".strip()


def _short_path(path: Path) -> str:
    return f"./{path.relative_to(Path.cwd())}" if path.is_relative_to(Path.cwd()) else str(path)


def _print_source(entry: dict[str, Any], source: Source) -> None:
    echo(f"{entry['title']}  ({entry['name']}, {_package(entry)})", bold=True)
    for line in filter(
        None, (entry["docs"], f"open: {entry['open']}", f"secret: {entry['secret']}  {entry['secret_help']}".strip())
    ):
        echo(f"  {line}")
    _section(
        "signature", (f"{name}: {scheme['class']}, {scheme['strength']}" for name, scheme in entry["schemes"].items())
    )
    _section(
        "options",
        (
            f"SEGUE_{source.name.upper()}_{name.upper()}: {option['help']} (default: {option['default'] or 'none'})"
            for name, option in entry["options"].items()
        ),
    )
    _section("translated", sorted(source.declared.handlers))
    _section("ignored", (f"{rule.pattern}: {rule.because}" for rule in source.declared.ignored.values()))


def _section(title: str, lines: Iterable[str]) -> None:
    shown = list(lines)
    if shown:
        echo(title, bold=True)
        for line in shown:
            echo(f"  {line}")
