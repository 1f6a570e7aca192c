"""The door: what is accepted is durable by the time it is answered, and whatever is wrong changes nothing."""

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

from acme import NOW, SECRET, body, make_endpoint, make_source, signed
from doors import call, door, places
from memory_journal import MemoryJournal
from translators.kit import Head, HmacFields, Response, Source
from webhooks.errors import JournalError, JournalUnavailable, Rejected
from webhooks.journal import SqliteJournal, State
from webhooks.journal.sqlite.damage import note as note_damage
from webhooks.settings import EndpointSettings, MetricsSettings, Settings, WebSettings
from webhooks.signatures import sign
from webhooks.sources import plugins
from webhooks.web.app import create_app
from webhooks.web.handler import HttpRequest, WebhookHandler
from webhooks.web.readiness import Readiness

TOKEN = "metrics-token-of-32-characters-x"


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[SqliteJournal]:
    opened = SqliteJournal(tmp_path / "segue.db")
    yield opened
    opened.close()


def app_of(journal: SqliteJournal, **web: Any) -> Flask:
    source = make_source(ack=web.pop("ack", None), nack=web.pop("nack", None))
    other = type(source)("closed", scheme=source.schemes)
    registry = plugins.Registry((), {"acme": source, "closed": other})
    doors = {"acme": EndpointSettings(name="acme", source="acme", secrets=web.pop("secrets", (SECRET,)))}
    metrics = MetricsSettings(tokens=web.pop("tokens", ()))
    settings = Settings(endpoints=doors, web=WebSettings(**web), metrics=metrics)
    return create_app(settings, registry=registry, journal=journal, clock=lambda: NOW)


@pytest.fixture
def client(journal: SqliteJournal) -> FlaskClient:
    return app_of(journal).test_client()


def post(client: FlaskClient, payload: bytes, path: str = "/webhooks/acme", **headers: str) -> TestResponse:
    return client.post(
        path, data=payload, headers=signed(payload) | {k.replace("_", "-"): v for k, v in headers.items()}
    )


def assert_refused(answer: TestResponse, status: int, error: str, journal: SqliteJournal) -> None:
    assert answer.status_code == status
    told = answer.get_json()
    assert set(told) == {"error", "reason", "hint"}
    assert told["error"] == error
    assert told["reason"]
    assert told["hint"]
    assert journal.rows() == []
    assert SECRET not in answer.text


def test_a_signed_webhook_is_stored_byte_for_byte_and_accepted(client: FlaskClient, journal: SqliteJournal) -> None:
    payload = b'{ "id":"evt_1",\n "type" : "thing.done", "created": 1763890000, "n": 9007199254740993 }'
    answer = post(client, payload, X_Kept="yes", X_Other="no")
    assert (answer.status_code, answer.get_json()) == (200, {"status": "accepted", "new": 1, "duplicate": 0})
    row = journal.find("acme", "evt_1")
    assert row is not None
    assert row.event.raw == payload
    assert row.event.headers == {"x-kept": "yes"}
    assert row.state is State.PENDING
    assert row.event.received_at == NOW


def test_a_retry_is_answered_as_a_duplicate_and_stores_nothing(client: FlaskClient, journal: SqliteJournal) -> None:
    post(client, body())
    answer = post(client, body())
    assert (answer.status_code, answer.get_json()) == (200, {"status": "duplicate", "new": 0, "duplicate": 1})
    assert len(journal.rows()) == 1


def test_a_batch_is_split_and_one_bad_item_costs_one_item(client: FlaskClient, journal: SqliteJournal) -> None:
    payload = b"[" + body("a") + b' , {"id": null}, ' + body("b") + b"]"
    assert post(client, payload).get_json() == {"status": "accepted", "new": 3, "duplicate": 0}
    rows = journal.rows()
    assert [row.state for row in rows] == [State.PENDING, State.DEAD, State.PENDING]
    assert rows[1].event.raw == b'{"id": null}'
    assert rows[1].reason == "$.id is missing"
    assert rows[0].event.raw == body("a")


def test_an_empty_batch_is_accepted_and_stores_nothing(client: FlaskClient, journal: SqliteJournal) -> None:
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
    ids=["truncated", "re-serialised", "a line break more", "tampered"],
)
def test_a_changed_body_is_refused(client: FlaskClient, journal: SqliteJournal, change: Any, fault: str) -> None:
    answer = client.post("/webhooks/acme", data=change(body()), headers=signed(body()))
    assert_refused(answer, 401, fault, journal)


@pytest.mark.parametrize("age", [-301, 301, 10**6])
def test_stale_and_future_signatures_are_refused_as_the_clock(
    client: FlaskClient, journal: SqliteJournal, age: int
) -> None:
    answer = client.post("/webhooks/acme", data=body(), headers=signed(body(), now=NOW - timedelta(seconds=age)))
    assert_refused(answer, 401, "clock", journal)
    assert str(abs(age)) in answer.get_json()["reason"]


