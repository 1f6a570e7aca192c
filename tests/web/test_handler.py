"""The webhook handler: an accepted event is durable before the response, and a refused request changes nothing."""

import gzip
import json
import logging
import zlib
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from support.acme import NOW, SECRET, body, make_endpoint, make_source, signed
from support.entrances import CLIENTS
from support.installed_endpoints import all_endpoints, call_wsgi, make_handler
from support.memory_journal import MemoryJournal
from translators.kit import Delivery, Head, HmacFields, Response, Source, event, parse_json
from webhooks.errors import JournalError, JournalUnavailable, Rejected
from webhooks.http.request import HttpRequest
from webhooks.journal import SqliteJournal, State
from webhooks.journal.sqlite.damage import note as note_damage
from webhooks.runtime import Runtime
from webhooks.settings import EndpointSettings, MetricsSettings, Settings, WebSettings
from webhooks.signatures import sign
from webhooks.sources import plugins
from webhooks.web.handler import WebhookHandler
from webhooks.web.readiness import Readiness

TOKEN = "metrics-token-of-32-characters-x"


@pytest.fixture(params=list(CLIENTS))
def entrance(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send the requests of a test through each entrance."""
    monkeypatch.setattr(Flask, "test_client_class", CLIENTS[request.param])


@pytest.fixture
def journal(tmp_path: Path, entrance: None) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "segue.db")
    yield opened
    opened.close()


def make_app(journal: SqliteJournal, **web: Any) -> Flask:
    source = make_source(ack=web.pop("ack", None), nack=web.pop("nack", None))
    other = type(source)("closed", scheme=source.schemes)
    registry = plugins.Registry((), {"acme": source, "closed": other})
    endpoints = {"acme": EndpointSettings(name="acme", source="acme", secrets=web.pop("secrets", (SECRET,)))}
    metrics = MetricsSettings(tokens=web.pop("tokens", ()))
    settings = Settings(endpoints=endpoints, web=WebSettings(**web), metrics=metrics)
    return Runtime(settings, registry, clock=lambda: NOW).web_service(journal).app


@pytest.fixture
def client(journal: SqliteJournal) -> FlaskClient:
    return make_app(journal).test_client()


def post(client: FlaskClient, payload: bytes, path: str = "/webhooks/acme", **headers: str) -> TestResponse:
    return client.post(
        path, data=payload, headers=signed(payload) | {k.replace("_", "-"): v for k, v in headers.items()}
    )


def assert_refused(response: TestResponse, status: int, error: str, journal: SqliteJournal) -> None:
    assert response.status_code == status
    response_json = response.get_json()
    assert set(response_json) == {"error", "reason", "hint"}
    assert response_json["error"] == error
    assert response_json["reason"]
    assert response_json["hint"]
    assert journal.rows() == []
    assert SECRET not in response.text


def test_signed_webhook_is_stored_with_its_exact_bytes(client: FlaskClient, journal: SqliteJournal) -> None:
    payload = b'{ "id":"evt_1",\n "type" : "thing.done", "created": 1763890000, "n": 9007199254740993 }'
    response = post(client, payload, X_Kept="yes", X_Other="no")
    assert (response.status_code, response.get_json()) == (200, {"status": "accepted", "new": 1, "duplicate": 0})
    row = journal.find("acme", "evt_1")
    assert row is not None
    assert row.event.raw == payload
    assert row.event.headers == {"x-kept": "yes"}
    assert row.state is State.PENDING
    assert row.event.received_at == NOW


def test_retry_is_a_duplicate_and_stores_nothing(client: FlaskClient, journal: SqliteJournal) -> None:
    post(client, body())
    response = post(client, body())
    assert (response.status_code, response.get_json()) == (200, {"status": "duplicate", "new": 0, "duplicate": 1})
    assert len(journal.rows()) == 1


def test_batch_is_split_and_a_bad_item_costs_no_other(client: FlaskClient, journal: SqliteJournal) -> None:
    payload = b"[" + body("a") + b' , {"id": null}, ' + body("b") + b"]"
    assert post(client, payload).get_json() == {"status": "accepted", "new": 3, "duplicate": 0}
    rows = journal.rows()
    assert [row.state for row in rows] == [State.PENDING, State.DEAD, State.PENDING]
    assert rows[1].event.raw == b'{"id": null}'
    assert rows[1].reason == "$.id is missing"
    assert rows[0].event.raw == body("a")


def test_empty_batch_is_accepted_and_stores_nothing(client: FlaskClient, journal: SqliteJournal) -> None:
    assert post(client, b"[]").get_json() == {"status": "accepted", "new": 0, "duplicate": 0}
    assert journal.rows() == []


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda b: b[:-9], "body_changed"),
        (lambda b: json.dumps(json.loads(b), separators=(",", ":")).encode(), "body_changed"),
        (lambda b: b + b"\n", "body_changed"),
        (lambda b: b.replace(b"evt_1", b"evt_2"), "wrong_secret"),
    ],
    ids=["truncated", "re-serialised", "added line break", "tampered"],
)
def test_changed_body_is_refused_with_its_fault(
    client: FlaskClient, journal: SqliteJournal, change: Any, fault: str
) -> None:
    response = client.post("/webhooks/acme", data=change(body()), headers=signed(body()))
    assert_refused(response, 401, fault, journal)


@pytest.mark.parametrize("age", [-301, 301, 10**6])
def test_stale_and_future_signatures_are_refused_as_clock(
    client: FlaskClient, journal: SqliteJournal, age: int
) -> None:
    response = client.post("/webhooks/acme", data=body(), headers=signed(body(), now=NOW - timedelta(seconds=age)))
    assert_refused(response, 401, "clock", journal)
    assert str(abs(age)) in response.get_json()["reason"]


def test_wrong_secret_is_refused_as_wrong_secret(client: FlaskClient, journal: SqliteJournal) -> None:
    assert_refused(
        client.post("/webhooks/acme", data=body(), headers=signed(body(), secret="other")), 401, "wrong_secret", journal
    )


def test_missing_malformed_and_doubled_signatures(client: FlaskClient, journal: SqliteJournal) -> None:
    assert_refused(client.post("/webhooks/acme", data=body()), 401, "signature_missing", journal)
    for bad in ("nonsense", "t=now,v1=aa", "t=1", "é" * 20, "t=1,v1=" + "a" * 7000):
        response = client.post(
            "/webhooks/acme", data=body(), headers={"Acme-Signature": bad.encode().decode("latin-1")}
        )
        assert response.status_code == 401
        assert journal.rows() == []
    good = signed(body())["acme-signature"]
    doubled = client.post("/webhooks/acme", data=body(), headers={"Acme-Signature": f"{good},{good}"})
    assert doubled.status_code == 200


def test_any_configured_secret_is_accepted_during_rotation(journal: SqliteJournal) -> None:
    client = make_app(journal, secrets=("whsec_old", SECRET)).test_client()
    assert post(client, body()).status_code == 200
    assert (
        client.post("/webhooks/acme", data=body("e2"), headers=signed(body("e2"), secret="whsec_old")).status_code
        == 200
    )


def test_endpoint_without_a_secret_accepts_nothing(journal: SqliteJournal) -> None:
    for secrets in ((), ("",), ("  ",)):
        response = post(make_app(journal, secrets=secrets).test_client(), body())
        assert_refused(response, 503, "not_configured", journal)
        assert response.headers["Retry-After"]
        assert "ACME_WEBHOOK_SECRET" in response.get_json()["hint"]


def test_installed_source_without_endpoint_is_503_and_unknown_source_404(
    client: FlaskClient, journal: SqliteJournal
) -> None:
    assert_refused(post(client, body(), "/webhooks/closed"), 503, "not_configured", journal)
    assert_refused(post(client, body(), "/webhooks/unknown"), 404, "unknown_source", journal)
    assert_refused(post(client, body(), "/elsewhere"), 404, "not_found", journal)


def test_wrong_method_is_405_with_an_allow_header(client: FlaskClient, journal: SqliteJournal) -> None:
    response = client.put("/webhooks/acme", data=b"x")
    assert_refused(response, 405, "method_not_allowed", journal)
    assert "POST" in response.headers["Allow"]
    assert_refused(client.options("/webhooks/acme"), 405, "method_not_allowed", journal)


def test_get_and_head_describe_the_endpoint_and_trailing_slash_is_accepted(
    client: FlaskClient, journal: SqliteJournal
) -> None:
    assert client.get("/webhooks/acme").get_json()["status"] == "open"
    assert client.head("/webhooks/acme").status_code == 200
    assert client.head("/webhooks/acme/").status_code == 200
    assert post(client, body(), "/webhooks/acme/").status_code == 200
    assert client.get("/").get_json()["service"] == "segue"


def test_body_over_the_limit_is_413_with_and_without_compression(journal: SqliteJournal) -> None:
    client = make_app(journal, max_body=1000).test_client()
    assert_refused(post(client, b"x" * 1001), 413, "body_too_large", journal)
    assert_refused(post(client, b"x" * 10_000_000), 413, "body_too_large", journal)
    bomb = gzip.compress(b"x" * 100_000)
    assert_refused(post(client, bomb, Content_Encoding="gzip"), 413, "body_too_large", journal)


def test_gzip_body_is_verified_and_stored_decoded(client: FlaskClient, journal: SqliteJournal) -> None:
    packed = gzip.compress(body())
    assert post(client, packed, Content_Encoding="gzip").status_code == 200
    assert journal.rows()[0].event.raw == body()
    signed_before_compression = client.post(
        "/webhooks/acme", data=gzip.compress(body("e2")), headers=signed(body("e2")) | {"Content-Encoding": "gzip"}
    )
    assert signed_before_compression.status_code == 200
    deflated = zlib.compress(body("e3"))
    assert post(client, deflated, Content_Encoding="deflate").status_code == 200


@pytest.mark.parametrize(
    ("payload", "encoding", "status", "error"),
    [
        (b"plain", "gzip", 400, "bad_encoding"),
        (gzip.compress(body())[:-10], "gzip", 400, "bad_encoding"),
        (b"x", "br", 415, "unsupported_encoding"),
    ],
    ids=["no gzip", "cut short", "unknown"],  # a gzip header holds the second it was made
)
def test_broken_or_unknown_content_encoding_is_refused(
    client: FlaskClient, journal: SqliteJournal, payload: bytes, encoding: str, status: int, error: str
) -> None:
    assert_refused(post(client, payload, Content_Encoding=encoding), status, error, journal)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff\xfe",
        b"not json",
        b"{}",
        b'{"id": "a", "type": NaN}',
        b"[" * 100_000,
        b'{"a":' * 50_000,
        b"[nothing",
    ],
    ids=["empty", "not utf-8", "no json", "no id", "NaN", "deep list", "deep object", "no list"],
)
def test_signed_malformed_body_is_stored_as_a_dead_event(
    client: FlaskClient, journal: SqliteJournal, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for stored in ({"new": 1, "duplicate": 0}, {"new": 0, "duplicate": 1}):
        response = post(client, payload)
        response_json = response.get_json()
        assert response.status_code == 200
        assert response_json["reason"].startswith("The signature is right")
        assert "segue replay" in response_json["hint"]
        assert response_json == {
            "status": "kept",
            "reason": response_json["reason"],
            "hint": response_json["hint"],
            **stored,
        }
    assert [record.levelname for record in caplog.records if record.message == "stored unread"] == ["WARNING"]
    (row,) = journal.rows()
    assert (row.state, row.event.type) == (State.DEAD, "(malformed)")
    assert row.event.raw == payload
    assert row.event.id.startswith("sha256:")
    assert row.reason.startswith("$")


def test_signed_handshake_is_answered_and_not_stored(client: FlaskClient, journal: SqliteJournal) -> None:
    response = post(client, b'{"type": "ping"}')
    assert (response.status_code, response.text, response.mimetype) == (200, "pong", "text/plain")
    assert client.post("/webhooks/acme", data=b'{"type": "ping"}').status_code == 401
    assert journal.rows() == []


def test_unsigned_handshake_is_answered_before_verification(journal: SqliteJournal) -> None:
    source = make_source()
    source.handshake(signed=False)(lambda d: Response(body=b"hello") if b"verificationKey" in d.body else None)
    handler = WebhookHandler(
        endpoints={"acme": make_endpoint(source)}, sources={}, journal=journal, max_body=1000, clock=lambda: NOW
    )
    response = handler.handle("acme", HttpRequest(method="POST", body=b'{"verificationKey": 1}', headers={}))
    assert response.body == b"hello"
    with pytest.raises(Rejected, match="missing"):
        handler.handle("acme", HttpRequest(method="POST", body=b"{}", headers={}))


def test_one_time_token_with_another_body_is_replayed(journal: SqliteJournal) -> None:
    """A retry has the same body and is a duplicate; the same token with another body is a replay."""
    scheme = HmacFields(sig_path="sig", fields=("token",), token_path="token", strength="authenticated")
    source = Source("acme", scheme=scheme)
    source.head(lambda item: Head(id=item.body.id("id"), type="t", occurred_at=None))
    handler = WebhookHandler(endpoints={"acme": make_endpoint(source)}, sources={}, journal=journal, max_body=1000)
    payload = sign(scheme, body=b'{"id": "1"}', secret=SECRET, now=NOW).body
    statuses = [handler.handle("acme", HttpRequest(method="POST", body=payload, headers={})).status for _ in range(2)]
    assert statuses == [200, 200]
    assert journal.rows()[0].event.trust == "authenticated"
    with pytest.raises(Rejected) as caught:
        handler.handle("acme", HttpRequest(method="POST", body=payload.replace(b'"1"', b'"2"'), headers={}))
    assert caught.value.error == "replayed"


def test_unavailable_journal_is_503_with_retry_after_for_every_endpoint() -> None:
    """The journal stores the one-time tokens too."""
    for installed in all_endpoints():
        unavailable = MemoryJournal()
        unavailable.away = True
        status, headers, response = call_wsgi(
            make_handler(unavailable),
            f"/webhooks/{installed.name}/{installed.request().path_token}",
            installed.request(),
        )
        if installed.source.nack is not None:
            assert response == installed.source.nack.body
            continue
        assert (status, json.loads(response)["error"]) == (503, "journal_unavailable"), installed.name
        assert headers["Retry-After"]


def test_guard_refuses_a_foreign_delivery(client: FlaskClient, journal: SqliteJournal) -> None:
    assert_refused(post(client, body(), "/webhooks/acme?org=foreign"), 403, "refused", journal)


def test_source_defines_its_own_ack_and_nack(journal: SqliteJournal) -> None:
    ack, nack = Response(body=b"[accepted]"), Response(body=b"<no/>", content_type="text/xml")
    client = make_app(journal, ack=ack, nack=nack).test_client()
    assert post(client, body()).data == b"[accepted]"
    assert post(client, b"nonsense").data == b"[accepted]", "stored, so acknowledged"
    foreign = client.post("/webhooks/acme?org=foreign", data=body(), headers=signed(body()))
    assert foreign.data == b"<no/>"


def test_deleted_journal_is_503_with_retry_after_and_healthz_still_200(
    journal: SqliteJournal, client: FlaskClient
) -> None:
    assert client.get("/readyz").status_code == 200
    journal.path.unlink()
    response = post(client, body())
    assert response.status_code == 503
    assert response.get_json()["error"] == "journal_unavailable"
    assert response.headers["Retry-After"]
    assert client.get("/healthz").status_code == 200


def test_readiness_checks_the_journal_once_a_second_and_keeps_the_reason() -> None:
    class UnavailableJournal:
        checks = 0

        def check(self) -> None:
            self.checks += 1
            raise JournalUnavailable("disk full", hint="free some")

    unavailable, time = UnavailableJournal(), [0.0]
    readiness = Readiness(unavailable, every=1.0, clock=lambda: time[0])  # type: ignore[arg-type]
    for _ in range(3):
        fault = readiness.fault()
        assert fault is not None
        assert fault.message == "disk full"
    assert unavailable.checks == 1
    time[0] = 1.0
    readiness.fault()
    assert unavailable.checks == 2


SECRETIVE = "/var/lib/journal.db on db.internal:5432 as user ada"


def test_readyz_reports_a_damaged_file(journal: SqliteJournal) -> None:
    note_damage(str(journal.path), "page 17 is malformed")
    client = make_app(journal, tokens=(TOKEN,)).test_client()
    assert client.get("/readyz").get_json()["reason"] == "The journal's file is damaged."
    shown = client.get("/readyz", headers={"Authorization": f"Bearer {TOKEN}"}).get_json()
    assert "page 17 is malformed" in shown["reason"]
    assert "A damaged file" in shown["hint"]


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong-token-of-32-characters"}, {"Authorization": "Basic eA=="}]
)
def test_readyz_shows_no_path_host_or_user_without_the_token(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def full() -> None:
        raise JournalUnavailable(SECRETIVE, hint=f"Make space at {SECRETIVE}.")

    monkeypatch.setattr(journal, "check", full)
    client = make_app(journal, tokens=(TOKEN,)).test_client()
    for _ in range(3):
        response = client.get("/readyz", headers=headers)
        assert (response.status_code, response.get_json()["error"]) == (503, "not_ready")
        assert set(response.get_json()) == {"error", "reason", "hint"}
        for private_text in ("/var", "journal.db", "db.internal", "5432", "ada"):
            assert private_text not in response.text
    (record,) = [record for record in caplog.records if record.message == "not ready"]
    assert vars(record)["reason"] == SECRETIVE
    shown = client.get("/readyz", headers={"Authorization": f"Bearer {TOKEN}"}).get_json()
    assert shown["reason"] == SECRETIVE


def test_readyz_hides_the_reason_if_no_metrics_token_is_set(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise JournalUnavailable(SECRETIVE)

    monkeypatch.setattr(journal, "check", full)
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
        assert "ada" not in make_app(journal).test_client().get("/readyz", headers=headers).get_json()["reason"]


def test_readiness_logs_each_change_once(caplog: pytest.LogCaptureFixture) -> None:
    class ChangingJournal:
        faults: ClassVar[list[str]] = ["full", "full", "full", "unreachable", "", ""]

        def check(self) -> None:
            if fault := self.faults.pop(0):
                raise JournalUnavailable(fault)

    caplog.set_level(logging.INFO)
    readiness = Readiness(ChangingJournal(), every=0.0)  # type: ignore[arg-type]
    for _ in range(6):
        readiness.fault()
    lines = [(record.message, getattr(record, "reason", "")) for record in caplog.records]
    assert lines == [("not ready", "full"), ("not ready", "unreachable"), ("ready again", "")]


def test_event_that_cannot_be_stored_is_400(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise JournalError("an event cannot be stored")

    monkeypatch.setattr(journal, "append", fail)
    assert_refused(post(make_app(journal).test_client(), body()), 400, "cannot_be_stored", journal)


def test_unexpected_error_is_500_and_logged_with_its_traceback(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal, "append", lambda *_, **__: 1 / 0)
    response = post(make_app(journal).test_client(), body())
    assert (response.status_code, response.get_json()["error"]) == (500, "internal")
    assert "ZeroDivisionError" in caplog.text


def test_secrets_and_bodies_are_never_logged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    private = body("evt_9", note="a very private thing")
    post(client, private)
    client.post("/webhooks/acme/path-token-123", data=private, headers=signed(private, secret="other"))
    text = " ".join(str(vars(record)) for record in caplog.records)
    assert "accepted" in text
    assert "rejected" in text
    for private_text in (SECRET, "very private", "path-token-123", signed(private)["acme-signature"]):
        assert private_text not in text


def test_plugin_that_cannot_be_loaded_is_logged_and_others_work(
    journal: SqliteJournal, caplog: pytest.LogCaptureFixture
) -> None:
    broken = plugins.Plugin(name="bad", value="bad:bad", distribution="bad", version="1", error="Traceback: boom")
    registry = plugins.Registry((broken,), {"acme": make_source()})
    endpoints = {"acme": EndpointSettings(name="acme", source="acme", secrets=(SECRET,))}
    runtime = Runtime(Settings(endpoints=endpoints), registry, clock=lambda: NOW)
    client = runtime.web_service(journal).app.test_client()
    assert post(client, body()).status_code == 200
    assert "plugin not loaded" in caplog.text


def test_body_is_parsed_once_from_the_guard_to_the_head(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = make_source()

    @source.guard
    def require_id(delivery: Delivery) -> None:
        delivery.payload.text("id")

    parsed: list[bytes] = []

    def parse_and_count(raw: bytes) -> Any:
        parsed.append(raw)
        return parse_json(raw)

    monkeypatch.setattr(event, "parse_json", parse_and_count)
    handler = WebhookHandler(
        endpoints={"acme": make_endpoint(source)}, sources={}, journal=journal, max_body=1000, clock=lambda: NOW
    )
    assert handler.handle("acme", HttpRequest(body=body(), headers=signed(body()))).status == 200
    assert parsed == [body()]
