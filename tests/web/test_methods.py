"""By which methods a delivery comes: what carries something of one and is not taken is refused, and never answered 200."""

import json
import logging
from dataclasses import replace
from typing import Any

import pytest

from acme import NOW, body, make_endpoint, make_source, signed
from doors import HOST, PLACES_BY_NAME, call, door, places
from memory_journal import MemoryJournal
from translators.kit import Declaration, Delivery, HmacBody, Response, SharedToken, Source
from webhooks.signatures import presents
from webhooks.sources.endpoints import Endpoint
from webhooks.web.handler import DESCRIBE_METHODS, HttpRequest, WebhookHandler

PLACES = places()
NAMES = [place.name for place in PLACES]
TAKEN_BY_OTHERS = {"zendesk", "freshdesk", "gorgias", "jira"}


def metric(opened: WebhookHandler, family: str, **labels: str) -> float:
    return getattr(opened.meter, family).labels(*labels.values())._value.get()  # type: ignore[no-any-return]


def ask(
    opened: WebhookHandler, name: str, method: str, incoming: HttpRequest | None = None, **change: Any
) -> tuple[int, Any]:
    incoming = incoming or HttpRequest(method=method, body=b"", headers={})
    path = f"/webhooks/{name}" + (f"/{incoming.token}" if incoming.token and method not in DESCRIBE_METHODS else "")
    status, _, answer = call(opened, path, replace(incoming, method=method, **change))
    return status, json.loads(answer) if answer else None


@pytest.mark.parametrize("place", PLACES, ids=NAMES)
def test_a_get_with_a_signature_a_body_or_a_query_is_405_and_a_bare_one_shows_the_endpoint(place: Any) -> None:
    journal = MemoryJournal()
    opened = door(journal)
    genuine = place.request()
    bare = {key: value for key, value in genuine.headers.items() if key.startswith("content-")}
    assert ask(opened, place.name, "GET")[1]["status"] == "open"
    assert ask(opened, place.name, "HEAD") == (200, None)
    attempts = {
        "a body": HttpRequest(method="GET", body=genuine.body, headers=bare),
        "a query": HttpRequest(method="GET", body=b"", headers={}, query={"a": "1"}, query_string="a=1"),
    }
    no_body = {key: value for key, value in genuine.headers.items() if not key.startswith("content-")}
    if presents(place.endpoint.scheme, place_request(genuine)):
        attempts["a signature"] = replace(genuine, body=b"", headers=no_body)
    before = metric(opened, "rejected", source=place.name, reason="method_not_allowed")
    for what, incoming in attempts.items():
        status, answer = ask(opened, place.name, "GET", incoming)
        assert (status, answer["error"]) == (405, "method_not_allowed"), what
        assert "Select POST" in answer["hint"], what
        assert ask(opened, place.name, "HEAD", incoming) == (405, None), what
    after = metric(opened, "rejected", source=place.name, reason="method_not_allowed")
    assert after - before == 2 * len(attempts)
    assert journal.rows() == []


def place_request(incoming: HttpRequest) -> Any:
    from webhooks.signatures import Request

    return Request(body=b"", headers=incoming.headers, query=incoming.query)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "PROPFIND", "OPTIONS"])
def test_another_method_is_405_unless_the_source_declares_it(method: str) -> None:
    for place in PLACES:
        journal = MemoryJournal()
        status, answer = ask(door(journal), place.name, method, place.request(method=method))
        if method in place.source.delivery_methods:
            assert place.source.name in TAKEN_BY_OTHERS
            assert status == 200
            assert journal.rows(), place.name
        else:
            assert (status, answer["error"]) == (405, "method_not_allowed"), place.name
            assert journal.rows() == []


def test_exactly_the_providers_that_document_other_methods_take_them() -> None:
    assert {place.source.name for place in PLACES if len(place.source.delivery_methods) > 1} == TAKEN_BY_OTHERS


@pytest.mark.parametrize("name", sorted({n for n in NAMES if n.split("_")[0] in TAKEN_BY_OTHERS}))
def test_a_declared_method_without_a_body_is_405_and_its_hint_names_what_is_taken(name: str) -> None:
    place = PLACES_BY_NAME[name]
    journal = MemoryJournal()
    incoming = place.request(body=b"", method="PUT")
    status, answer = ask(door(journal), name, "PUT", incoming)
    assert status == 405
    assert "without a body" in answer["reason"]
    assert "DELETE, PATCH, PUT with a body are accepted too" in answer["hint"]
    assert journal.rows() == []


def test_a_source_declares_only_methods_that_carry_a_body() -> None:
    with pytest.raises(Declaration, match="GET"):
        Source("acme", scheme=HmacBody(header="X"), methods=["GET"])