def test_a_wrong_secret_is_named_as_such(client: FlaskClient, journal: SqliteJournal) -> None:
    assert_refused(
        client.post("/webhooks/acme", data=body(), headers=signed(body(), secret="other")), 401, "wrong_secret", journal
    )


def test_a_missing_a_malformed_and_a_doubled_signature(client: FlaskClient, journal: SqliteJournal) -> None:
    assert_refused(client.post("/webhooks/acme", data=body()), 401, "signature_missing", journal)
    for bad in ("nonsense", "t=now,v1=aa", "t=1", "é" * 20, "t=1,v1=" + "a" * 7000):
        answer = client.post("/webhooks/acme", data=body(), headers={"Acme-Signature": bad.encode().decode("latin-1")})
        assert answer.status_code == 401
        assert journal.rows() == []
    good = signed(body())["Acme-Signature"]
    doubled = client.post("/webhooks/acme", data=body(), headers={"Acme-Signature": f"{good},{good}"})
    assert doubled.status_code == 200


def test_any_of_several_secrets_opens_so_that_they_can_be_rotated(journal: SqliteJournal) -> None:
    client = app_of(journal, secrets=("whsec_old", SECRET)).test_client()
    assert post(client, body()).status_code == 200
    assert (
        client.post("/webhooks/acme", data=body("e2"), headers=signed(body("e2"), secret="whsec_old")).status_code
        == 200
    )


def test_without_a_secret_nothing_is_accepted(journal: SqliteJournal) -> None:
    for secrets in ((), ("",), ("  ",)):
        answer = post(app_of(journal, secrets=secrets).test_client(), body())
        assert_refused(answer, 503, "not_configured", journal)
        assert answer.headers["Retry-After"]
        assert "ACME_WEBHOOK_SECRET" in answer.get_json()["hint"]


def test_a_known_source_without_an_endpoint_is_closed_and_an_unknown_one_is_not_found(
    client: FlaskClient, journal: SqliteJournal
) -> None:
    assert_refused(post(client, body(), "/webhooks/closed"), 503, "not_configured", journal)
    assert_refused(post(client, body(), "/webhooks/nobody"), 404, "unknown_source", journal)
    assert_refused(post(client, body(), "/elsewhere"), 404, "not_found", journal)


def test_the_wrong_method_is_answered_with_the_right_ones(client: FlaskClient, journal: SqliteJournal) -> None:
    answer = client.put("/webhooks/acme", data=b"x")
    assert_refused(answer, 405, "method_not_allowed", journal)
    assert "POST" in answer.headers["Allow"]
    assert_refused(client.options("/webhooks/acme"), 405, "method_not_allowed", journal)


def test_get_and_head_answer_usefully_and_a_trailing_slash_is_no_redirect(
    client: FlaskClient, journal: SqliteJournal
) -> None:
    assert client.get("/webhooks/acme").get_json()["status"] == "open"
    assert client.head("/webhooks/acme").status_code == 200
    assert client.head("/webhooks/acme/").status_code == 200
    assert post(client, body(), "/webhooks/acme/").status_code == 200
    assert client.get("/").get_json()["service"] == "segue"


def test_a_body_over_the_limit_is_refused_whether_it_says_so_or_not(journal: SqliteJournal) -> None:
    client = app_of(journal, max_body=1000).test_client()
    assert_refused(post(client, b"x" * 1001), 413, "body_too_large", journal)
    assert_refused(post(client, b"x" * 10_000_000), 413, "body_too_large", journal)
    bomb = gzip.compress(b"x" * 100_000)
    assert_refused(post(client, bomb, Content_Encoding="gzip"), 413, "body_too_large", journal)


