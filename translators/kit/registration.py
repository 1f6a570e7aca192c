"""How a provider's API is asked to send its webhooks here: requests as data, no request is made in this room.

A registration is a generator: it yields calls, receives each answer as a `Payload`, and returns the signing secret.

    @stripe.registration(Need("api_key", "STRIPE_API_KEY", "a secret key that may write webhook endpoints"))
    def register(at: Registering) -> Registered:
        answer = yield Call("POST", "https://api.stripe.com/v1/webhook_endpoints", ...)
        return answer.text("secret")
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from translators.kit.payload import Payload


@dataclass(frozen=True, slots=True)
class Need:
    """Something the operator must give: as an option (`--api-key`) or in the environment variable `env`."""

    name: str
    env: str
    help: str
    secret: bool = True


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to the provider's API. `body` is already encoded; see `json_call` and `form_call`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """What a registration is given: our URL, the event types that we translate, what the operator gave, and a fresh
    random secret for providers that let us choose it.
    """

    url: str
    types: Sequence[str]
    given: Mapping[str, str]
    secret: str


Registered = Generator[Call, Payload, str]
Register = Callable[[Registering], Registered]


@dataclass(frozen=True, slots=True)
class Registration:
    """A source's way to register, and what it needs."""

    needs: tuple[Need, ...]
    run: Register


def bearer(token: str) -> dict[str, str]:
    """An `Authorization: Bearer` header."""
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> dict[str, str]:
    """An `Authorization: Basic` header."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def json_call(method: str, url: str, headers: Mapping[str, str], value: Any = None) -> Call:
    """A call with a JSON body, or with none."""
    body = b"" if value is None else json.dumps(value).encode()
    kind = {} if value is None else {"Content-Type": "application/json"}
    return Call(method, url, {**headers, **kind, "Accept": "application/json"}, body)


def form_call(url: str, headers: Mapping[str, str], fields: Sequence[tuple[str, str]]) -> Call:
    """A POST with a url-encoded body."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return Call("POST", url, {**headers, **kind}, urlencode(fields).encode())
