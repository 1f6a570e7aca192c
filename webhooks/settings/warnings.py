"""Find settings that are valid but probably unintended. `segue check` shows them; they are not errors."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from itertools import combinations
from typing import Final
from urllib.parse import urlsplit

from translators.kit import Source
from webhooks.settings import lookalikes
from webhooks.settings.addresses import is_loopback
from webhooks.settings.lookalikes import SUFFIX
from webhooks.settings.model import EndpointSettings, Settings
from webhooks.settings.traces import tracing_problems

_API_KEYS: Final = ("sk_", "pk_", "rk_", "xoxb-", "xoxp-", "ghp_", "SG.")
_PLACEHOLDERS: Final = ("changeme", "change_me", "your", "<", "xxx", "secret", "example", "todo")


def find_warnings(
    settings: Settings,
    environ: Mapping[str, str],
    sources: Mapping[str, Source],
    *,
    region: str | None,
    known: Collection[str],
    used: Collection[str],
    broken: Collection[str],
) -> Iterator[str]:
    """Yield each warning with its fix. `known` are the variables of settings, `used` those that segue.toml names."""
    if not settings.segment.write_key and not all(e.write_key for e in settings.endpoints.values()):
        yield (
            "SEGMENT_WRITE_KEY is not set: webhooks are stored and wait. "
            "Set it to the write key of an HTTP API source in Segment"
        )
    if not any(endpoint.secrets for endpoint in settings.endpoints.values()):
        yield (
            "No endpoint is open, so every webhook is rejected: set a secret, such as STRIPE_WEBHOOK_SECRET "
            "(`segue sources` names them)"
        )
    url = urlsplit(settings.segment.url)
    if url.scheme == "http" and not is_loopback(url.hostname or ""):
        yield "SEGMENT_URL is http, so the write key and all messages travel in clear text: use https"
    if region and settings.segment.url not in {"https://api.segment.io", "https://events.eu1.segmentapis.com"}:
        yield "SEGMENT_URL and SEGMENT_REGION are both set, and the URL wins: remove SEGMENT_REGION"
    yield from tracing_problems(environ)
    for endpoint in settings.endpoints.values():
        yield from _endpoint_warnings(endpoint)
    yield from _shared_secrets(settings)
    yield from lookalikes.wrong_segment(settings.segment.url)
    yield from lookalikes.keys_of_test_mode(settings.endpoints, sources, environ)
    yield from lookalikes.unread(environ, known, {*sources, *settings.endpoints, *broken}, used)


def _shared_secrets(settings: Settings) -> Iterator[str]:
    for one, other in combinations(settings.endpoints.values(), 2):
        if one.source != other.source and set(one.secrets) & set(other.secrets):
            yield (
                f"{one.name} and {other.name} share a secret, so a webhook of one can be sent to the other "
                f"and is accepted: give {other.name.upper()}{SUFFIX} its own secret"
            )


def _endpoint_warnings(endpoint: EndpointSettings) -> Iterator[str]:
    key = f"{endpoint.name.upper()}{SUFFIX}"
    yield from lookalikes.odd_secrets(endpoint)
    if not endpoint.secrets:
        yield f"endpoints.{endpoint.name} has no secret and stays closed: set {key}"
    for secret in endpoint.secrets:
        if secret.startswith(_API_KEYS):
            yield f"{key} looks like an API key, not a webhook signing secret: copy the endpoint's signing secret"
        elif secret.lower().startswith(_PLACEHOLDERS) or len(secret) < 8:
            yield f"{key} looks like a placeholder or is short enough to be guessed: copy the provider's real secret"
