"""What the commands print: failures, aligned columns, JSON. Colours only where a terminal is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import IO, Any

import click

from webhooks.errors import SegueError, SettingsError


class Failure(click.ClickException):
    """An expected error. Exit code 1."""

    def __init__(self, error: SegueError) -> None:
        super().__init__(error.message)
        self.error = error

    def show(self, file: IO[Any] | None = None) -> None:
        """What and why in red, then what to do."""
        del file
        if isinstance(self.error, SettingsError):
            faults = self.error.faults
            click.secho(f"The configuration has {len(faults)} fault{'s'[: len(faults) > 1]}:", fg="red", err=True)
            for fault in faults:
                click.echo(f"  - {fault}", err=True)
        else:
            click.secho(f"Error: {self.error.message}", fg="red", err=True)
        if self.error.hint:
            click.echo(self.error.hint, err=True)


def fail(message: str, hint: str) -> Failure:
    """An expected error with what to do about it; raise it."""
    return Failure(SegueError(message, hint=hint))


def print_json(value: Any) -> None:
    """Indented JSON; times in ISO 8601, Decimals as exact numbers."""
    import msgspec

    encoded = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(value)
    click.echo(msgspec.json.format(encoded, indent=2).decode())


def print_columns(rows: Sequence[Sequence[str]], *, heading: Sequence[str] = ()) -> None:
    """Left-aligned columns, two spaces apart; the last one runs on."""
    lines = [list(heading), *map(list, rows)] if heading else [list(row) for row in rows]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))] if lines else []
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.secho(text, bold=bool(heading) and number == 0)


def good(text: str) -> None:
    """A line that says all is well."""
    click.echo(click.style("ok    ", fg="green") + text)


def warn(text: str) -> None:
    """A line to look at."""
    click.echo(click.style("warn  ", fg="yellow") + text)


def bad(text: str) -> None:
    """A fault."""
    click.echo(click.style("fault ", fg="red") + text)
