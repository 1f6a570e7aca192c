"""How a provider's API is asked to send its webhooks here: requests as data, none is made in this package.

A registration is a generator: it yields calls, receives each answer as a `Payload`, and returns the signing secret
(empty if the provider shows it elsewhere, as `secret_help` says; None if an earlier run returned it and nothing is
left to do).

    @stripe.registration(Need("api_key", "STRIPE_API_KEY", "a secret key that may write webhook endpoints"))
    def register(at: Registering) -> Registered:
        answer = yield Call("POST", "https://api.stripe.com/v1/webhook_endpoints", ...)
        return answer.text("secret")

It raises `Refused` with the provider's words if an answer of 200 says no. If a provider has no such API,
`source.manual_steps(...)` lists the steps.
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
    """A value that a registration needs of the operator: `--give name=value`, or the environment variable `env`.

    A `secret` is never shown. With a `default`, an empty one too, it may be left out.
    """

    name: str
    env: str
    help: str
    secret: bool = True
    default: str | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One HTTP request to the provider's API. `body` is already encoded; see `json_call` and `form_call`.

    `absent` asks for something that may not be there yet: 404 is then an empty answer.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    absent: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Registering:
    """The argument of a registration: our URL, the event types that we translate (patterns left out), a value for every
    need, and a fresh random secret of 43 letters, digits, dashes and underscores for providers that let us choose it.
    """

    url: str
    types: Sequence[str]
    values: Mapping[str, str]
    secret: str


Registered = Generator[Call, Payload, str | None]
"""What a registration is: it yields calls, receives each answer, and returns the signing secret."""
Register = Callable[[Registering], Registered]


@dataclass(frozen=True, slots=True)
class Registration:
    """A source's way to register, what it needs, and what is left to do by hand after it."""

    needs: tuple[Need, ...]
    run: Register
    after: str = ""


@dataclass(frozen=True, slots=True)
class ManualSteps:
    """The steps in a provider's console. `{url}` and `{secret}` in them are filled in, `{types}` is the list of types.

    `chosen` is how a secret is written that is the operator's own to choose, so that a fresh one is made for it:
    `{random}`, `segue:{random}` for Basic credentials, `whsec_{base64}` for Standard Webhooks.
    """

    steps: tuple[str, ...]
    chosen: str = ""


def bearer(token: str) -> dict[str, str]:
    """Return an `Authorization: Bearer` header."""
    return {"Authorization": f"Bearer {token}"}


def basic(user: str, password: str) -> dict[str, str]:
    """Return an `Authorization: Basic` header."""
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def json_call(method: str, url: str, headers: Mapping[str, str], value: Any = None) -> Call:
    """Return a call with a JSON body, or with none."""
    body = b"" if value is None else json.dumps(value).encode()
    kind = {} if value is None else {"Content-Type": "application/json"}
    return Call(method, url, {**headers, **kind, "Accept": "application/json"}, body)


def form_call(url: str, headers: Mapping[str, str], fields: Sequence[tuple[str, str]]) -> Call:
    """Return a POST with a url-encoded body."""
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    return Call("POST", url, {**headers, **kind}, urlencode(fields).encode())
