"""`segue register` asks a provider's API, here a local stand-in of each, and tells where the secret goes."""

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote_plus

import pytest
from click.testing import CliRunner, Result

from webhooks import plugins
from webhooks.cli.main import main

SOURCES = plugins.load().sources
URL = "https://hooks.example.com/webhooks/"


@dataclass
class Api:
    """Records what it is asked; answers by method and path."""

    url: str = ""
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)


@pytest.fixture
def api() -> Iterator[Api]:
    told = Api()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            told.asked.append((self.command, self.path, dict(self.headers), body))
            status, value = told.answers.get(f"{self.command} {self.path}", (404, {"error": "no such path"}))
            raw = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        do_GET = do_POST = do_PUT = do_PATCH = answer

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        told.url = f"http://127.0.0.1:{server.server_port}"
        yield told
        server.shutdown()


def register(api: Api, name: str, *more: str) -> Result:
    return CliRunner().invoke(main, ["register", name, "--url", URL + name, "--api-base", api.url, *more])


def give(**values: str) -> list[str]:
    return [part for name, value in values.items() for part in ("--give", f"{name}={value}")]


def test_stripe_gets_an_endpoint_for_exactly_what_we_translate(api: Api) -> None:
    api.answers["POST /v1/webhook_endpoints"] = (200, {"id": "we_1", "secret": "whsec_fresh"})
    done = register(api, "stripe", *give(api_key="sk_test_1"))
    assert done.exit_code == 0, done.output
    assert "STRIPE_WEBHOOK_SECRET=whsec_fresh" in done.output
    ((_, _, headers, body),) = api.asked
    assert headers["Authorization"] == "Bearer sk_test_1"
    fields = parse_qs(body.decode())
    assert fields["url"] == [URL + "stripe"]
    snapshot = {type_ for type_ in SOURCES["stripe"].handlers if not type_.startswith(("v1.", "v2."))}
    assert set(fields["enabled_events[]"]) == snapshot


def test_the_secret_can_be_saved_instead_of_shown(api: Api, tmp_path: Path) -> None:
    api.answers["POST /v1/webhook_endpoints"] = (200, {"secret": "whsec_fresh"})
    env = tmp_path / ".env"
    env.write_text("A=1\nSTRIPE_WEBHOOK_SECRET=old\n")
    done = register(api, "stripe", *give(api_key="sk_test_1"), "--save", str(env))
    assert done.exit_code == 0, done.output
    assert "whsec_fresh" not in done.output
    assert env.read_text() == "A=1\nSTRIPE_WEBHOOK_SECRET=whsec_fresh\n"


def test_a_dry_run_shows_the_request_without_secrets_and_sends_nothing(api: Api) -> None:
    done = register(api, "stripe", *give(api_key="sk_test_1"), "--dry-run")
    assert done.exit_code == 0, done.output
    assert "POST https://api.stripe.com/v1/webhook_endpoints" in done.output
    assert "sk_test_1" not in done.output
    assert api.asked == []


def test_what_the_api_needs_is_named_when_it_is_missing(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STRIPE_API_KEY", raising=False)
    done = register(api, "stripe")
    assert done.exit_code == 1
    assert "STRIPE_API_KEY" in done.output
    monkeypatch.setenv("STRIPE_API_KEY", "sk_env")
    api.answers["POST /v1/webhook_endpoints"] = (200, {"secret": "whsec_fresh"})
    assert register(api, "stripe").exit_code == 0


@pytest.mark.parametrize(
    ("answer", "says"),
    [((401, {"error": {"message": "Invalid API Key"}}), "answered 401"), ((200, {"id": "we_1"}), "not documented")],
)
def test_a_refusal_is_told_in_the_providers_words(api: Api, answer: Any, says: str) -> None:
    api.answers["POST /v1/webhook_endpoints"] = answer
    done = register(api, "stripe", *give(api_key="sk_test_1"))
    assert done.exit_code == 1
    assert says in done.output
    assert "sk_test_1" not in done.output


def test_an_api_that_does_not_answer_is_told() -> None:
    done = register(Api(url="http://127.0.0.1:1"), "stripe", *give(api_key="sk_test_1"))
    assert done.exit_code == 1
    assert "cannot be reached" in done.output


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nobody", "--url", URL], "No source"),
        (["stripe", "--url", "http://plain.example/x"], "not an https address"),
        (["stripe", "--url", URL, "--give", "colour=red"], "is not asked for"),
    ],
)
def test_what_is_asked_wrongly_is_answered_with_the_right_way(arguments: list[str], says: str) -> None:
    done = CliRunner().invoke(main, ["register", *arguments])
    assert done.exit_code == 1
    assert says in done.output


