"""Run a source's registration: send its calls in order, or only show them with their secrets masked."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qsl, quote, quote_plus, urlsplit

from translators.kit import Call, Malformed, Payload, Refused, Registering, Source, parse_json
from translators.kit.payload import _REQUIRED
from webhooks.cli.output import fail
from webhooks.http.client import request
from webhooks.http.outgoing import Unreachable

_TIMEOUT: Final = 30.0
_MAX_RESPONSE: Final = 4 * 1024 * 1024
_MAX_ERROR: Final = 2000
_SECRET_HEADER: Final = re.compile(r"(?im)^(authorization: *\w+) .*$")


def run(source: Source, at: Registering, send: Callable[[Call], Payload]) -> str | None:
    """Send every call of the registration and return its result. Raise a `Failure` with the provider's error."""
    assert source.declared.registration is not None
    steps = source.declared.registration.run(at)
    done = 0
    try:
        call = next(steps)
        while True:
            answer = send(call)
            done += 1
            call = steps.send(answer)
    except StopIteration as end:
        secret: str | None = end.value
        return secret
    except Refused as error:
        raise fail(f"{source.title} refused: {error}.", _hint(source, done)) from None
    except Malformed as error:
        raise fail(
            f"{source.title} returned an undocumented response: {error}.",
            "Check its console: the webhook may exist now. Copy the secret from there.",
        ) from None
    except RegistrationFailed as error:
        raise fail(str(error), error.hint or _hint(source, done)) from None


def _hint(source: Source, done: int) -> str:
    succeeded = f" {done} of the requests succeeded: check its console for what exists now." if done else ""
    by_hand = f" Or by hand: segue register {source.name} --by-hand." if source.declared.manual_steps else ""
    check = "Check the values (a key of the right account, with permission to write webhooks), then try again."
    return f"{check}{succeeded}{by_hand}"


def preview(source: Source, at: Registering, *, hidden: Collection[str]) -> Iterator[str]:
    """Yield every call as text. Values taken from responses are shown as `<path>`."""
    assert source.declared.registration is not None
    steps = source.declared.registration.run(at)
    try:
        call = next(steps)
        while True:
            yield _shown(call, hidden)
            call = steps.send(_PlaceholderPayload({}))
    except (StopIteration, Refused):
        return


class RegistrationFailed(Exception):
    """A call that the provider refused, or that did not reach it (then with its own hint)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def sender(source: Source, *, hidden: Collection[str], api_base: str = "") -> Callable[[Call], Payload]:
    """Return a function that sends a call and returns the response, or an empty one. `api_base` replaces the host."""

    def send(call: Call) -> Payload:
        url = call.url
        if api_base:
            parts = urlsplit(url)
            url = api_base.rstrip("/") + parts.path + (f"?{parts.query}" if parts.query else "")
        headers = {"User-Agent": "segue", **call.headers}
        try:
            response = request(
                call.method, url, body=call.body, headers=headers, timeout=_TIMEOUT, max_bytes=_MAX_RESPONSE,
                proxies=True,
            )  # fmt: skip
        except Unreachable as error:
            raise RegistrationFailed(
                f"{source.title}'s API cannot be reached: {error}", "Check the network, then try again."
            ) from None
        if call.absent and response.status == HTTPStatus.NOT_FOUND:
            return Payload({})
        if response.status // 100 != 2:
            text = response.body[:_MAX_ERROR].decode("utf-8", "replace").strip()
            raise RegistrationFailed(
                f"{source.title} answered {response.status}: {mask(text, hidden) or response.phrase}"
            )
        return Payload(parse_json(response.body) if response.body.strip() else {})

    return send


class _PlaceholderPayload(Payload):
    """A response with a placeholder for every path."""

    def _read(self, path: str, default: Any, expected: str, read: Callable[[Any], Any]) -> Any:
        del expected, read
        return f"<{path}>" if default is _REQUIRED else default

    def object(self, path: str) -> Payload:
        return _PlaceholderPayload({}, f"{self.path}.{path}")

    maybe = object


def _shown(call: Call, hidden: Collection[str]) -> str:
    headers = [f"{name}: {value}" for name, value in call.headers.items()]
    body = ["", _body_text(call)] if call.body else []
    text = "\n".join([f"{call.method} {call.url}", *headers, *body])
    return _SECRET_HEADER.sub(r"\1 ***", mask(text, hidden))


def _body_text(call: Call) -> str:
    if call.headers.get("Content-Type") == "application/json":
        return json.dumps(json.loads(call.body), indent=2, ensure_ascii=False)
    return "\n".join(f"{name}={value}" for name, value in parse_qsl(call.body.decode(), keep_blank_values=True))


def mask(text: str, hidden: Collection[str]) -> str:
    """Return the text without the secrets, however they are encoded in a URL, a form or JSON."""
    for value in sorted(filter(None, hidden), key=len, reverse=True):
        for written in (value, quote(value, safe=""), quote_plus(value), json.dumps(value)[1:-1]):
            text = text.replace(written, "***")
    return text


def secrets_of(values: Mapping[str, str], source: Source, *more: str) -> list[str]:
    """Return what must not be shown: secret needs, and the secrets created for the webhook."""
    assert source.declared.registration is not None
    return [
        values[need.name] for need in source.declared.registration.needs if need.secret and need.name in values
    ] + list(more)
