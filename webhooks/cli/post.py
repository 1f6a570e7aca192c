"""Posting a signed payload, for `segue send` and the demo. One request, no redirects, no proxy."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from webhooks.cli.output import fail
from webhooks.outbound import Unreachable, exchange
from webhooks.signatures import Signed


@dataclass(frozen=True, slots=True)
class Answered:
    """What was heard: `told` is the JSON answer, or its text under `text`."""

    status: int
    phrase: str
    told: Mapping[str, Any]

    @property
    def word(self) -> str:
        """`accepted`, `duplicate`, or the error's stable word."""
        return str(self.told.get("status") or self.told.get("error") or self.phrase)


def post(url: str, signed: Signed, *, content_type: str = "application/json", timeout: float = 30.0) -> Answered:
    """POST it; a failure says why nothing answered."""
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"/{quote(signed.path_token, safe='')}" if signed.path_token else "")
    query = "&".join(filter(None, (parts.query, urlencode(signed.query))))
    headers = {"Content-Type": content_type, "User-Agent": "segue-send", **signed.headers}
    try:
        heard = exchange(
            "POST", parts._replace(path=path, query=query).geturl(), body=signed.body, headers=headers, timeout=timeout
        )
    except Unreachable as error:
        raise fail(
            f"{parts.scheme}://{parts.netloc} did not answer: {error}.",
            "Is it running there? `segue serve` prints its address.",
        ) from None
    try:
        told = json.loads(heard.body)
    except ValueError:
        told = None
    text = heard.body.decode("utf-8", "replace")[:500]
    return Answered(heard.status, heard.phrase, told if isinstance(told, dict) else {"text": text})
