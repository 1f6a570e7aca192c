"""Find variables that look like settings but are not read, and values that look wrong."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import Final
from urllib.parse import urlsplit

from translators.kit import Source
from webhooks.settings.model import SEGMENT_REGIONS, EndpointSettings

SUFFIX: Final = "_WEBHOOK_SECRET"
GENERIC: Final = frozenset({"PORT", "WEB_CONCURRENCY", "DATABASE_URL"})
_QUOTES: Final = {'"': '"', "'": "'", "`": "`", "\u201c": "\u201d", "\u2018": "\u2019", "\xab": "\xbb"}
_QUOTE: Final = frozenset([*_QUOTES, *_QUOTES.values()])
_OTHER_WORDS: Final = re.compile(
    r"((SIGNING|ENDPOINT|HOOKS?|WEBHOOKS?|VERIFICATION)_)?(SECRETS?|SIGNING_SECRET|SECRET_KEY)"
)
"""What follows a source's name in other programs' variables for its signing secret."""
_INVISIBLE: Final = re.compile("[\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f\x7f]")
_OFFICIAL: Final = {str(urlsplit(url).hostname): url for url in SEGMENT_REGIONS.values()}
_SEGMENTS_OWN: Final = (".segment.io", ".segment.com", ".segment.co", ".segmentapis.com", ".segment.build")
_TEST_KEY: Final = re.compile(r"([a-z]{2,3}_)?test_|pdl_sdbx_|sandbox-")
"""The start of an API key of a provider's test mode: Stripe's sk_test_, Paddle's pdl_sdbx_, Square's sandbox-."""


def unquoted(value: str) -> str:
    """Return the value without quotes around it: a shell removes them, `docker run --env-file` does not."""
    text = value.strip()
    return text[1:-1].strip() if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] else value


def unread(
    environ: Collection[str], known: Collection[str], names: Collection[str], used: Collection[str]
) -> Iterator[str]:
    """Yield a warning for each unread variable that is probably meant for Segue. segue.toml names those in `used`."""
    secrets = [f"{name.upper()}{SUFFIX}" for name in names]
    settings = {*known, *secrets, *GENERIC, *(f"{secret}_FILE" for secret in secrets)}
    unset = [secret for secret in secrets if secret not in environ]
    for name in sorted(set(environ) - settings - set(used)):
        upper = name.upper()
        if upper in settings:
            yield f"{name} is not read, because names are in capitals: write {upper}"
        elif not upper.startswith("SEGUE_") and (close := _intended(upper, settings, unset)):
            several = "; put several secrets into one variable, with commas" if upper.startswith(close) else ""
            yield f"{name} is set, but nothing reads it: did you mean {close}?{several}"


def _intended(name: str, settings: Collection[str], unset: Collection[str]) -> str:
    for secret in unset:
        prefix = secret.removesuffix("WEBHOOK_SECRET")
        if name.startswith(prefix) and _OTHER_WORDS.fullmatch(name.removeprefix(prefix)):
            return secret
    if name.startswith("SEGMENT_"):
        close = get_close_matches(
            name, [setting for setting in settings if setting.startswith("SEGMENT_")], n=1, cutoff=0.75
        )
    elif "WEBHOOK" in name or name.endswith(("SECRET", "SECRETS")):
        close = get_close_matches(name, [setting for setting in settings if SUFFIX in setting], n=1, cutoff=0.8)
    elif name.startswith(("SE", "DATA", "WEB_")):
        close = get_close_matches(name, settings, n=1, cutoff=0.88)
    else:
        close = []
    return close[0] if close else ""


def odd_secrets(endpoint: EndpointSettings) -> Iterator[str]:
    """Yield a warning for each secret with extra copied characters. A secret is never shown."""
    key = f"{endpoint.name.upper()}{SUFFIX}"
    for number, secret in enumerate(endpoint.secrets, 1):
        which = f"{key} (number {number} of {len(endpoint.secrets)})" if len(endpoint.secrets) > 1 else key
        if secret[0] in _QUOTE or secret[-1] in _QUOTE:
            yield f"{which} begins or ends with a quote, which is read as part of the secret: remove it"
        if invisible := _INVISIBLE.search(secret):
            yield f"{which} contains an invisible character (U+{ord(invisible[0]):04X}): copy the secret again"
        elif any(c.isspace() for c in secret) and "-----BEGIN" not in secret:
            yield f"{which} contains a space or a line break: copy the secret again, without them"


def wrong_segment(url: str) -> Iterator[str]:
    """Yield a warning for a URL that looks like Segment's but accepts no messages."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().rstrip(".")
    if host in _OFFICIAL:
        if parts.path.strip("/"):
            yield f"SEGMENT_URL has the path {parts.path}, and /v1/batch is added to it: give {_OFFICIAL[host]}"
        return
    close = get_close_matches(host, _OFFICIAL, n=1, cutoff=0.8)
    if close or f".{host}".endswith(_SEGMENTS_OWN) or any(host.startswith(f"{official}.") for official in _OFFICIAL):
        suggestion = _OFFICIAL[close[0]] if close else " or ".join(_OFFICIAL.values())
        yield f"SEGMENT_URL is {host}, which looks like Segment's address but is not: give {suggestion}"


def keys_of_test_mode(
    endpoints: Mapping[str, EndpointSettings], sources: Mapping[str, Source], environ: Mapping[str, str]
) -> Iterator[str]:
    """Yield a warning for each key of a provider's test mode if its endpoint delivers only live events."""
    for endpoint in endpoints.values():
        option = live_only(endpoint.options, sources.get(endpoint.source))
        if not option:
            continue
        variables = {name: value for name, value in environ.items() if name.startswith(f"{endpoint.name.upper()}_")}
        for name, value in sorted(variables.items()):
            if _TEST_KEY.match(value):
                yield (
                    f"{name} is of test mode, and {endpoint.name} delivers live events only: its test events are "
                    f"ignored. To deliver them: SEGUE_{endpoint.name.upper()}_{option.upper()}=both"
                )


def live_only(options: Mapping[str, object], source: Source | None) -> str:
    """Return the option that leaves out a provider's test events; empty if there is none, or it is set otherwise."""
    declared = source.options if source else {}
    for name, option in declared.items():
        if "both" in option.choices and options.get(name, option.default) in {"live", "production"}:
            return name
    return ""