@pytest.mark.parametrize("name", sorted(name for name, source in SOURCES.items() if source.register is None))
def test_a_provider_without_such_an_api_gets_its_steps_printed(name: str) -> None:
    done = CliRunner().invoke(main, ["register", name, "--url", URL + name])
    assert done.exit_code == 0, done.output
    assert URL + name in done.output
    assert f"{name.upper()}_WEBHOOK_SECRET" in done.output


def _zendesk(api: Api) -> tuple[dict[str, str], str]:
    api.answers["POST /api/v2/webhooks"] = (201, {"webhook": {"id": "01H"}})
    api.answers["GET /api/v2/webhooks/01H/signing_secret"] = (
        200,
        {"signing_secret": {"algorithm": "SHA256", "secret": "zs"}},
    )
    return {"subdomain": "acme", "email": "a@example.com", "api_token": "tok-zendesk"}, "zs"


def _paddle(api: Api) -> tuple[dict[str, str], str]:
    api.answers["POST /notification-settings"] = (
        201,
        {"data": {"id": "ntfset_1", "endpoint_secret_key": "pdl_ntfset_k"}},
    )
    return {"api_key": "pdl_live_key"}, "pdl_ntfset_k"


def _chargebee(api: Api) -> tuple[dict[str, str], str]:
    api.answers["POST /api/v2/webhook_endpoints"] = (200, {"webhook_endpoint": {"id": "we_1"}})
    return {"site": "acme", "api_key": "live_key"}, "segue:"


def _paypal(api: Api) -> tuple[dict[str, str], str]:
    api.answers["POST /v1/notifications/webhooks"] = (201, {"id": "0EH40505U7160970P"})
    return {"access_token": "A21AAtoken"}, "0EH40505U7160970P"


def _shopify(api: Api) -> tuple[dict[str, str], str]:
    made = {"data": {"webhookSubscriptionCreate": {"webhookSubscription": {"id": "gid://shopify/1"}, "userErrors": []}}}
    api.answers["POST /admin/api/2025-07/graphql.json"] = (200, made)
    return {"shop": "acme", "access_token": "shpat_token"}, ""


def _sendgrid(api: Api) -> tuple[dict[str, str], str]:
    settings = "/v3/user/webhooks/event/settings"
    api.answers[f"POST {settings}"] = (201, {"id": "w1", "enabled": True})
    api.answers[f"PATCH {settings}/signed/w1"] = (200, {"id": "w1", "public_key": "MFkwEwYH"})
    return {"api_key": "SG.long-key"}, "MFkwEwYH"


def _postmark(api: Api) -> tuple[dict[str, str], str]:
    api.answers["POST /webhooks"] = (200, {"ID": 1234567})
    return {"server_token": "server-token", "message_stream": "mine"}, "segue:"


def _resend(api: Api) -> tuple[dict[str, str], str]:
    api.answers["POST /webhooks"] = (201, {"object": "webhook", "id": "4dd3", "signing_secret": "whsec_r"})
    return {"api_key": "re_long_key"}, "whsec_r"


STAND_INS: dict[str, Callable[[Api], tuple[dict[str, str], str]]] = {
    "zendesk": _zendesk, "paddle": _paddle, "chargebee": _chargebee, "shopify": _shopify, "paypal": _paypal,
    "sendgrid": _sendgrid, "postmark": _postmark, "resend": _resend,
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(STAND_INS))
def test_each_api_is_asked_as_its_provider_documents(api: Api, name: str) -> None:
    values, secret = STAND_INS[name](api)
    done = register(api, name, *give(**values))
    assert done.exit_code == 0, done.output
    asked = [body.decode() for *_, body in api.asked]
    assert any(URL + name in unquote_plus(body) for body in asked)
    assert not [value for value in values.values() if value in done.output and len(value) > 7]
    if secret:
        assert f"{name.upper()}_WEBHOOK_SECRET={secret}" in done.output


def test_every_registration_has_a_stand_in() -> None:
    assert {name for name, source in SOURCES.items() if source.register is not None} == {"stripe", *STAND_INS}
