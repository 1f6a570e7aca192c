"""/metrics requires a token, and one scrape has the counts of the web server and the worker."""

import gzip
from datetime import timedelta
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from support.acme import NOW, SECRET, body, make_source, signed
from webhooks.errors import JournalUnavailable
from webhooks.journal import SqliteJournal
from webhooks.runtime import Runtime
from webhooks.settings import EndpointSettings, MetricsSettings, Settings
from webhooks.sources import plugins

TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def journal(tmp_path: Path):
    opened = SqliteJournal(tmp_path / "segue.db")
    yield opened
    opened.close()


def app_of(journal, *, tokens=(TOKEN,), nack=None):
    source = make_source(nack=nack)
    registry = plugins.Registry((), {"acme": source, "closed": type(source)("closed", scheme=source.schemes)})
    endpoints = {"acme": EndpointSettings(name="acme", source="acme", secrets=(SECRET,))}
    settings = Settings(
        endpoints=endpoints, metrics=MetricsSettings(tokens=tokens), database=f"sqlite:///{journal.path}"
    )
    return Runtime(settings, registry, clock=lambda: NOW).web_service(journal).app.test_client()


def post(client, payload=None, path="/webhooks/acme", **headers):
    payload = body() if payload is None else payload
    return client.post(path, data=payload, headers=signed(payload) | headers)


def scrape(client, **headers):
    response = client.get("/metrics", headers=BEARER | headers)
    assert response.status_code == 200, response.text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parse(response.text) for sample in family.samples
    }  # fmt: skip


@pytest.mark.parametrize(
    ("tokens", "headers", "status"),
    [
        ((), BEARER, 404),
        ((), {}, 404),
        ((TOKEN,), {}, 401),
        ((TOKEN,), {"Authorization": "Bearer "}, 401),
        ((TOKEN,), {"Authorization": f"Basic {TOKEN}"}, 401),
        ((TOKEN,), {"Authorization": f"Bearer {TOKEN}x"}, 401),
        ((TOKEN,), {"Authorization": "Bearer \u00fc"}, 401),
        ((TOKEN,), BEARER, 200),
        (("another-token-of-16", TOKEN), {"Authorization": f"bearer  {TOKEN}"}, 200),
    ],
)
def test_metrics_require_a_valid_bearer_token(journal: SqliteJournal, tokens, headers, status) -> None:
    response = app_of(journal, tokens=tokens).get("/metrics", headers=headers)
    assert response.status_code == status
    assert TOKEN not in response.text
    assert ("segue_" in response.text) == (status == 200)
    if status == 401:
        assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_webhook_requests_and_their_events_are_counted(journal: SqliteJournal) -> None:
    client = app_of(journal)
    for payload in (body(), body(), b"[" + body("a") + b"," + body() + b"]"):
        assert post(client, payload).status_code == 200
    client.post("/webhooks/acme", data=b'{"ping": 1}', headers=signed(b'{"ping": 1}'))
    samples = scrape(client)
    acme = ("source", "acme")
    assert samples["segue_webhooks_received_total", acme] == 4
    assert samples["segue_events_journalled_total", acme] == 2
    assert samples["segue_events_duplicate_total", acme] == 2
    assert samples["segue_webhooks_handshakes_total", acme] == 1
    assert samples["segue_webhook_seconds_count",] == 4
    assert samples["segue_journal_commit_seconds_count",] == 3
    assert samples["segue_journal_group_events_sum",] == 4
    assert samples["segue_source_last_event_timestamp_seconds", acme] == NOW.timestamp()
    assert samples["segue_journal_events", acme, ("state", "pending")] == 2
    assert samples["segue_backlog_oldest_seconds", acme] == 0
    assert samples["segue_events_delivered_total", acme] == 0


def rejected(client):
    return {
        (labels["source"], labels["reason"]): value
        for (name, *pairs), value in scrape(client).items()
        if name == "segue_webhooks_rejected_total" and (labels := dict(pairs))
    }


