"""HTTP methods: a request that carries a part of a delivery by another method is refused, never answered 200."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from support.acme import NOW, body, make_endpoint, make_source, signed
from support.installed_endpoints import ENDPOINTS_BY_NAME, HOST, all_endpoints, call_wsgi, make_handler
from support.memory_journal import MemoryJournal
from translators.kit import Declaration, Delivery, HmacBody, Response, Scheme, SharedToken, Source
from webhooks.http.request import HttpRequest
from webhooks.signatures import presents
from webhooks.sources.endpoints import Endpoint
from webhooks.web.handler import WebhookHandler
from webhooks.web.responses import DESCRIBE_METHODS

ENDPOINTS = all_endpoints()
NAMES = [installed.name for installed in ENDPOINTS]
OTHER_METHODS = {"zendesk", "freshdesk", "gorgias", "jira"}


def metric(handler: WebhookHandler, family: str, **labels: str) -> float:
    return getattr(handler.meter, family).labels(*labels.values())._value.get()  # type: ignore[no-any-return]


def request_endpoint(
    handler: WebhookHandler, name: str, method: str, request: HttpRequest | None = None, **change: Any
) -> tuple[int, Any]:
    request = request or HttpRequest(method=method, body=b"", headers={})
    path = f"/webhooks/{name}" + (
        f"/{request.path_token}" if request.path_token and method not in DESCRIBE_METHODS else ""
    )
    status, _, response = call_wsgi(handler, path, replace(request, method=method, **change))
    return status, json.loads(response) if response else None


@pytest.mark.parametrize("installed", ENDPOINTS, ids=NAMES)
def test_get_with_signature_body_or_query_is_405_and_plain_get_describes(installed: Any) -> None:
    journal = MemoryJournal()
    handler = make_handler(journal)
    genuine = installed.request()
    bare = {key: value for key, value in genuine.headers.items() if key.startswith("content-")}
    assert request_endpoint(handler, installed.name, "GET")[1]["status"] == "open"
    assert request_endpoint(handler, installed.name, "HEAD") == (200, None)
    attempts = {
        "a body": HttpRequest(method="GET", body=genuine.body, headers=bare),
        "a query": HttpRequest(method="GET", body=b"", headers={}, query={"a": "1"}, query_string="a=1"),
    }
    no_body = {key: value for key, value in genuine.headers.items() if not key.startswith("content-")}
    if presents(installed.endpoint.scheme, signed_parts(genuine)):
        attempts["a signature"] = replace(genuine, body=b"", headers=no_body)
    before = metric(handler, "rejected", source=installed.name, reason="method_not_allowed")
    for case, request in attempts.items():
        status, response = request_endpoint(handler, installed.name, "GET", request)
        assert (status, response["error"]) == (405, "method_not_allowed"), case
        assert "Select POST" in response["hint"], case
        assert request_endpoint(handler, installed.name, "HEAD", request) == (405, None), case
    after = metric(handler, "rejected", source=installed.name, reason="method_not_allowed")
    assert after - before == 2 * len(attempts)
    assert journal.rows() == []


def signed_parts(request: HttpRequest) -> Any:

    return HttpRequest(body=b"", headers=request.headers, query=request.query)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "OPTIONS"])
def test_other_method_is_405_unless_the_source_declares_it(method: str) -> None:
    for installed in ENDPOINTS:
        journal = MemoryJournal()
        status, response = request_endpoint(
            make_handler(journal), installed.name, method, installed.request(method=method)
        )
        if method in installed.source.delivery_methods:
            assert installed.source.name in OTHER_METHODS
            assert status == 200
            assert journal.rows(), installed.name
        else:
            assert (status, response["error"]) == (405, "method_not_allowed"), installed.name
            assert journal.rows() == []


def test_only_sources_of_providers_that_document_it_accept_other_methods() -> None:
    assert {
        installed.source.name for installed in ENDPOINTS if len(installed.source.delivery_methods) > 1
    } == OTHER_METHODS


@pytest.mark.parametrize("name", sorted({n for n in NAMES if n.split("_")[0] in OTHER_METHODS}))
def test_declared_method_without_a_body_is_405_with_a_hint(name: str) -> None:
    installed = ENDPOINTS_BY_NAME[name]
    journal = MemoryJournal()
    request = installed.request(body=b"", method="PUT")
    status, response = request_endpoint(make_handler(journal), name, "PUT", request)
    assert status == 405
    assert "without a body" in response["reason"]
    assert "DELETE, PATCH, PUT with a body are accepted too" in response["hint"]
    assert journal.rows() == []


def test_source_cannot_declare_get_as_a_delivery_method() -> None:
    with pytest.raises(Declaration, match="GET"):
        Source("acme", scheme=HmacBody(header="X"), methods=["GET"])


def test_signed_delivery_by_get_is_counted_as_lost_and_logged(caplog: Any) -> None:
    """Twilio signs the URL with its query, which has the form's fields if it sends by GET."""
    from webhooks.signatures import sign

    installed = ENDPOINTS_BY_NAME["twilio_default"]
    query = "MessageSid=SM1&MessageStatus=delivered"
    url = f"{HOST}/webhooks/{installed.name}?{query}"
    signed_request = sign(
        installed.endpoint.scheme, body=b"", secret=installed.signing_secret, now=NOW, method="GET", url=url,
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    handler = make_handler(MemoryJournal())
    headers = dict(signed_request.headers)
    request = HttpRequest(method="GET", body=b"", headers=headers, query_string=query, query={"MessageSid": "SM1"})
    with caplog.at_level(logging.WARNING):
        assert request_endpoint(handler, installed.name, "GET", request)[0] == 405
    (record,) = [record for record in caplog.records if record.message == "rejected"]
    assert (record.endpoint, record.status, record.error) == (installed.name, 405, "method_not_allowed")
    assert (record.method, record.signature) == ("GET", "right")
    labels = {"source": installed.name, "reason": "method_not_allowed", "signature": "right"}
    assert metric(handler, "signed_rejected", **labels) == 1


def make_challenge_handler(**declared: Any) -> WebhookHandler:
    source = make_source(**declared)

    @source.handshake(method="GET", signed=False)
    def challenge(delivery: Delivery) -> Response | None:
        echo = delivery.query.get("challenge")
        return Response(body=echo.encode(), content_type="text/plain") if echo else None

    endpoint = make_endpoint(source)
    return WebhookHandler(
        endpoints={"acme": endpoint}, sources={}, journal=MemoryJournal(), max_body=1000, clock=lambda: NOW
    )


def test_get_challenge_is_answered_and_other_queries_are_not() -> None:
    handler = make_challenge_handler()
    request = HttpRequest(method="GET", body=b"", headers={}, query_string="challenge=abc")
    status, _, response = call_wsgi(handler, "/webhooks/acme", request)
    assert (status, response) == (200, b"abc")
    assert call_wsgi(handler, "/webhooks/acme", replace(request, query_string="other=abc"))[0] in {401, 405}
    assert call_wsgi(handler, "/webhooks/acme", replace(request, query_string=""))[0] == 200


def test_signed_get_without_a_challenge_is_405() -> None:
    headers = {name.lower(): value for name, value in signed(b"").items()}
    status, _, response = call_wsgi(
        make_challenge_handler(), "/webhooks/acme", HttpRequest(method="GET", body=b"", headers=headers)
    )
    assert (status, json.loads(response)["error"]) == (405, "method_not_allowed")


def test_allow_header_lists_describe_delivery_and_handshake_methods() -> None:
    _, headers, _ = call_wsgi(
        make_handler(MemoryJournal()), "/webhooks/stripe_stripe", HttpRequest(method="PUT", body=b"x", headers={})
    )
    assert headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    _, headers, _ = call_wsgi(
        make_handler(MemoryJournal()),
        "/webhooks/zendesk",
        HttpRequest(method="GET", body=b"x", headers={"content-length": "1"}),
    )
    assert headers["Allow"] == "DELETE, GET, HEAD, PATCH, POST, PUT"


def test_plain_get_of_a_closed_or_unknown_endpoint_is_not_counted() -> None:
    source = make_source()
    handler = WebhookHandler(
        endpoints={}, sources={"acme": source}, journal=MemoryJournal(), max_body=1000, clock=lambda: NOW
    )
    assert request_endpoint(handler, "acme", "GET")[0] == 503
    assert request_endpoint(handler, "unknown", "GET")[0] == 404
    assert metric(handler, "rejected", source="acme", reason="not_configured") == 0
    assert request_endpoint(handler, "acme", "POST", HttpRequest(method="POST", body=body(), headers={}))[0] == 503
    assert metric(handler, "rejected", source="acme", reason="not_configured") == 1


def test_get_with_a_token_of_any_scheme_is_405() -> None:
    scheme: dict[str, Scheme] = {
        "signature": HmacBody(header="X-Sig"),
        "token": SharedToken(where="header", name="X-Token"),
    }
    source = Source("acme", scheme=scheme)
    endpoint = Endpoint(name="acme", source=source, scheme=scheme["signature"], secrets=("s",))
    handler = WebhookHandler(
        endpoints={"acme": endpoint}, sources={}, journal=MemoryJournal(), max_body=1000, clock=lambda: NOW
    )
    for header in ("x-sig", "x-token"):
        assert (
            request_endpoint(handler, "acme", "GET", HttpRequest(method="GET", body=b"", headers={header: "x"}))[0]
            == 405
        )
    assert (
        request_endpoint(handler, "acme", "GET", HttpRequest(method="GET", body=b"", headers={"x-other": "x"}))[0]
        == 200
    )
