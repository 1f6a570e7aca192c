"""`--plugin FILE`, the same for every command: a source that is not installed."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import click

_FILES: Final = "webhooks.plugin_files"


def plugin_option() -> click.Option:
    """Return the option; `webhooks.cli.main` adds it to the commands that load sources."""
    return click.Option(
        ["--plugin"],
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        expose_value=False,
        callback=_remember,
        help="Also load the sources of this module, or folder of a package, which is not installed. May be repeated.",
    )


def files_of_option() -> tuple[Path, ...]:
    """Return the absolute paths that `--plugin` names in the command that runs."""
    context = click.get_current_context(silent=True)
    return context.meta.get(_FILES, ()) if context else ()


def _remember(context: click.Context, _option: click.Parameter, files: tuple[Path, ...]) -> None:
    context.meta[_FILES] = tuple(file.absolute() for file in files)
