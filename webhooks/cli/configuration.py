"""Load what most commands need: plugins, settings and endpoints."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches

from translators.kit import Source
from webhooks.cli.output import Failure, fail, printable
from webhooks.errors import SettingsError
from webhooks.settings import EndpointSettings, Settings, load
from webhooks.sources import plugins
from webhooks.sources.endpoints import Endpoint, bind


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """The loaded configuration. `sources` are the installed ones and those of segue.toml."""

    registry: plugins.Registry
    settings: Settings
    endpoints: Mapping[str, Endpoint]

    @property
    def sources(self) -> Mapping[str, Source]:
        """Return every source that loads, by name."""
        return {**self.registry.sources, **self.settings.sources}

    @property
    def open(self) -> list[str]:
        """Return the names of the endpoints that accept webhooks."""
        return sorted(name for name, endpoint in self.endpoints.items() if endpoint.secrets)

    def endpoint(self, name: str) -> Endpoint:
        """Return the endpoint of that name, else the source of that name with no settings."""
        if name in self.endpoints:
            return self.endpoints[name]
        if name not in self.sources:
            raise unknown(name, {*self.sources, *self.endpoints}, what="source or endpoint")
        alone = replace(self.settings, endpoints={name: EndpointSettings(name=name, source=name)})
        return bind(alone, self.registry.sources)[name]


def unknown(name: str, known: Collection[str], *, what: str = "source") -> Failure:
    """Return the failure for an unknown name, with the closest known one; raise it."""
    close = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    hint = f"Did you mean {close[0]}? `segue sources` lists them all." if close else _all(known)
    return fail(f"No {what} is called {printable(name)!r}.", hint)


def _all(known: Collection[str]) -> str:
    return f"Choose from: {', '.join(sorted(known)) or 'none is installed'}."


def configuration() -> Configuration:
    """Load it from the environment and segue.toml; raise `SettingsError` with every fault."""
    registry = plugins.load()
    settings = load(sources=registry.sources, broken=[plugin.name for plugin in registry.broken])
    return Configuration(registry=registry, settings=settings, endpoints=bind(settings, registry.sources))


def configuration_or_default() -> Configuration:
    """Load it, or return an empty one if it is wrong: for commands that only read payloads."""
    try:
        return configuration()
    except SettingsError:
        return Configuration(registry=plugins.load(), settings=Settings(), endpoints={})
