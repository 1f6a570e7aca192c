"""What the commands print: failures, aligned columns, JSON. Colours only where a terminal is."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import IO, Any, Final

import click

from webhooks.errors import SegueError, SettingsError

MESSAGE_ID: Final = re.compile(r"[a-z0-9_]+-[a-z0-9-]*-?[0-9a-f]{40}: ")
"""As it stands before what is wrong with the message."""
_UNSEEN: Final = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


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
                click.echo(f"  - {visible(fault)}", err=True)
        else:
            click.secho(f"Error: {visible(self.error.message)}", fg="red", err=True)
        if self.error.hint:
            click.echo(self.error.hint, err=True)


def visible(text: str) -> str:
    """Text of somebody else's, for a terminal: what would move the cursor, colour or reorder it shows as an escape."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def fail(message: str, hint: str) -> Failure:
    """An expected error with what to do about it; raise it."""
    return Failure(SegueError(message, hint=hint))


def print_json(value: Any) -> None:
    """Indented JSON; times in ISO 8601, Decimals as exact numbers."""
    click.echo(json_text(value))


def json_text(value: Any) -> str:
    """The same as text."""
    import msgspec

    return msgspec.json.format(json_line(value), indent=2)


def print_line(value: Any) -> None:
    """One JSON value on a line of its own, at once: for whoever reads along."""
    click.echo(json_line(value))


def json_line(value: Any) -> str:
    """JSON on one line; times in ISO 8601, Decimals as exact numbers."""
    import msgspec

    return visible(msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(value).decode())


def printable(text: str) -> str:
    """Without what would move a terminal's cursor or forge a line: senders choose keys and types."""
    return text if text.isprintable() else "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def short(text: str, width: int = 60) -> str:
    """The last line of a reason (where a traceback says what it was) without message ids, cut to a width."""
    last = printable(MESSAGE_ID.sub("", text.strip().rpartition("\n")[2]))
    return last if len(last) <= width else f"{last[: width - 1]}…"


def print_columns(rows: Sequence[Sequence[str]], *, heading: Sequence[str] = ()) -> None:
    """Left-aligned columns, two spaces apart; the last one runs on."""
    told = [list(heading), *map(list, rows)] if heading else [list(row) for row in rows]
    lines = [[visible(cell).replace("\n", "\\n") for cell in line] for line in told]
    widths = [max(len(line[place]) for line in lines) for place in range(len(lines[0]))] if lines else []
    for number, line in enumerate(lines):
        text = "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        click.secho(text, bold=bool(heading) and number == 0)


def good(text: str) -> None:
    """A line that says all is well."""
    click.echo(click.style("ok    ", fg="green") + visible(text))


def warn(text: str) -> None:
    """A line to look at."""
    click.echo(click.style("warn  ", fg="yellow") + visible(text))


def bad(text: str) -> None:
    """A fault."""
    click.echo(click.style("fault ", fg="red") + visible(text))
