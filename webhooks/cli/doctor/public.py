"""The public address: does it lead here, and through to the webhooks?"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from webhooks.cli.configuration import Configuration
from webhooks.cli.findings import Finding
from webhooks.cli.starting import bracketed, local
from webhooks.http.client import ClientResponse, Unreachable, failure_reason, request
from webhooks.journal import Journal
from webhooks.settings import is_loopback
from webhooks.web import installation_proof


def examine(config: Configuration, journal: Journal, now: datetime, timeout: float) -> Iterator[Finding]:
    """The web server on this machine's port, then the public address."""
    installation = installation_proof.installation_id(journal, now)
    web = config.settings.web
    here = f"http://{bracketed(local(web.host))}:{web.port}"
    is_here, _ = _leads_here(here, installation, timeout)
    if is_here:
        yield Finding("ok", "web", f"the web server answers on {here}")
    if not web.public_url:
        yield Finding(
            "warning", "public",
            "SEGUE_PUBLIC_URL is not set, so whether providers reach this cannot be tried: set it to the address that "
            "they call, such as https://hooks.example.com",
        )  # fmt: skip
        if not is_here:
            yield Finding("warning", "web", f"no web server of this installation answers on {here}: `segue serve`")
        return
    if urlsplit(web.public_url).scheme != "https" and not is_loopback(urlsplit(web.public_url).hostname or ""):
        yield Finding("warning", "public", "SEGUE_PUBLIC_URL is http: bodies and tokens travel in clear. Use https")
    reaches, fault = _leads_here(web.public_url, installation, timeout)
    if not reaches:
        yield Finding("fault", "public", f"{web.public_url} {fault}")
        return
    yield Finding("ok", "public", f"{web.public_url} leads to this installation")
    for name in config.open:
        yield from _door(config.endpoints[name].public_url, name, timeout)


def _leads_here(base: str, installation: str, timeout: float) -> tuple[bool, str]:
    """Whether a web process over the same journal answers; what is wrong where none does."""
    nonce = installation_proof.new_nonce()
    heard, fault = _get(f"{base}/healthz?nonce={nonce}", timeout)
    if heard is None:
        return False, f"{fault}. Is the web server up, and does the proxy or the platform lead there?"
    if heard.status != 200:
        return False, f"answers {heard.status} to /healthz: {_where(heard)}"
    told = str(_json(heard).get("proof", ""))
    if hmac.compare_digest(told.encode(), installation_proof.prove(installation, nonce).encode()):
        return True, ""
    return False, (
        "is answered by another program, or by a Segue over another journal: compare SEGUE_DATABASE there and here, "
        "and where the proxy leads"
    )


def _door(url: str, name: str, timeout: float) -> Iterator[Finding]:
    heard, fault = _get(url, timeout)
    if heard is not None and heard.status == 200 and _json(heard).get("endpoint") == name:
        yield Finding("ok", "public", f"{url} is open to {name}")
    else:
        said = fault if heard is None else f"answers {heard.status}: {_where(heard)}"
        yield Finding("fault", "public", f"{url} {said}. Providers are to call it: the proxy must pass /webhooks/ on")


def _get(url: str, timeout: float) -> tuple[ClientResponse | None, str]:
    try:
        return request("GET", url, headers={"User-Agent": "segue-doctor"}, timeout=timeout), ""
    except Unreachable as error:
        return None, f"cannot be reached from here ({failure_reason(error)})"


def _where(heard: ClientResponse) -> str:
    if heard.status // 100 == 3:
        return f"it redirects to {heard.headers.get('location', 'somewhere')[:200]!r}, and providers do not follow"
    if heard.status in {401, 403}:
        return "something before it wants a password or a certificate"
    if heard.status in {502, 503, 504}:
        return "the proxy is there, the web server behind it is not"
    return "it leads to something else"


def _json(heard: ClientResponse) -> dict[str, Any]:
    try:
        told = json.loads(heard.body)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}
