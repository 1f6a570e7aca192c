"""SEGUE_PLUGINS: files of sources that are not installed. It is read before the settings, which need all sources."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from webhooks.errors import SettingsError
from webhooks.settings.schema import PLUGINS


def plugin_files(environ: Mapping[str, str] | None = None) -> tuple[Path, ...]:
    """Return the absolute paths of SEGUE_PLUGINS, which separates them as PATH does; none if it is not set."""
    text = (os.environ if environ is None else environ).get(PLUGINS, "")
    return tuple(Path(part.strip()).absolute() for part in text.split(os.pathsep) if part.strip())


def plugin_variable(files: Iterable[Path]) -> dict[str, str]:
    """Return the variable by which a child process loads the same files. Raise `SettingsError` for an unusable path."""
    paths = [str(file.absolute()) for file in files]
    for path in paths:
        if os.pathsep in path:
            raise SettingsError(
                [f"the plugin {path} has {os.pathsep!r} in its path, which separates paths in {PLUGINS}: rename it"]
            )
    return {PLUGINS: os.pathsep.join(paths)} if paths else {}
