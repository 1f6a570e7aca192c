"""The runtime of the command that runs, loaded once, and the failure for a name that it does not know."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import click

from webhooks.cli.output import Failure
from webhooks.cli.plugin_option import files_of_option
from webhooks.errors import SettingsError
from webhooks.runtime import Runtime
from webhooks.sources.names import unknown_name

_LOADED: Final = "webhooks.runtime"


def current_runtime() -> Runtime:
    """Return the runtime of this command. Load it on first use; raise `SettingsError` with every fault."""
    context = click.get_current_context(silent=True)
    loaded: Runtime | None = context.meta.get(_LOADED) if context else None
    if loaded is None:
        loaded = Runtime.load(files=files_of_option())
        if context:
            context.meta[_LOADED] = loaded
    return loaded


def runtime_or_default() -> Runtime:
    """Return the runtime; with default settings if they are wrong, for commands that only read payloads."""
    try:
        return current_runtime()
    except SettingsError:
        return Runtime.load_or_default(files=files_of_option())


def unknown(name: str, known: Collection[str], *, what: str = "source") -> Failure:
    """Return the failure for an unknown name, with the closest known one; raise it."""
    return Failure(unknown_name(name, known, what=what))