def test_a_delivery_by_get_that_is_rightly_signed_is_counted_as_lost_and_logged(caplog: Any) -> None:
    """Twilio signs the URL with its query; its form's fields stand there when it calls by GET."""
    from webhooks.signatures import sign

    place = PLACES_BY_NAME["twilio_default"]
    query = "MessageSid=SM1&MessageStatus=delivered"
    url = f"{HOST}/webhooks/{place.name}?{query}"
    made = sign(
        place.endpoint.scheme, body=b"", secret=place.signs, now=NOW, method="GET", url=url,
        content_type="application/x-www-form-urlencoded",
    )  # fmt: skip
    opened = door(MemoryJournal())
    headers = {name.lower(): value for name, value in made.headers.items()}
    incoming = HttpRequest(method="GET", body=b"", headers=headers, query_string=query, query={"MessageSid": "SM1"})
    with caplog.at_level(logging.WARNING):
        assert ask(opened, place.name, "GET", incoming)[0] == 405
    (record,) = [record for record in caplog.records if record.message == "rejected"]
    assert (record.endpoint, record.status, record.error) == (place.name, 405, "method_not_allowed")
    assert (record.method, record.signature) == ("GET", "right")
    labels = {"source": place.name, "reason": "method_not_allowed", "signature": "right"}
    assert metric(opened, "signed_rejected", **labels) == 1


def challenged(**declared: Any) -> WebhookHandler:
    source = make_source(**declared)

    @source.handshake(method="GET", signed=False)
    def challenge(delivery: Delivery) -> Response | None:
        echo = delivery.query.get("challenge")
        return Response(body=echo.encode(), content_type="text/plain") if echo else None

    endpoint = make_endpoint(source)
    return WebhookHandler(
        endpoints={"acme": endpoint}, sources={}, journal=MemoryJournal(), max_body=1000, clock=lambda: NOW
    )  # type: ignore[arg-type]


def test_a_challenge_by_get_is_answered_and_any_other_query_is_not() -> None:
    opened = challenged()
    asked = HttpRequest(method="GET", body=b"", headers={}, query_string="challenge=abc")
    status, _, answer = call(opened, "/webhooks/acme", asked)
    assert (status, answer) == (200, b"abc")
    assert call(opened, "/webhooks/acme", replace(asked, query_string="other=abc"))[0] in {401, 405}
    assert call(opened, "/webhooks/acme", replace(asked, query_string=""))[0] == 200


def test_a_signed_get_that_is_no_handshake_is_405_although_the_source_greets_by_get() -> None:
    headers = {name.lower(): value for name, value in signed(b"").items()}
    status, _, answer = call(challenged(), "/webhooks/acme", HttpRequest(method="GET", body=b"", headers=headers))
    assert (status, json.loads(answer)["error"]) == (405, "method_not_allowed")


def test_allow_names_looks_deliveries_and_handshakes() -> None:
    _, headers, _ = call(
        door(MemoryJournal()), "/webhooks/stripe_stripe", HttpRequest(method="PUT", body=b"x", headers={})
    )
    assert headers["Allow"] == "GET, HEAD, OPTIONS, POST"
    _, headers, _ = call(
        door(MemoryJournal()),
        "/webhooks/zendesk",
        HttpRequest(method="GET", body=b"x", headers={"content-length": "1"}),
    )
    assert headers["Allow"] == "DELETE, GET, HEAD, PATCH, POST, PUT"


def test_a_look_at_a_closed_or_unknown_endpoint_is_answered_and_not_counted() -> None:
    source = make_source()
    opened = WebhookHandler(
        endpoints={}, sources={"acme": source}, journal=MemoryJournal(), max_body=1000, clock=lambda: NOW
    )  # type: ignore[arg-type]
    assert ask(opened, "acme", "GET")[0] == 503
    assert ask(opened, "nobody", "GET")[0] == 404
    assert metric(opened, "rejected", source="acme", reason="not_configured") == 0
    assert ask(opened, "acme", "POST", HttpRequest(method="POST", body=body(), headers={}))[0] == 503
    assert metric(opened, "rejected", source="acme", reason="not_configured") == 1


def test_a_token_in_the_header_makes_a_get_a_delivery_of_any_of_the_sources_schemes() -> None:
    scheme = {"signature": HmacBody(header="X-Sig"), "token": SharedToken(where="header", name="X-Token")}
    source = Source("acme", scheme=scheme)
    endpoint = Endpoint(name="acme", source=source, scheme=scheme["signature"], secrets=("s",))
    opened = WebhookHandler(
        endpoints={"acme": endpoint}, sources={}, journal=MemoryJournal(), max_body=1000, clock=lambda: NOW
    )  # type: ignore[arg-type]
    for header in ("x-sig", "x-token"):
        assert ask(opened, "acme", "GET", HttpRequest(method="GET", body=b"", headers={header: "x"}))[0] == 405
    assert ask(opened, "acme", "GET", HttpRequest(method="GET", body=b"", headers={"x-other": "x"}))[0] == 200
