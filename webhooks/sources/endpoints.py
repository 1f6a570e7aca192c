"""An endpoint: a configured URL bound to a source, its secrets and options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from translators.kit import Delivery, Scheme, Source
from webhooks.errors import SettingsError
from webhooks.http.request import HttpRequest
from webhooks.settings import EndpointSettings, Settings, endpoint_errors
from webhooks.sources.runtime import SourceRuntime


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A configured endpoint. `options` has a value for every option that the source declares.

    `public_url` is the full URL that the provider calls. `tolerance` is in seconds; None means the scheme's own.
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
    runtime: SourceRuntime = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Make the runtime of its source."""
        object.__setattr__(self, "runtime", SourceRuntime(self.source))

    def delivery(self, request: HttpRequest, *, received_at: datetime, body: bytes | None = None) -> Delivery:
        """Return the request as the source reads it. `body` is the decoded one, if the request has an encoding."""
        return Delivery(
            source=self.name,
            body=request.body if body is None else body,
            received_at=received_at,
            headers=request.headers,
            query=request.query,
            options=self.options,
            method=request.method,
        )


def bind(settings: Settings, sources: Mapping[str, Source]) -> dict[str, Endpoint]:
    """Return every configured endpoint by name. Raise `SettingsError` with every problem found."""
    available = {**sources, **settings.sources}
    configured = list(settings.endpoints.values())
    public_url = settings.web.public_url
    faults = [fault for endpoint in configured for fault in endpoint_errors(endpoint, available, public_url=public_url)]
    if faults:
        raise SettingsError(list(dict.fromkeys(faults)))
    return {endpoint.name: _bind(endpoint, available[endpoint.source], settings) for endpoint in configured}


def _bind(configured: EndpointSettings, source: Source, settings: Settings) -> Endpoint:
    base = settings.web.public_url
    return Endpoint(
        name=configured.name,
        source=source,
        scheme=source.schemes[configured.scheme or next(iter(source.schemes))],
        secrets=configured.secrets,
        options={**source.defaults(), **configured.options},
        user_id_keys=configured.user_id_keys or settings.user_id_keys,
        write_key=configured.write_key,
        public_url=configured.public_url or (f"{base}/webhooks/{configured.name}" if base else ""),
        tolerance=configured.tolerance,
    )
