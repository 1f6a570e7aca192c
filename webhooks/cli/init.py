"""`segue init`: write a commented segue.toml, and the variables to fill in."""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from webhooks.cli.complete import source_names
from webhooks.cli.output import echo, fail
from webhooks.logs import printable

if TYPE_CHECKING:
    from translators.kit import Source

_ENV: Final = Path(".env")


@click.command(short_help="Ask a few questions; write a commented segue.toml and a .env to fill in.")
@click.option(
    "--source", "names", multiple=True, metavar="NAME", shell_complete=source_names, help="A provider to receive from."
)
@click.option("--database", metavar="URL", help="The journal. Default: sqlite:///segue.db.")
@click.option("--namespace", metavar="NAME", help="A name that never changes. Default: a random one.")
@click.option("--region", metavar="us|eu", help="Where your Segment workspace is. Default: us.")
@click.option("--public-url", metavar="URL", help="This service's address as providers call it.")
@click.option("--config", type=click.Path(path_type=Path, dir_okay=False), default="segue.toml", show_default=True)
@click.option("--no-input", is_flag=True, help="Ask nothing; use defaults for omitted options.")
@click.option("--force", is_flag=True, help="Overwrite an existing segue.toml.")
def init(
    names: tuple[str, ...],
    database: str | None,
    namespace: str | None,
    region: str | None,
    public_url: str | None,
    config: Path,
    no_input: bool,
    force: bool,
) -> None:
    """Write segue.toml with every setting explained, and add the variables for secrets to .env, to be filled in.

    Asks for omitted options if there is a terminal. Keeps an existing segue.toml unless --force is set. Never changes
    a line of an existing .env.

    \b
    Examples:
      segue init
      segue init --source stripe --source square --region eu --no-input
    """  # noqa: D301
    from webhooks.cli.configuration import runtime_or_default
    from webhooks.settings.example import toml
    from webhooks.settings.schema import TABLES

    if config.exists() and not force:
        raise fail(
            f"{printable(str(config))} exists already; nothing was written.",
            "--force overwrites it; --config writes another file.",
        )
    known = runtime_or_default().registry.sources
    asks = not no_input and _at_a_terminal()
    chosen = _ask(
        "Providers to receive from, with commas", ",".join(names), "", asks, lambda text: _sources(text, known)
    )
    values: dict[str, Any] = {}
    for name, text, question, default in (
        ("database", database, "The journal (a SQLite file, or postgresql://user:password@host/name)", "sqlite:///segue.db"),
        ("namespace", namespace, "A name for this installation that never changes", f"segue-{secrets.token_hex(4)}"),
        ("segment.region", region, "Where your Segment workspace is: us or eu", "us"),
        ("web.public_url", public_url, "This service's address as providers call it, if you know it", ""),
    ):  # fmt: skip
        table, _, key = name.rpartition(".")
        rule = TABLES[table].fields[key]
        value = _ask(question, text, default, asks, lambda text, rule=rule: rule.deserialize(text) if text else "")  # type: ignore[misc]
        if value:
            values[name] = value
    password = "@" in values["database"]
    if password:  # a password belongs with the secrets
        variables = {"SEGUE_DATABASE": ("The journal's address, with its password.", values.pop("database"))}
    else:
        variables = {}
    variables |= _secrets(chosen, known)
    _write(config, toml(values, notes=_notes(chosen, known)))
    added = _add(_ENV, variables)
    echo(f"Wrote {config}.", fg="green")
    echo(
        f"Added to {_ENV}, which only you can read: {', '.join(added)}."
        if added
        else f"{_ENV} has every variable already."
    )
    _next(chosen, values.get("web.public_url", ""))


def _at_a_terminal() -> bool:
    return sys.stdin.isatty()


def _ask(question: str, option: str | None, default: str, asks: bool, check: Callable[[str], Any]) -> Any:
    """Return the validated value: the option, else the user's answer (asked until it is valid), else the default."""
    from marshmallow import ValidationError

    def checked(text: str) -> Any:
        try:
            return check(text.strip())
        except ValidationError as error:
            raise click.UsageError(
                f"{question.partition(',')[0].partition('(')[0].strip()}: it {error.messages[0]}"
            ) from None

    if option or not asks:
        return checked(option or default)
    return click.prompt(question, default=default, show_default=bool(default), value_proc=checked)


def _sources(text: str, known: Mapping[str, Source]) -> list[str]:
    from marshmallow import ValidationError

    from webhooks.settings.validate import nearest

    names = list(dict.fromkeys(part for part in text.lower().replace(",", " ").replace("-", "_").split() if part))
    for name in names:
        if name not in known:
            raise ValidationError(f"names {printable(name)!r}, which is not a source: {nearest(name, known)}")
    return names


def _secrets(chosen: Sequence[str], known: Mapping[str, Source]) -> dict[str, tuple[str, str]]:
    """Return each variable with a description and its value, empty if the operator fills it in."""
    variables = {"SEGMENT_WRITE_KEY": ("Segment: an HTTP API source > Settings > API Keys.", "")}
    for name in chosen:
        source = known[name]
        variables[f"{name.upper()}_WEBHOOK_SECRET"] = (
            f"{source.title}: {source.secret_help or 'its signing secret'}.",
            "",
        )
    return variables


def _notes(chosen: Sequence[str], known: Mapping[str, Source]) -> list[str]:
    if not chosen:
        return []
    lines = [f"  {known[name].title}: /webhooks/{name}, opens with {name.upper()}_WEBHOOK_SECRET" for name in chosen]
    return ["", "Providers to receive from:", *lines]


def _write(path: Path, text: str) -> None:
    """Replace the file as a whole. Only the owner can read it."""
    fresh = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        fresh.replace(path)
    except OSError as error:
        fresh.unlink(missing_ok=True)
        raise fail(
            f"{printable(str(path))} cannot be written: {error.strerror}.", "Choose a folder that you may write to."
        ) from None


def _add(path: Path, variables: Mapping[str, tuple[str, str]]) -> list[str]:
    """Append the variables that the file lacks, and return their names."""
    from webhooks.cli.envfile import names, written

    text = path.read_text(encoding="utf-8-sig") if path.exists() else "# Load it: set -a; . ./.env; set +a\n"
    present = names(text)
    missing = {name: entry for name, entry in variables.items() if name not in present}
    if missing:
        lines = [f"\n# {about}\n{name}={written(value)}\n" for name, (about, value) in missing.items()]
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
        _write(path, text + ("" if text.endswith("\n") else "\n") + "".join(lines))
        path.chmod(mode)
    return list(missing)


def _next(chosen: Sequence[str], public_url: str) -> None:
    address = public_url or "https://<this host>"
    echo("\nNext:")
    echo("  1. Fill in .env, and load it: set -a; . ./.env; set +a")
    echo("  2. segue check")
    echo("  3. segue serve")
    for number, name in enumerate(chosen, 4):
        echo(f"  {number}. segue register {name} --url {address}/webhooks/{name}")