def test_a_gzip_body_is_verified_as_sent_and_stored_as_meant(client: FlaskClient, journal: SqliteJournal) -> None:
    packed = gzip.compress(body())
    assert post(client, packed, Content_Encoding="gzip").status_code == 200
    assert journal.rows()[0].event.raw == body()
    inflated_by_the_signer = client.post(
        "/webhooks/acme", data=gzip.compress(body("e2")), headers=signed(body("e2")) | {"Content-Encoding": "gzip"}
    )
    assert inflated_by_the_signer.status_code == 200
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
def test_a_broken_or_unknown_encoding_is_refused(
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
def test_a_signed_body_that_no_event_can_be_read_from_is_kept_as_a_dead_event(
    client: FlaskClient, journal: SqliteJournal, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    for stored in ({"new": 1, "duplicate": 0}, {"new": 0, "duplicate": 1}):
        answer = post(client, payload)
        told = answer.get_json()
        assert answer.status_code == 200
        assert told["reason"].startswith("The signature is right")
        assert "segue replay" in told["hint"]
        assert told == {"status": "kept", "reason": told["reason"], "hint": told["hint"], **stored}
    assert [record.levelname for record in caplog.records if record.message == "stored unread"] == ["WARNING"]
    (row,) = journal.rows()
    assert (row.state, row.event.type) == (State.DEAD, "(malformed)")
    assert row.event.raw == payload
    assert row.event.key.startswith("sha256:")
    assert row.reason.startswith("$")


def test_a_signed_handshake_is_answered_and_not_stored(client: FlaskClient, journal: SqliteJournal) -> None:
    answer = post(client, b'{"type": "ping"}')
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "pong", "text/plain")
    assert client.post("/webhooks/acme", data=b'{"type": "ping"}').status_code == 401
    assert journal.rows() == []


def test_an_unsigned_handshake_is_answered_before_verifying(journal: SqliteJournal) -> None:
    source = make_source()
    source.handshake(signed=False)(lambda d: Response(body=b"hello") if b"verificationKey" in d.body else None)
    door = WebhookHandler(
        endpoints={"acme": make_endpoint(source)}, sources={}, journal=journal, max_body=1000, clock=lambda: NOW
    )
    told = door.handle("acme", HttpRequest(method="POST", body=b'{"verificationKey": 1}', headers={}))
    assert told.body == b"hello"
    with pytest.raises(Rejected, match="missing"):
        door.handle("acme", HttpRequest(method="POST", body=b"{}", headers={}))


def test_a_token_that_does_not_cover_the_body_is_remembered_in_the_journal(journal: SqliteJournal) -> None:
    """A retry brings the same body and is a duplicate; the same token over another body is a replay."""
    scheme = HmacFields(sig_path="sig", fields=("token",), token_path="token", strength="authenticated")
    source = Source("acme", scheme=scheme)
    source.event(lambda item: Head(item.body.id("id"), "t", None))
    door = WebhookHandler(endpoints={"acme": make_endpoint(source)}, sources={}, journal=journal, max_body=1000)
    payload = sign(scheme, body=b'{"id": "1"}', secret=SECRET, now=NOW).body
    told = [door.handle("acme", HttpRequest(method="POST", body=payload, headers={})).status for _ in range(2)]
    assert told == [200, 200]
    assert journal.rows()[0].event.trust == "authenticated"
    with pytest.raises(Rejected) as caught:
        door.handle("acme", HttpRequest(method="POST", body=payload.replace(b'"1"', b'"2"'), headers={}))
    assert caught.value.error == "replayed"


def test_a_one_time_token_with_an_unavailable_journal_is_503_with_retry_after() -> None:
    """What remembers the token is the journal too."""
    for place in places():
        away = MemoryJournal()
        away.away = True
        status, headers, answer = call(door(away), f"/webhooks/{place.name}/{place.request().token}", place.request())
        if place.source.nack is not None:
            assert answer == place.source.nack.body
            continue
        assert (status, json.loads(answer)["error"]) == (503, "journal_unavailable"), place.name
        assert headers["Retry-After"]


def test_a_guard_refuses_a_foreign_delivery(client: FlaskClient, journal: SqliteJournal) -> None:
    assert_refused(post(client, body(), "/webhooks/acme?org=foreign"), 403, "refused", journal)


def test_a_provider_hears_its_own_words(journal: SqliteJournal) -> None:
    ack, nack = Response(body=b"[accepted]"), Response(body=b"<no/>", content_type="text/xml")
    client = app_of(journal, ack=ack, nack=nack).test_client()
    assert post(client, body()).data == b"[accepted]"
    assert post(client, b"nonsense").data == b"[accepted]", "kept, so acknowledged"
    foreign = client.post("/webhooks/acme?org=foreign", data=body(), headers=signed(body()))
    assert foreign.data == b"<no/>"


def test_a_broken_store_is_503_with_retry_after_and_readiness_fails(
    journal: SqliteJournal, client: FlaskClient
) -> None:
    assert client.get("/readyz").status_code == 200
    journal.path.unlink()
    answer = post(client, body())
    assert answer.status_code == 503
    assert answer.get_json()["error"] == "journal_unavailable"
    assert answer.headers["Retry-After"]
    assert client.get("/healthz").status_code == 200


def test_readiness_asks_the_journal_once_in_a_while_and_says_why_not() -> None:
    class Away:
        asked = 0

        def check(self) -> None:
            self.asked += 1
            raise JournalUnavailable("disk full", hint="free some")

    away, time = Away(), [0.0]
    readiness = Readiness(away, every=1.0, clock=lambda: time[0])  # type: ignore[arg-type]
    for _ in range(3):
        fault = readiness.fault()
        assert fault is not None
        assert fault.message == "disk full"
    assert away.asked == 1
    time[0] = 1.0
    readiness.fault()
    assert away.asked == 2


SECRETIVE = "/var/lib/journal.db on db.internal:5432 as user ada"


def test_readiness_says_that_the_file_is_damaged(journal: SqliteJournal) -> None:
    note_damage(str(journal.path), "page 17 is malformed")
    client = app_of(journal, tokens=(TOKEN,)).test_client()
    assert client.get("/readyz").get_json()["reason"] == "The journal's file is damaged."
    shown = client.get("/readyz", headers={"Authorization": f"Bearer {TOKEN}"}).get_json()
    assert "page 17 is malformed" in shown["reason"]
    assert "A damaged file" in shown["hint"]


@pytest.mark.parametrize(
    "headers", [{}, {"Authorization": "Bearer wrong-token-of-32-characters"}, {"Authorization": "Basic eA=="}]
)
def test_not_ready_says_no_path_host_or_user_to_the_public(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    def full() -> None:
        raise JournalUnavailable(SECRETIVE, hint=f"Make space at {SECRETIVE}.")

    monkeypatch.setattr(journal, "check", full)
    client = app_of(journal, tokens=(TOKEN,)).test_client()
    for _ in range(3):
        answer = client.get("/readyz", headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (503, "not_ready")
        assert set(answer.get_json()) == {"error", "reason", "hint"}
        for never in ("/var", "journal.db", "db.internal", "5432", "ada"):
            assert never not in answer.text
    (record,) = [record for record in caplog.records if record.message == "not ready"]
    assert record.reason == SECRETIVE
    shown = client.get("/readyz", headers={"Authorization": f"Bearer {TOKEN}"}).get_json()
    assert shown["reason"] == SECRETIVE


def test_without_a_metrics_token_no_request_learns_why_it_is_not_ready(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise JournalUnavailable(SECRETIVE)

    monkeypatch.setattr(journal, "check", full)
    for headers in ({}, {"Authorization": "Bearer "}, {"Authorization": "Bearer"}):
        assert "ada" not in app_of(journal).test_client().get("/readyz", headers=headers).get_json()["reason"]


def test_readiness_logs_a_change_once_and_its_end(caplog: pytest.LogCaptureFixture) -> None:
    class Store:
        faults: ClassVar[list[str]] = ["full", "full", "full", "away", "", ""]

        def check(self) -> None:
            if fault := self.faults.pop(0):
                raise JournalUnavailable(fault)

    caplog.set_level(logging.INFO)
    readiness = Readiness(Store(), every=0.0)  # type: ignore[arg-type]
    for _ in range(6):
        readiness.fault()
    lines = [(record.message, getattr(record, "reason", "")) for record in caplog.records]
    assert lines == [("not ready", "full"), ("not ready", "away"), ("ready again", "")]


def test_an_event_that_cannot_be_stored_is_refused(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    def odd(*_: Any, **__: Any) -> None:
        raise JournalError("an event cannot be stored")

    monkeypatch.setattr(journal, "append", odd)
    assert_refused(post(app_of(journal).test_client(), body()), 400, "cannot_be_stored", journal)


def test_an_unexpected_error_is_500_and_logged_with_its_traceback(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(journal, "append", lambda *_, **__: 1 / 0)
    answer = post(app_of(journal).test_client(), body())
    assert (answer.status_code, answer.get_json()["error"]) == (500, "internal")
    assert "ZeroDivisionError" in caplog.text


def test_neither_secret_nor_body_is_ever_logged(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    private = body("evt_9", note="a very private thing")
    post(client, private)
    client.post("/webhooks/acme/path-token-123", data=private, headers=signed(private, secret="other"))
    text = " ".join(str(vars(record)) for record in caplog.records)
    assert "accepted" in text
    assert "rejected" in text
    for never in (SECRET, "very private", "path-token-123", signed(private)["Acme-Signature"]):
        assert never not in text


def test_a_broken_plugin_is_logged_and_harms_no_other(journal: SqliteJournal, caplog: pytest.LogCaptureFixture) -> None:
    broken = plugins.Plugin(name="bad", value="bad:bad", distribution="bad", version="1", error="Traceback: boom")
    registry = plugins.Registry((broken,), {"acme": make_source()})
    doors = {"acme": EndpointSettings(name="acme", source="acme", secrets=(SECRET,))}
    client = create_app(Settings(endpoints=doors), registry=registry, journal=journal, clock=lambda: NOW).test_client()
    assert post(client, body()).status_code == 200
    assert "plugin not loaded" in caplog.text
