"""Load what most commands need: plugins, settings and endpoints."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

from translators.kit import Source
from webhooks.cli.output import Failure
from webhooks.errors import SettingsError
from webhooks.settings import EndpointSettings, Settings, load
from webhooks.sources import plugins
from webhooks.sources.endpoints import Endpoint, bind
from webhooks.sources.names import unknown_name


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
    def names(self) -> frozenset[str]:
        """Return every name of a source or an endpoint, also of a source that does not load."""
        return frozenset({*self.sources, *self.endpoints, *(plugin.name for plugin in self.registry.broken)})

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
    return Failure(unknown_name(name, known, what=what))


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