def test_every_rejection_is_counted_by_reason_without_senders_text(
    journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = app_of(journal)
    client.post("/webhooks/acme", data=body())
    client.post("/webhooks/acme", data=body(), headers=signed(body(), secret="whsec_other"))
    post(client, path="/webhooks/acme?org=foreign")
    post(client, path="/webhooks/closed")
    for number in range(3):
        post(client, path=f"/webhooks/scanner{number}")
    client.put("/webhooks/acme", data=b"x")
    post(client, b"x" * 2_000_000)

    def unavailable(events, *, now):
        raise JournalUnavailable("the disk is full")

    monkeypatch.setattr(journal, "append", unavailable)
    post(client)
    monkeypatch.setattr(journal, "append", lambda events, *, now: 1 / 0)
    assert post(client).status_code == 500
    assert rejected(client) == {
        ("acme", "signature_missing"): 1, ("acme", "wrong_secret"): 1, ("acme", "refused"): 1,
        ("closed", "not_configured"): 1, ("unknown", "unknown_source"): 3, ("acme", "method_not_allowed"): 1,
        ("acme", "body_too_large"): 1, ("acme", "journal_unavailable"): 1, ("acme", "internal"): 1,
    }  # fmt: skip


def test_a_refusal_with_the_sources_own_response_is_counted(journal: SqliteJournal) -> None:
    from translators.kit import Response

    client = app_of(journal, nack=Response(body=b"<no/>", status=500, content_type="text/xml"))
    assert post(client, path="/webhooks/acme?org=foreign").data == b"<no/>"
    assert rejected(client) == {("acme", "refused"): 1}


def test_held_write_keys_and_workers_are_shown(journal: SqliteJournal) -> None:
    client = app_of(journal)
    samples = scrape(client)
    assert samples["segue_workers",] == 0
    assert ("segue_worker_heartbeat_age_seconds",) not in samples
    from webhooks.monitoring.metrics import SnapshotTaker

    SnapshotTaker(journal, "sqlite:///j.db", keys=["aaa", "bbb"], clock=lambda: NOW).take()
    journal.note("hold:aaa", {"held": True, "reason": "401"}, now=NOW)
    journal.note("hold:old", {"held": True, "reason": "401"}, now=NOW)
    journal.note("worker:w1", {}, now=NOW - timedelta(seconds=7))
    journal.note("worker:w2", {}, now=NOW - timedelta(days=1))
    samples = scrape(client)
    assert samples["segue_write_key_held", ("write_key", "aaa")] == 1
    assert samples["segue_write_key_held", ("write_key", "bbb")] == 0
    assert ("segue_write_key_held", ("write_key", "old")) not in samples
    assert (samples["segue_workers",], samples["segue_worker_heartbeat_age_seconds",]) == (1, 7)


def test_text_and_openmetrics_formats_parse_and_gzip_is_supported(journal: SqliteJournal) -> None:
    client = app_of(journal)
    post(client)
    plain = client.get("/metrics", headers=BEARER)
    assert plain.content_type.startswith("text/plain; version=")
    open_metrics = client.get("/metrics", headers=BEARER | {"Accept": "application/openmetrics-text; version=1.0.0"})
    assert open_metrics.content_type.startswith("application/openmetrics-text")
    assert {family.name for family in parse_open(open_metrics.text)} == {family.name for family in parse(plain.text)}
    compressed = client.get("/metrics", headers=BEARER | {"Accept-Encoding": "gzip"})
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert b"segue_build_info" in gzip.decompress(compressed.data)


def test_a_scrape_without_the_journal_is_503(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app_of(journal)

    def unavailable(*_, **__):
        raise JournalUnavailable("the disk is full", hint="Free space.")

    monkeypatch.setattr(journal, "tally", unavailable)
    response = client.get("/metrics", headers=BEARER)
    assert (response.status_code, response.get_json()["error"]) == (503, "journal_unavailable")
