"""What most commands begin with: the plugins, the settings, the endpoints."""

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
    """Loaded and bound. `sources` are the installed ones and those of segue.toml."""

    registry: plugins.Registry
    settings: Settings
    endpoints: Mapping[str, Endpoint]

    @property
    def sources(self) -> Mapping[str, Source]:
        """Every source that works, by name."""
        return {**self.registry.sources, **self.settings.sources}

    @property
    def open(self) -> list[str]:
        """The endpoints that take webhooks."""
        return sorted(name for name, endpoint in self.endpoints.items() if endpoint.secrets)

    def endpoint(self, name: str) -> Endpoint:
        """The endpoint of that name, or the source of that name with nothing set."""
        if name in self.endpoints:
            return self.endpoints[name]
        if name not in self.sources:
            raise unknown(name, {*self.sources, *self.endpoints}, what="source or endpoint")
        alone = replace(self.settings, endpoints={name: EndpointSettings(name=name, source=name)})
        return bind(alone, self.registry.sources)[name]


def unknown(name: str, known: Collection[str], *, what: str = "source") -> Failure:
    """The failure of a name that nothing has, with the nearest one; raise it."""
    close = get_close_matches(name.lower().replace("-", "_"), known, n=1)
    hint = f"Did you mean {close[0]}? `segue sources` lists them all." if close else _all(known)
    return fail(f"No {what} is called {printable(name)!r}.", hint)


def _all(known: Collection[str]) -> str:
    return f"Choose from: {', '.join(sorted(known)) or 'none is installed'}."


def configuration() -> Configuration:
    """From the environment and segue.toml; `SettingsError` with every fault."""
    registry = plugins.load()
    settings = load(sources=registry.sources, broken=[plugin.name for plugin in registry.broken])
    return Configuration(registry=registry, settings=settings, endpoints=bind(settings, registry.sources))


def configuration_or_default() -> Configuration:
    """The same, with nothing configured where the configuration is wrong: for commands that only look at payloads."""
    try:
        return configuration()
    except SettingsError:
        return Configuration(registry=plugins.load(), settings=Settings(), endpoints={})
