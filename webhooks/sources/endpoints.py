"""An endpoint: one door bound to the source that reads it and the secrets that open it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from translators.kit import Scheme, Source
from webhooks.errors import SettingsError
from webhooks.settings import EndpointSettings, Settings, endpoint_errors


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Ready to serve. `options` holds a value for every option that the source declares.

    `public_url` is the endpoint's whole URL as the provider calls it; `tolerance` is in seconds, None the scheme's own.
    """

    name: str
    source: Source
    scheme: Scheme
    secrets: tuple[str, ...] = field(default=(), repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)
    user_id_keys: tuple[str, ...] = ()
    write_key: str = field(default="", repr=False)
    public_url: str = ""
    tolerance: float | None = None


def bind(settings: Settings, sources: Mapping[str, Source]) -> dict[str, Endpoint]:
    """Every endpoint of the settings, by name; `SettingsError` with all that does not fit its source."""
    known = {**sources, **settings.sources}
    told = list(settings.endpoints.values())
    faults = [fault for each in told for fault in endpoint_errors(each, known, public_url=settings.web.public_url)]
    if faults:
        raise SettingsError(list(dict.fromkeys(faults)))
    return {each.name: _bind(each, known[each.source], settings) for each in told}


def _bind(told: EndpointSettings, source: Source, settings: Settings) -> Endpoint:
    base = settings.web.public_url
    return Endpoint(
        name=told.name,
        source=source,
        scheme=source.schemes[told.scheme or next(iter(source.schemes))],
        secrets=told.secrets,
        options={**source.defaults(), **told.options},
        user_id_keys=told.user_id_keys or settings.user_id_keys,
        write_key=told.write_key,
        public_url=told.public_url or (f"{base}/webhooks/{told.name}" if base else ""),
        tolerance=told.tolerance,
    )
