"""Load sources from the entry-point group `segue.translators`, which built-in and third-party sources share.

A plugin that cannot be loaded is reported with its traceback; the others keep working.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, entry_points
from typing import Final

import segue
from translators.kit import Source
from webhooks.errors import PluginError

GROUP: Final = "segue.translators"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plugin:
    """One entry point: its source, or the traceback of the error that prevented loading it."""

    name: str
    value: str
    distribution: str
    version: str
    source: Source | None = None
    error: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """Every installed plugin, and the sources that could be loaded, by name."""

    plugins: tuple[Plugin, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)

    @property
    def broken(self) -> tuple[Plugin, ...]:
        """Return the plugins that could not be loaded."""
        return tuple(plugin for plugin in self.plugins if plugin.error)


def load(entries: Iterable[EntryPoint] | None = None) -> Registry:
    """Import every installed translator. Built-in ones come first, so another plugin cannot take their names."""
    check_imports()
    points = sorted(
        entry_points(group=GROUP) if entries is None else entries,
        key=lambda point: (point.dist is None or point.dist.name != "segue", point.name),
    )
    plugins: list[Plugin] = []
    sources: dict[str, Source] = {}
    for point in points:
        plugin = _load(point, sources)
        plugins.append(plugin)
        if plugin.source is not None:
            sources[plugin.name] = plugin.source
    return Registry(tuple(plugins), sources)


def check_imports() -> None:
    """Raise `PluginError` if another distribution replaces or hides `translators` or `webhooks`."""
    problem = segue.conflict()
    if problem:
        raise PluginError(problem[0], hint=problem[1])


def _load(point: EntryPoint, loaded_sources: Mapping[str, Source]) -> Plugin:
    distribution = point.dist.name if point.dist else "?"
    version = point.dist.version if point.dist else "?"
    source: Source | None = None
    error = ""
    try:
        loaded = point.load()
        if not isinstance(loaded, Source):
            error = f"{point.value} is {type(loaded).__name__}, not a translators.kit.Source"
        elif loaded.name != point.name:
            error = (
                f"the entry point is called {point.name!r} but its source {loaded.name!r}: use the same name for both"
            )
        elif point.name in loaded_sources:
            error = f"a source called {point.name!r} already exists; choose another name"
        elif loaded.declared.head is None:
            error = f"it declares no function that names its events: register one with @{point.name}.event"
        else:
            source = loaded
    except (Exception, SystemExit):  # noqa: BLE001 - a plugin may raise anything
        error = traceback.format_exc()
    return Plugin(
        name=point.name, value=point.value, distribution=distribution, version=version, source=source, error=error
    )
