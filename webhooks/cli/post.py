"""Sign and post a payload, for `send`, `trigger` and the demo. One request, no redirects, no proxy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from webhooks.cli.output import fail
from webhooks.http.client import request
from webhooks.http.outgoing import Unreachable
from webhooks.http.request import HttpRequest
from webhooks.settings import secrets_for
from webhooks.signatures import sign
from webhooks.sources.endpoints import Endpoint


@dataclass(frozen=True, slots=True)
class PostResult:
    """The HTTP response: `content` is its JSON object, or its text under `text`."""

    status: int
    phrase: str
    content: Mapping[str, Any]

    @property
    def is_accepted(self) -> bool:
        """Return whether the service accepted it."""
        return 200 <= self.status < 300

    @property
    def word(self) -> str:
        """Return `accepted`, `duplicate`, or the documented error word."""
        return str(self.content.get("status") or self.content.get("error") or self.phrase)


def address(url: str, endpoint: str) -> str:
    """Return the whole URL of an endpoint, from the service's address or a URL of its own."""
    parts = urlsplit(url if "://" in url else f"http://{url}")
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise fail(f"{url!r} is not an http address.", "Give one such as --to http://127.0.0.1:8000")
    return parts.geturl() if parts.path.strip("/") else f"{parts.scheme}://{parts.netloc}/webhooks/{endpoint}"


def signed_post(
    endpoint: Endpoint, unsigned: HttpRequest, url: str, *, secret: str | None, now: datetime, tamper: bool = False
) -> PostResult:
    """Sign a request with the secret (else the endpoint's first) as of `now`, and post it to the URL."""
    secrets = (secret,) if secret else endpoint.secrets or secrets_for(endpoint.name)
    if not secrets:
        raise fail("There is no secret to sign with.", f"Give --secret, or set {endpoint.name.upper()}_WEBHOOK_SECRET.")
    headers = {"content-type": "application/json", **unsigned.headers}
    query = urlencode(unsigned.query)
    public = endpoint.public_url or url
    signed = sign(
        endpoint.scheme, body=unsigned.body, secret=secrets[0], now=now, content_type=headers["content-type"],
        url=f"{public}{'&' if '?' in public else '?'}{query}" if query else public,
    )  # fmt: skip
    signed = replace(
        signed,
        body=tamper_with(signed.body) if tamper else signed.body,
        headers={**headers, **signed.headers},
        query={**unsigned.query, **signed.query},
    )
    return post(url, signed)


def tamper_with(body: bytes) -> bytes:
    """Return almost the same JSON: its last digit changed, else a space added."""
    for place in range(len(body) - 1, -1, -1):
        if body[place : place + 1].isdigit():
            return body[:place] + (b"1" if body[place : place + 1] != b"1" else b"2") + body[place + 1 :]
    return body + b" "


def post(url: str, signed: HttpRequest, *, timeout: float = 30.0) -> PostResult:
    """POST it and return the response; raise a failure if nothing answers."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"/{quote(signed.path_token, safe='')}" if signed.path_token else "")
    query = "&".join(filter(None, (parts.query, urlencode(signed.query))))
    headers = {"content-type": "application/json", "user-agent": "segue-send", **signed.headers}
    try:
        response = request(
            "POST", parts._replace(path=path, query=query).geturl(), body=signed.body, headers=headers, timeout=timeout
        )
    except Unreachable as error:
        raise fail(
            f"{parts.scheme}://{parts.netloc} did not answer: {error}.",
            "Is it running there? `segue serve` prints its address.",
        ) from None
    try:
        content = json.loads(response.body)
    except ValueError:
        content = None
    text = response.body.decode("utf-8", "replace")[:500]
    return PostResult(response.status, response.phrase, content if isinstance(content, dict) else {"text": text})
