"""Check an endpoint's settings against its source, when settings are loaded and when endpoints are bound."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from translators.kit import HmacRequest, Option, Scheme, Source
from webhooks.settings.fields import either
from webhooks.settings.model import EndpointSettings


def endpoint_errors(endpoint: EndpointSettings, sources: Mapping[str, Source], *, public_url: str) -> Iterator[str]:
    """Yield every error of one endpoint, with its fix. `public_url` is the installation's."""
    where = f"endpoints.{endpoint.name}"
    source = sources.get(endpoint.source)
    if source is None:
        yield f"{where}.source is {endpoint.source!r}: {nearest(endpoint.source, sources)}"
        return
    upper = endpoint.name.upper()
    if endpoint.scheme and endpoint.scheme not in source.schemes:
        yield f"SEGUE_{upper}_SCHEME ({where}.scheme) is {endpoint.scheme!r}: choose {either(source.schemes)}"
        return
    scheme = source.schemes[endpoint.scheme or next(iter(source.schemes))]
    if endpoint.secrets and covers_url(scheme) and not (endpoint.public_url or public_url):
        yield (
            f"SEGUE_PUBLIC_URL is not set, and {source.title} signs the URL it calls: "
            f"set it to this service's address, such as https://hooks.example.com (or SEGUE_{upper}_PUBLIC_URL)"
        )
    for name, value in endpoint.options.items():
        option = source.options.get(name)
        if option is None:
            yield f"{where}.{name} is not an option of {source.title}: {nearest(name, source.options)}"
        else:
            yield from (f"SEGUE_{upper}_{name.upper()} ({where}.{name}) {fault}" for fault in _option(option, value))


def _option(option: Option[Any], value: Any) -> Iterator[str]:
    values = value if option.many else (value,)
    for word in values:
        if option.choices and word not in option.choices:
            yield f"is {word!r}: choose {either(option.choices)}"
        if option.pattern and re.fullmatch(option.pattern, word) is None:
            yield f"is {word!r}, but must be: {option.help}"


def covers_url(scheme: Scheme) -> bool:
    """Return whether the signature covers the URL, so that verification needs the URL that the provider calls."""
    return isinstance(scheme, HmacRequest) and "url" in scheme.parts


def nearest(word: str, known: Mapping[str, Any]) -> str:
    """Return `did you mean …?`, or all known words."""
    close = get_close_matches(word, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    return f"known are {', '.join(sorted(known))}" if known else "there are none"
