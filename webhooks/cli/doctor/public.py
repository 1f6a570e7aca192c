"""Check that the public address leads to this installation and its endpoints."""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from webhooks.cli.findings import Finding
from webhooks.cli.starting import bracketed, local
from webhooks.http.client import ClientResponse, request
from webhooks.http.outgoing import Unreachable
from webhooks.journal.protocol import Notes
from webhooks.runtime import Runtime
from webhooks.settings import is_loopback
from webhooks.web import installation_proof


def examine(runtime: Runtime, journal: Notes, now: datetime, timeout: float) -> Iterator[Finding]:
    """Check the web server on this machine's port, then the public address."""
    installation = installation_proof.installation_id(journal, now)
    web = runtime.settings.web
    local_url = f"http://{bracketed(local(web.host))}:{web.port}"
    is_here, _ = _leads_here(local_url, installation, timeout)
    if is_here:
        yield Finding("ok", "web", f"the web server answers on {local_url}")
    if not web.public_url:
        yield Finding(
            "warning", "public",
            "SEGUE_PUBLIC_URL is not set, so the public address cannot be tested: set it to the address that providers "
            "call, such as https://hooks.example.com",
        )  # fmt: skip
        if not is_here:
            yield Finding("warning", "web", f"no web server of this installation answers on {local_url}: `segue serve`")
        return
    if urlsplit(web.public_url).scheme != "https" and not is_loopback(urlsplit(web.public_url).hostname or ""):
        yield Finding("warning", "public", "SEGUE_PUBLIC_URL is http: bodies and tokens travel in clear. Use https")
    reaches, fault = _leads_here(web.public_url, installation, timeout)
    if not reaches:
        yield Finding("fault", "public", f"{web.public_url} {fault}")
        return
    yield Finding("ok", "public", f"{web.public_url} leads to this installation")
    for name in runtime.open:
        yield from _endpoint(runtime.endpoints[name].public_url, name, timeout)


def _leads_here(base: str, installation: str, timeout: float) -> tuple[bool, str]:
    """Return whether a web process with the same journal answers, else also what is wrong."""
    nonce = installation_proof.new_nonce()
    response, fault = _get(f"{base}/healthz?nonce={nonce}", timeout)
    if response is None:
        return False, f"{fault}. Is the web server running, and does the proxy or the platform forward to it?"
    if response.status != 200:
        return False, f"answers {response.status} to /healthz: {_cause(response)}"
    document = str(_json(response).get("proof", ""))
    if hmac.compare_digest(document.encode(), installation_proof.prove(installation, nonce).encode()):
        return True, ""
    return False, (
        "is answered by another program, or by a Segue with another journal: compare SEGUE_DATABASE there and here, "
        "and check where the proxy forwards to"
    )


def _endpoint(url: str, name: str, timeout: float) -> Iterator[Finding]:
    response, fault = _get(url, timeout)
    if response is not None and response.status == 200 and _json(response).get("endpoint") == name:
        yield Finding("ok", "public", f"{url} is open to {name}")
    else:
        problem = fault if response is None else f"answers {response.status}: {_cause(response)}"
        yield Finding("fault", "public", f"{url} {problem}. Providers call it: the proxy must forward /webhooks/")


def _get(url: str, timeout: float) -> tuple[ClientResponse | None, str]:
    try:
        return request("GET", url, headers={"User-Agent": "segue-doctor"}, timeout=timeout), ""
    except Unreachable as error:
        return None, f"cannot be reached from here ({error})"


def _cause(response: ClientResponse) -> str:
    if response.status // 100 == 3:
        target = response.headers.get("location", "another address")[:200]
        return f"it redirects to {target!r}, and providers do not follow"
    if response.status in {401, 403}:
        return "something in front of it requires a password or a certificate"
    if response.status in {502, 503, 504}:
        return "the proxy answers, but the web server behind it does not"
    return "it leads to something else"


def _json(response: ClientResponse) -> dict[str, Any]:
    try:
        document = json.loads(response.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
