"""`segue sources`: every source, whether it is open, and what is wrong with a plugin that does not load."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import click

from webhooks.cli.complete import source_names
from webhooks.cli.output import bad, echo, print_columns, print_json

if TYPE_CHECKING:
    from translators.kit import Source
    from webhooks.cli.configuration import Configuration


@click.command(short_help="List every source: how it signs, what it translates, whether it is open.")
@click.argument("name", required=False, shell_complete=source_names)
@click.option("--verbose", is_flag=True, help="The whole traceback of a plugin that does not load.")
@click.option("--json", "as_json", is_flag=True)
def sources(name: str | None, verbose: bool, as_json: bool) -> None:
    """List the sources, or show NAME alone with its event types and options.

    \b
    Examples:
      segue sources
      segue sources stripe
      segue sources --verbose          # why a plugin does not load
    """  # noqa: D301
    from webhooks.cli.configuration import configuration_or_default, unknown

    config = configuration_or_default()
    told = [_tell(config, each) for each in sorted(config.sources.values(), key=lambda each: each.name)]
    broken = [
        {"name": plugin.name, "distribution": plugin.distribution, "version": plugin.version, "error": plugin.error}
        for plugin in config.registry.broken
    ]
    if name:
        told = [each for each in told if each["name"] == name]
        broken = [each for each in broken if each["name"] == name]
        if not told and not broken:
            raise unknown(name, config.sources)
    if as_json:
        print_json({"sources": told, "broken": broken})
    elif name and told:
        _one(told[0], config.sources[name])
    else:
        rows = [
            [
                each["name"],
                each["title"],
                each["open"],
                f"{each['translated']} / {each['ignored']}",
                _signs(each),
                _from(each),
            ]
            for each in told
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
                echo("      `segue sources --verbose` has the traceback; the other sources work on.")
    raise SystemExit(1 if name and not told else 0)


def _tell(config: Configuration, source: Source) -> dict[str, Any]:
    plugin = next((each for each in config.registry.plugins if each.source is source), None)
    doors = sorted(name for name in config.open if config.endpoints[name].source is source)
    return {
        "name": source.name,
        "title": source.title,
        "docs": source.docs,
        "open": ", ".join(doors) or "closed",
        "secret": f"{source.name.upper()}_WEBHOOK_SECRET",
        "secret_help": source.secret_help,
        "schemes": {
            name: {"class": type(each).__name__, "strength": each.strength} for name, each in source.schemes.items()
        },
        "translated": len(source.handlers),
        "ignored": len(source.ignored),
        "distribution": plugin.distribution if plugin else "segue.toml",
        "version": plugin.version if plugin else "",
        "options": {
            name: {"help": each.help, "default": each.default, "choices": each.choices}
            for name, each in source.options.items()
        },
    }


def _signs(told: dict[str, Any]) -> str:
    return ", ".join(f"{name} ({each['strength']})" for name, each in told["schemes"].items())


def _from(told: dict[str, Any]) -> str:
    return f"{told['distribution']} {told['version']}".strip()


def _one(told: dict[str, Any], source: Source) -> None:
    echo(f"{told['title']}  ({told['name']}, {_from(told)})", bold=True)
    for line in filter(
        None, (told["docs"], f"open: {told['open']}", f"secret: {told['secret']}  {told['secret_help']}".strip())
    ):
        echo(f"  {line}")
    _section("signature", (f"{name}: {each['class']}, {each['strength']}" for name, each in told["schemes"].items()))
    _section(
        "options",
        (
            f"SEGUE_{source.name.upper()}_{name.upper()}: {each['help']} (default: {each['default'] or 'none'})"
            for name, each in told["options"].items()
        ),
    )
    _section("translated", sorted(source.handlers))
    _section("ignored", (f"{each.pattern}: {each.because}" for each in source.ignored.values()))


def _section(title: str, lines: Iterable[str]) -> None:
    found = list(lines)
    if found:
        echo(title, bold=True)
        for line in found:
            echo(f"  {line}")
