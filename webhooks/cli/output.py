"""Output of the commands: failures, aligned columns, JSON. Colours are used on a terminal only."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from typing import IO, Any, Final

import click

from webhooks.errors import SegueError, SettingsError
from webhooks.logs import printable, visible
from webhooks.operations.reasons import MESSAGE_ID

LONGEST_CELL: Final = 160
NARROWEST: Final = 8


class Failure(click.ClickException):
    """An expected error. Exit code 1."""

    def __init__(self, error: SegueError) -> None:
        super().__init__(error.message)
        self.error = error

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the message in red, then the hint."""
        del file
        if isinstance(self.error, SettingsError):
            faults = self.error.faults
            echo(f"The configuration has {len(faults)} fault{'s'[: len(faults) > 1]}:", fg="red", err=True)
            for fault in faults:
                echo(f"  - {fault}", err=True)
        else:
            echo(f"Error: {self.error.message}", fg="red", err=True)
        if self.error.hint:
            echo(self.error.hint, err=True)


def echo(text: object = "", *, err: bool = False, nl: bool = True, **style: Any) -> None:
    """Print text in click's `style` (fg, bold). All output passes here: invisible characters are shown as escapes."""
    shown = visible(str(text))
    click.echo(click.style(shown, **style) if any(style.values()) else shown, err=err, nl=nl)


def fail(message: str, hint: str) -> Failure:
    """Return an expected error with a hint; raise it."""
    return Failure(SegueError(message, hint=hint))


def print_json(value: Any) -> None:
    """Print indented JSON; times in ISO 8601, Decimals as exact numbers."""
    echo(json_text(value))


def json_text(value: Any) -> str:
    """Return indented JSON, as `print_json` prints it."""
    import msgspec

    return msgspec.json.format(json_line(value), indent=2)


def print_line(value: Any) -> None:
    """Print a JSON value on a line of its own."""
    echo(json_line(value))


def json_line(value: Any) -> str:
    """Return JSON on one line; times in ISO 8601, Decimals as exact numbers."""
    import msgspec

    return visible(msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode(value).decode())


def identifier(text: str, width: int = 80) -> str:
    """Return a sender's id or type on one line, cut to a width."""
    return cut(printable(text[: 2 * width]), width)


def short(text: str, width: int = 60) -> str:
    """Return the last line of a reason (of a traceback: the error) without message ids, cut to a width."""
    last = text.strip().rpartition("\n")[2][: 20 * width]
    return cut(printable(MESSAGE_ID.sub("", last)), width)


def cut(text: str, width: int) -> str:
    """Return at most `width` characters of text; an ellipsis marks a cut text."""
    return text if len(text) <= width else f"{text[: width - 1]}…"


def print_columns(rows: Sequence[Sequence[str]], *, heading: Sequence[str] = ()) -> None:
    """Print left-aligned columns, two spaces apart. On a terminal the widest are cut until a line fits."""
    table = [list(heading), *map(list, rows)] if heading else [list(row) for row in rows]
    lines = [[cut(printable(cell[: 2 * LONGEST_CELL]), LONGEST_CELL) for cell in line] for line in table]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    if sys.stdout.isatty():
        widths = fitted(widths, shutil.get_terminal_size().columns)
    for number, line in enumerate(lines):
        text = "  ".join(cut(cell, width).ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        echo(text, bold=bool(heading) and number == 0)


def fitted(widths: Sequence[int], total: int) -> list[int]:
    """Return column widths for lines of `total` characters: the widest are cut first, none below `NARROWEST`."""
    available = total - 2 * (len(widths) - 1)
    limit = max(widths, default=0)
    while limit > NARROWEST and sum(min(width, limit) for width in widths) > available:
        limit -= 1
    spare = available - sum(min(width, limit) for width in widths)
    result = []
    for width in widths:
        extra = min(max(0, width - limit), max(0, spare))
        spare -= extra
        result.append(min(width, limit) + extra)
    return result


def good(text: str) -> None:
    """Print a line for a check that passed."""
    _marked("ok", "green", text)


def warn(text: str, *, err: bool = False) -> None:
    """Print a warning."""
    _marked("warn", "yellow", text, err=err)


def bad(text: str) -> None:
    """Print a fault."""
    _marked("fault", "red", text)


def _marked(mark: str, colour: str, text: str, *, err: bool = False) -> None:
    echo(f"{mark:<6}", fg=colour, nl=False, err=err)
    echo(text, err=err)
