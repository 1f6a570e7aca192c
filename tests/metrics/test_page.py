"""/metrics: closed without a token, and one scrape tells what the door and the worker did."""

import gzip
from datetime import timedelta

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_open
from prometheus_client.parser import text_string_to_metric_families as parse

from acme import NOW, SECRET, body, make_source, signed
from webhooks.errors import JournalUnavailable
from webhooks.journal import SqliteJournal
from webhooks.settings import EndpointSettings, MetricsSettings, Settings
from webhooks.sources import plugins
from webhooks.web.app import create_app

TOKEN = "0123456789abcdef"
BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def journal(tmp_path):
    opened = SqliteJournal(tmp_path / "segue.db")
    yield opened
    opened.close()


def app_of(journal, *, tokens=(TOKEN,), nack=None):
    source = make_source(nack=nack)
    registry = plugins.Registry((), {"acme": source, "closed": type(source)("closed", scheme=source.schemes)})
    doors = {"acme": EndpointSettings(name="acme", source="acme", secrets=(SECRET,))}
    settings = Settings(endpoints=doors, metrics=MetricsSettings(tokens=tokens), database=f"sqlite:///{journal.path}")
    return create_app(settings, registry=registry, journal=journal, clock=lambda: NOW).test_client()


def post(client, payload=None, path="/webhooks/acme", **headers):
    payload = body() if payload is None else payload
    return client.post(path, data=payload, headers=signed(payload) | headers)


def scrape(client, **headers):
    answer = client.get("/metrics", headers=BEARER | headers)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in parse(answer.text) for sample in family.samples
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
def test_only_who_brings_the_token_is_answered(journal, tokens, headers, status):
    answer = app_of(journal, tokens=tokens).get("/metrics", headers=headers)
    assert answer.status_code == status
    assert TOKEN not in answer.text
    assert ("segue_" in answer.text) == (status == 200)
    if status == 401:
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_door_counts_what_came_and_what_became_of_it(journal):
    client = app_of(journal)
    for payload in (body(), body(), b"[" + body("a") + b"," + body() + b"]"):
        assert post(client, payload).status_code == 200
    client.post("/webhooks/acme", data=b'{"ping": 1}', headers=signed(b'{"ping": 1}'))
    told = scrape(client)
    acme = ("source", "acme")
    assert told["segue_webhooks_received_total", acme] == 4
    assert told["segue_events_journalled_total", acme] == 2
    assert told["segue_events_duplicate_total", acme] == 2
    assert told["segue_webhooks_handshakes_total", acme] == 1
    assert told["segue_webhook_seconds_count",] == 4
    assert told["segue_journal_commit_seconds_count",] == 3
    assert told["segue_journal_group_events_sum",] == 4
    assert told["segue_source_last_event_timestamp_seconds", acme] == NOW.timestamp()
    assert told["segue_journal_events", acme, ("state", "pending")] == 2
    assert told["segue_backlog_oldest_seconds", acme] == 0
    assert told["segue_events_delivered_total", acme] == 0


def rejected(client):
    return {
        (labels["source"], labels["reason"]): value
        for (name, *pairs), value in scrape(client).items()
        if name == "segue_webhooks_rejected_total" and (labels := dict(pairs))
    }


def test_every_way_to_be_turned_away_is_counted_by_its_reason_and_no_word_of_the_senders_is_a_label(
    journal, monkeypatch
):
    client = app_of(journal)
    client.post("/webhooks/acme", data=body())
    client.post("/webhooks/acme", data=body(), headers=signed(body(), secret="whsec_other"))
    post(client, path="/webhooks/acme?org=foreign")
    post(client, path="/webhooks/closed")
    for number in range(3):
        post(client, path=f"/webhooks/scanner{number}")
    client.put("/webhooks/acme", data=b"x")
    post(client, b"x" * 2_000_000)

    def away(events, *, now):
        raise JournalUnavailable("the disk is full")

    monkeypatch.setattr(journal, "append", away)
    post(client)
    monkeypatch.setattr(journal, "append", lambda events, *, now: 1 / 0)
    assert post(client).status_code == 500
    assert rejected(client) == {
        ("acme", "signature_missing"): 1, ("acme", "wrong_secret"): 1, ("acme", "refused"): 1,
        ("closed", "not_configured"): 1, ("unknown", "unknown_source"): 3, ("acme", "method_not_allowed"): 1,
        ("acme", "body_too_large"): 1, ("acme", "journal_unavailable"): 1, ("acme", "internal"): 1,
    }  # fmt: skip


def test_a_source_that_refuses_in_its_own_words_is_counted_too(journal):
    from translators.kit import Response

    client = app_of(journal, nack=Response(body=b"<no/>", status=500, content_type="text/xml"))
    assert post(client, path="/webhooks/acme?org=foreign").data == b"<no/>"
    assert rejected(client) == {("acme", "refused"): 1}


def test_a_held_write_key_and_the_workers_are_told(journal):
    client = app_of(journal)
    told = scrape(client)
    assert told["segue_workers",] == 0
    assert ("segue_worker_heartbeat_age_seconds",) not in told
    from webhooks.monitoring.metrics import SnapshotTaker

    SnapshotTaker(journal, "sqlite:///j.db", keys=["aaa", "bbb"], clock=lambda: NOW).take()
    journal.note("hold:aaa", {"held": True, "reason": "401"}, now=NOW)
    journal.note("hold:old", {"held": True, "reason": "401"}, now=NOW)
    journal.note("worker:w1", {}, now=NOW - timedelta(seconds=7))
    journal.note("worker:w2", {}, now=NOW - timedelta(days=1))
    told = scrape(client)
    assert told["segue_write_key_held", ("write_key", "aaa")] == 1
    assert told["segue_write_key_held", ("write_key", "bbb")] == 0
    assert ("segue_write_key_held", ("write_key", "old")) not in told
    assert (told["segue_workers",], told["segue_worker_heartbeat_age_seconds",]) == (1, 7)


def test_both_forms_are_read_by_their_parsers_and_gzip_is_undone(journal):
    client = app_of(journal)
    post(client)
    plain = client.get("/metrics", headers=BEARER)
    assert plain.content_type.startswith("text/plain; version=")
    openly = client.get("/metrics", headers=BEARER | {"Accept": "application/openmetrics-text; version=1.0.0"})
    assert openly.content_type.startswith("application/openmetrics-text")
    assert {family.name for family in parse_open(openly.text)} == {family.name for family in parse(plain.text)}
    packed = client.get("/metrics", headers=BEARER | {"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert b"segue_build_info" in gzip.decompress(packed.data)


def test_while_the_journal_is_away_a_scrape_fails_and_says_so(journal, monkeypatch):
    client = app_of(journal)

    def away(*_, **__):
        raise JournalUnavailable("the disk is full", hint="Make room.")

    monkeypatch.setattr(journal, "tally", away)
    answer = client.get("/metrics", headers=BEARER)
    assert (answer.status_code, answer.get_json()["error"]) == (503, "journal_unavailable")
