"""Variables that look like settings and are not read, and values that cannot be what was meant."""

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
"""What follows a source's name where other programs keep its signing secret."""
_UNSEEN: Final = re.compile("[\u00a0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\x00-\x08\x0e-\x1f\x7f]")
_OFFICIAL: Final = {str(urlsplit(url).hostname): url for url in SEGMENT_REGIONS.values()}
_SEGMENTS_OWN: Final = (".segment.io", ".segment.com", ".segment.co", ".segmentapis.com", ".segment.build")
_TEST_KEY: Final = re.compile(r"([a-z]{2,3}_)?test_|pdl_sdbx_|sandbox-")
"""How an API key of a provider's test mode begins: Stripe's sk_test_, Paddle's pdl_sdbx_, Square's sandbox-."""


def unquoted(value: str) -> str:
    """The value without the quotes around it: a shell takes them away, `docker run --env-file` does not."""
    text = value.strip()
    return text[1:-1].strip() if len(text) > 1 and _QUOTES.get(text[0]) == text[-1] else value


def unread(
    environ: Collection[str], known: Collection[str], names: Collection[str], used: Collection[str]
) -> Iterator[str]:
    """Variables that nothing reads and that were probably meant for us. `used` are read under names of their own."""
    secrets = [f"{name.upper()}{SUFFIX}" for name in names]
    ours = {*known, *secrets, *GENERIC, *(f"{secret}_FILE" for secret in secrets)}
    unset = [secret for secret in secrets if secret not in environ]
    for name in sorted(set(environ) - ours - set(used)):
        upper = name.upper()
        if upper in ours:
            yield f"{name} is not read, because names are in capitals: write {upper}"
        elif not upper.startswith("SEGUE_") and (close := _meant(upper, ours, unset)):
            several = "; several secrets go into one variable, with commas" if upper.startswith(close) else ""
            yield f"{name} is set, but nothing reads it: did you mean {close}?{several}"


def _meant(name: str, ours: Collection[str], unset: Collection[str]) -> str:
    for secret in unset:
        prefix = secret.removesuffix("WEBHOOK_SECRET")
        if name.startswith(prefix) and _OTHER_WORDS.fullmatch(name.removeprefix(prefix)):
            return secret
    if name.startswith("SEGMENT_"):
        close = get_close_matches(name, [each for each in ours if each.startswith("SEGMENT_")], n=1, cutoff=0.75)
    elif "WEBHOOK" in name or name.endswith(("SECRET", "SECRETS")):
        close = get_close_matches(name, [each for each in ours if SUFFIX in each], n=1, cutoff=0.8)
    elif name.startswith(("SE", "DATA", "WEB_")):
        close = get_close_matches(name, ours, n=1, cutoff=0.88)
    else:
        close = []
    return close[0] if close else ""


def odd_secrets(endpoint: EndpointSettings) -> Iterator[str]:
    """Secrets with signs that were copied along. A secret is never shown."""
    key = f"{endpoint.name.upper()}{SUFFIX}"
    for place, secret in enumerate(endpoint.secrets, 1):
        which = f"{key} (number {place} of {len(endpoint.secrets)})" if len(endpoint.secrets) > 1 else key
        if secret[0] in _QUOTE or secret[-1] in _QUOTE:
            yield f"{which} begins or ends with a quote, which is taken as part of the secret: take it out"
        if unseen := _UNSEEN.search(secret):
            yield f"{which} holds a character that cannot be seen (U+{ord(unseen[0]):04X}): copy the secret again"
        elif any(c.isspace() for c in secret) and "-----BEGIN" not in secret:
            yield f"{which} holds a space or a line break: copy the secret again, without them"


def wrong_segment(url: str) -> Iterator[str]:
    """An address that looks like Segment's and takes no messages."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower().rstrip(".")
    if host in _OFFICIAL:
        if parts.path.strip("/"):
            yield f"SEGMENT_URL has the path {parts.path}, and /v1/batch is added to it: give {_OFFICIAL[host]}"
        return
    close = get_close_matches(host, _OFFICIAL, n=1, cutoff=0.8)
    if close or f".{host}".endswith(_SEGMENTS_OWN) or any(host.startswith(f"{each}.") for each in _OFFICIAL):
        meant = _OFFICIAL[close[0]] if close else " or ".join(_OFFICIAL.values())
        yield f"SEGMENT_URL is {host}, which looks like Segment's address and is not: give {meant}"


def keys_of_test_mode(
    endpoints: Mapping[str, EndpointSettings], sources: Mapping[str, Source], environ: Mapping[str, str]
) -> Iterator[str]:
    """A key of a provider's test mode, beside an endpoint that translates live events only."""
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
    """The option by which a source leaves out its provider's test events; empty if it has none, or is set otherwise."""
    declared = source.options if source else {}
    for name, option in declared.items():
        if "both" in option.choices and options.get(name, option.default) in {"live", "production"}:
            return name
    return ""
