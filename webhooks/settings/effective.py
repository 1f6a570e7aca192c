"""Find the effective value of every setting and where it comes from. Secrets are never included."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from marshmallow.fields import Field

from translators.kit import Source
from webhooks.settings.descriptions import ABOUT
from webhooks.settings.fields import span_text
from webhooks.settings.model import SEGMENT_REGIONS, EndpointSettings, Settings
from webhooks.settings.schema import ENDPOINT, TABLES

Origin = Literal["default", "file", "variable", "secret_file"]
Origins = Mapping[str, tuple[Any, str]]
_IN_FILE: Final = " in "


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSetting:
    """One setting. `value` is None for a secret; `where` is the file or variable that set it, empty by default."""

    name: str
    value: Any
    is_set: bool
    secret: bool
    origin: Origin
    where: str
    variable: str
    about: str

    @property
    def shown(self) -> str:
        """Return the value as text."""
        if self.secret:
            return "set (hidden)" if self.is_set else "not set"
        if isinstance(self.value, bool):
            return str(self.value).lower()
        if isinstance(self.value, list):
            return ", ".join(map(str, self.value)) or "none"
        return f"{self.value:g}" if isinstance(self.value, float) else str(self.value) or "none"


def effective(settings: Settings, origins: Origins, sources: Mapping[str, Source]) -> Iterator[EffectiveSetting]:
    """Yield every setting in the order of docs/configuration.md, then those of each endpoint.

    `origins` are those of `load_with_origins`, `sources` every source that endpoints may name.
    """
    models = {"": settings, "identity": settings}
    for table, schema in TABLES.items():
        model = models.get(table) or getattr(settings, table)
        for key, rule in schema.fields.items():
            name = f"{table}.{key}".lstrip(".")
            value = settings.database_shown if key == "database" else getattr(model, key, None)
            if name == "segment.region":
                value = _region(settings, origins)
            yield _setting(name, value, rule, origins, rule.metadata["env"], ABOUT[name])
    for endpoint in settings.endpoints.values():
        yield from _endpoint(endpoint, settings, origins, sources[endpoint.source])


def _region(settings: Settings, origins: Origins) -> str:
    """Return the configured region, or the region of the URL; empty for another service's URL."""
    if "segment.region" in origins:
        return str(origins["segment.region"][0])
    return next((region for region, url in SEGMENT_REGIONS.items() if url == settings.segment.url), "")


def _endpoint(
    endpoint: EndpointSettings, settings: Settings, origins: Origins, source: Source
) -> Iterator[EffectiveSetting]:
    scheme = endpoint.scheme or next(iter(source.schemes))
    base = settings.web.public_url
    values: dict[str, Any] = {
        "source": source.name,
        "secrets": endpoint.secrets,
        "secret_env": origins.get(f"endpoints.{endpoint.name}.secret_env", ((), ""))[0],
        "scheme": scheme,
        "write_key": endpoint.write_key or settings.segment.write_key,
        "user_id_keys": endpoint.user_id_keys or settings.user_id_keys,
        "public_url": endpoint.public_url or (f"{base}/webhooks/{endpoint.name}" if base else ""),
        "tolerance": endpoint.tolerance or getattr(source.schemes[scheme], "tolerance", ""),
    }
    for key, rule in ENDPOINT.fields.items():
        variable = rule.metadata.get("env", "").replace("{NAME}", endpoint.name.upper())
        name = f"endpoints.{endpoint.name}.{key}"
        yield _setting(name, values[key], rule, origins, variable, ABOUT[f"endpoints.{key}"])
    for key, value in {**source.defaults(), **endpoint.options}.items():
        variable = f"SEGUE_{endpoint.name.upper()}_{key.upper()}"
        name = f"endpoints.{endpoint.name}.{key}"
        yield _setting(name, value, None, origins, variable, source.options[key].help)


def _setting(
    name: str, value: Any, rule: Field[Any] | None, origins: Origins, variable: str, about: str
) -> EffectiveSetting:
    secret = bool(rule is not None and rule.metadata.get("secret"))
    origin, where = _origin(origins[name][1]) if name in origins else ("default", "")
    return EffectiveSetting(
        name=name, value=None if secret else _plain(value), is_set=bool(value), secret=secret, origin=origin,
        where=where, variable=variable, about=about,
    )  # fmt: skip


def _origin(key: str) -> tuple[Origin, str]:
    """Return the origin and its name from a loader's key: `segment.region in segue.toml` or `SEGMENT_REGION`."""
    if _IN_FILE in key:
        return "file", key.partition(_IN_FILE)[2]
    return ("secret_file" if key.endswith("_FILE") else "variable"), key


def _plain(value: Any) -> Any:
    """Return a value for JSON: durations as `7d`, tuples as lists, None as an empty string."""
    if isinstance(value, timedelta):
        return span_text(value)
    return list(value) if isinstance(value, tuple) else "" if value is None else value
