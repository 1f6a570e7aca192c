"""An endpoint: one door bound to the source that reads it and the secrets that open it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from translators.kit import Scheme, Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Ready to serve. `options` holds a value for every option that the source declares."""

    name: str
    source: Source
    scheme: Scheme
    secrets: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    user_id_keys: tuple[str, ...] = ()
    write_key: str = ""
    public_url: str = ""
