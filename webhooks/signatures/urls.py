"""The URL as a provider may have signed it: spellings that verification accepts, and candidates for the diagnosis.

Verification accepts only other spellings of the configured URL, never another scheme, host or path.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from translators.kit.schemes import HmacRequest
from webhooks.http.request import HttpRequest

Forms = list[tuple[str, str]]
"""Pairs of a difference and the part of the URL with it. The first is the configured part."""
_PORTS: Final = {"https": 443, "http": 80}
_MAX_CANDIDATES: Final = 40
# https://developers.hubspot.com/docs/apps/legacy-apps/authentication/validating-requests
# None of these separates parameters, so every spelling means the same query.
_ESCAPES: Final = {
    "%3A": ":", "%2F": "/", "%3F": "?", "%40": "@", "%21": "!", "%24": "$",
    "%27": "'", "%28": "(", "%29": ")", "%2A": "*", "%2C": ",", "%3B": ";",
}  # fmt: skip
_SAFE: Final = "%&=+-._~"
_HOST: Final = re.compile(r"[A-Za-z0-9._-]{1,253}(?::\d{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](?::\d{1,5})?")


def accepted(scheme: HmacRequest, request: HttpRequest, public_url: str) -> list[str]:
    """Return every spelling of the configured URL, with the query as it was sent, that a signature may cover."""
    url = public_url
    if request.query_string and "?" not in url:
        url = f"{url}?{request.query_string}"
    urls = [url]
    if scheme.decode_url:
        urls.append(_decoded(url))
    if scheme.port_variants:
        urls += [variant for spelling in list(urls) for variant in _with_and_without_port(spelling)]
    if scheme.decode_url:
        urls += _escaped(url)
    return list(dict.fromkeys(urls))


def candidates(scheme: HmacRequest, request: HttpRequest, public_url: str) -> Iterator[tuple[str, str]]:
    """Yield other URLs that an honest sender may have signed, each with its difference; the most likely first.

    They are for the diagnosis only: host and scheme come from the request itself.
    """
    try:
        parts = urlsplit(public_url)
    except ValueError:
        return
    if not parts.netloc:
        return
    seen = set(accepted(scheme, request, public_url))
    query = parts.query or request.query_string
    forms = (
        _paths(parts.path, request.path), _schemes(parts.scheme), _hosts(parts.scheme, parts.netloc, request),
        _queries(query, request.query_string),
    )  # fmt: skip
    for variant in itertools.islice(_by_number_of_changes(forms), _MAX_CANDIDATES):
        (_, path), (_, scheme_name), (_, host), (_, query) = variant
        url = urlunsplit((scheme_name, host, path, query, ""))
        if url not in seen:
            seen.add(url)
            yield " and ".join(difference for difference, _ in variant if difference), url


def _by_number_of_changes(forms: Sequence[Forms]) -> Iterator[Sequence[tuple[str, str]]]:
    """Yield one change before two. Of single changes, the path comes before the scheme, the host and the query."""
    unchanged = [form[0] for form in forms]
    for number in range(1, len(forms) + 1):
        for changed in itertools.combinations(range(len(forms)), number):
            for changes in itertools.product(*(forms[index][1:] for index in changed)):
                variant = list(unchanged)
                for index, change in zip(changed, changes, strict=True):
                    variant[index] = change
                yield variant


def _schemes(configured: str) -> Forms:
    other = "http" if configured == "https" else "https"
    return [("", configured), (f"with {other} in place of {configured}", other)]


def _hosts(scheme: str, configured: str, request: HttpRequest) -> Forms:
    """Return the configured host, the hosts that the request names, and the host with or without its port."""
    hosts = {configured: ""}
    for header in ("host", "x-forwarded-host", "x-original-host"):
        host = request.headers.get(header, "").partition(",")[0].strip()
        if _HOST.fullmatch(host):
            hosts.setdefault(host, f"with the host {host}")
    bare, _, port = configured.rpartition(":") if re.search(r":\d+$", configured) else (configured, "", "")
    hosts.setdefault(bare, f"without the port {port}")
    hosts.setdefault(f"{bare}:{_PORTS.get(scheme, 443)}", f"with the port {_PORTS.get(scheme, 443)}")
    return [(difference, host) for host, difference in hosts.items()]


def _paths(configured: str, called: str) -> Forms:
    paths = {configured: ""}
    if configured.endswith("/"):
        paths.setdefault(configured.rstrip("/"), "without the slash at its end")
    else:
        paths.setdefault(f"{configured}/", "with a slash at its end")
    if called.startswith("/"):
        paths.setdefault(called, "with the path of this request")
    return [(difference, path) for path, difference in paths.items()]


def _queries(query: str, sent: str) -> Forms:
    queries = {query: ""}
    if query:
        queries.setdefault("", "without its query")
        queries.setdefault(unquote(query), "with its query decoded")
        queries.setdefault(quote(unquote(query), safe="&=+-._~"), "with its query escaped")
    queries.setdefault(sent, "with the query of this request")
    return [(difference, text) for text, difference in queries.items()]


def _decoded(url: str) -> str:
    for escape, plain in _ESCAPES.items():
        url = url.replace(escape, plain).replace(escape.lower(), plain)
    return url


def _escaped(url: str) -> list[str]:
    """Return the URL with its query fully escaped, and as older libraries escape it, without `!'()*`."""
    address, mark, query = _decoded(url).partition("?")
    if not mark:
        return []
    return [f"{address}?{quote(query, safe=safe)}" for safe in (_SAFE, f"{_SAFE}!'()*")]


def _with_and_without_port(url: str) -> list[str]:
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS.get(parts.scheme, 0)
    except ValueError:
        return []
    host = parts.netloc.rpartition(":")[0] if parts.port else parts.netloc
    return [urlunsplit(parts._replace(netloc=netloc)) for netloc in (host, f"{host}:{port}")]
