"""Shell completion: names of sources, endpoints and settings, and event types.

Completion runs at each press of the tab key, so it imports little. If the configuration is wrong, it completes nothing.
"""

from __future__ import annotations

import os
import tomllib
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import wraps
from importlib.metadata import entry_points
from pathlib import Path
from typing import Final

import click
from click.shell_completion import CompletionItem

from webhooks.cli.plugin_option import files_of_option

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]
_GROUP: Final = "segue.translators"


def _completing(names: Callable[[click.Context], Iterable[str]]) -> Complete:
    """Turn a function that returns all names into a click completer, which returns those with a prefix."""

    @wraps(names)
    def complete(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        value = ctx.params.get(str(param.name))
        used = set(value) if isinstance(value, tuple) else set()
        try:
            with ctx.scope(cleanup=False):
                unused = sorted(set(names(ctx)) - used)
        except Exception:  # noqa: BLE001 - a traceback must not break the operator's line
            return []
        return [CompletionItem(name) for name in unused if name.startswith(incomplete)]

    return complete


def _tables(kind: str) -> list[str]:
    """Return the names of `[sources.*]` or `[endpoints.*]` in segue.toml."""
    path = Path(os.environ.get("SEGUE_CONFIG") or "segue.toml")
    with suppress(OSError, ValueError):
        return list(tomllib.loads(path.read_text(encoding="utf-8-sig")).get(kind, {}))
    return []


def _all_sources() -> list[str]:
    return [*(point.name for point in entry_points(group=_GROUP)), *_in_files(), *_tables("sources")]


def _in_files() -> Iterable[str]:
    """Return the names of the sources in the files of `--plugin` or SEGUE_PLUGINS, if there are any."""
    if not files_of_option() and not os.environ.get("SEGUE_PLUGINS"):
        return ()
    from webhooks.settings import plugin_files
    from webhooks.sources.plugins import Registry, with_files

    return with_files(Registry(), files_of_option() or plugin_files()).sources


@_completing
def source_names(ctx: click.Context) -> Iterable[str]:
    """Yield every installed source, those of `--plugin`, and those that segue.toml describes."""
    del ctx
    return _all_sources()


@_completing
def endpoint_names(ctx: click.Context) -> Iterable[str]:
    """Yield every source and every configured endpoint."""
    del ctx
    return [*_all_sources(), *_tables("endpoints")]


@_completing
def sample_types(ctx: click.Context) -> Iterable[str]:
    """Yield the event types of the given source that have a sample for `segue trigger`."""
    from webhooks.cli.configuration import runtime_or_default
    from webhooks.translation.samples import shipped

    return shipped(runtime_or_default().endpoint(ctx.params["source"]).source)


@_completing
def event_types(ctx: click.Context) -> Iterable[str]:
    """Yield the types that the sources of --source translate or ignore; without --source, those of open endpoints."""
    from webhooks.cli.configuration import runtime_or_default

    runtime = runtime_or_default()
    for name in ctx.params.get("sources") or runtime.open:
        source = runtime.endpoint(name).source
        yield from (*source.declared.handlers, *source.declared.ignored)


@_completing
def setting_names(ctx: click.Context) -> Iterable[str]:
    """Yield every setting and table as segue.toml names them."""
    from webhooks.settings.schema import ENDPOINT, TABLES

    del ctx
    for table, schema in TABLES.items():
        yield from filter(None, [table, *(f"{table}.{key}".lstrip(".") for key in schema.fields)])
    for endpoint in _tables("endpoints"):
        yield from [f"endpoints.{endpoint}", *(f"endpoints.{endpoint}.{key}" for key in ENDPOINT.fields)]
