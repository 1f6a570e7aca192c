"""Each refused delivery: one log line, a counter by cause, and `segue status` and `segue alerts`."""

import gzip
import logging
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.acme import NOW, SECRET, body, make_endpoint, make_source, signed
from support.installed_endpoints import ENDPOINTS_BY_NAME, call_wsgi, make_handler
from support.memory_journal import MemoryJournal
from translators.kit import Delivery, Response
from webhooks.errors import Rejected
from webhooks.http.request import HttpRequest
from webhooks.monitoring.alerts.conditions import conditions
from webhooks.monitoring.metrics import Meter, Totals, refused_counts
from webhooks.monitoring.snapshot import JournalSnapshot
from webhooks.settings import AlertSettings
from webhooks.web.handler import WebhookHandler
from webhooks.web.refusals import MAX_LINES, WINDOW, Refusals


class EndpointBench:
    """One endpoint, and the results of the requests to it."""

    def __init__(self, source: Any = None, **endpoint: Any) -> None:
        self.journal = MemoryJournal()
        self.now = NOW
        self.meter = Meter()
        self.totals = Totals(self.meter, self.journal)
        self.handler = WebhookHandler(
            endpoints={"acme": make_endpoint(source or make_source(), **endpoint)}, sources={"closed": make_source()},
            journal=self.journal, max_body=1000, clock=lambda: self.now, meter=self.meter,
        )  # fmt: skip

    def send(
        self, payload: bytes = b"", *, name: str = "acme", method: str = "POST", sign: bytes | None = None, query: str = "",
        length: str | None = None, **headers: str,
    ) -> int:  # fmt: skip
        request_headers = {"content-length": str(len(payload)) if length is None else length}
        if sign is not None:
            request_headers |= {key.lower(): value for key, value in signed(sign).items()}
        request_headers |= {key.lower().replace("_", "-"): value for key, value in headers.items()}
        request = HttpRequest(method=method, body=payload, headers=request_headers, query_string=query)
        return call_wsgi(self.handler, f"/webhooks/{name}", request)[0]

    def refused(self) -> dict[tuple[str, str], Any]:
        self.totals.flush()
        return {(row.source, row.reason): row for row in refused_counts(self.journal.tallies())}

    def alerts(self) -> dict[str, Any]:
        alerts = conditions(
            snapshot=JournalSnapshot(at=self.now), notes={}, limits={}, settings=AlertSettings(), sources=["acme"], now=self.now,
            refused=list(self.refused().values()),
        )  # fmt: skip
        return {alert.key: alert for alert in alerts}


LARGE = body(note="x" * 2000)
ENCODED = gzip.compress(body())
# request, error, state of the signature
CASES: dict[str, tuple[dict[str, Any], str, str]] = {
    "no signature": ({"payload": body()}, "signature_missing", "missing"),
    "wrong signature": ({"payload": body(), "sign": b"other"}, "wrong_secret", "wrong"),
    "re-serialised": ({"payload": body().replace(b": ", b":"), "sign": body()}, "body_changed", "right"),
    "too large": ({"payload": LARGE, "sign": LARGE}, "body_too_large", "not_checked"),
    "too large without a signature": ({"payload": LARGE}, "body_too_large", "missing"),
    "a bomb": ({"payload": gzip.compress(b"x" * 9000), "sign": gzip.compress(b"x" * 9000, mtime=0),
                "content_encoding": "gzip"}, "body_too_large", "not_checked"),
    "a signed encoding": ({"payload": ENCODED, "sign": ENCODED, "content_encoding": "br"}, "unsupported_encoding", "right"),
    "an encoding": ({"payload": ENCODED, "sign": body(), "content_encoding": "br"}, "unsupported_encoding", "not_checked"),
    "an unreadable signature": ({"payload": body(), "method": "PUT", "Acme_Signature": "x"}, "method_not_allowed", "wrong"),
    "no gzip": ({"payload": body(), "sign": body(), "content_encoding": "gzip"}, "bad_encoding", "right"),
    "cut short": ({"payload": body(), "sign": body(), "length": "999"}, "cut_short", "not_checked"),
    "method": ({"payload": body(), "sign": body(), "method": "PUT"}, "method_not_allowed", "right"),
    "get": ({"sign": b"", "method": "GET"}, "method_not_allowed", "right"),
    "a scanner's get": ({"method": "GET", "query": "a=1"}, "method_not_allowed", "missing"),
    "guard": ({"payload": body(), "sign": body(), "query": "org=foreign"}, "refused", "right"),
    "closed": ({"payload": body(), "name": "closed"}, "not_configured", "not_checked"),
    "unknown": ({"payload": body(), "name": "other"}, "unknown_source", "not_checked"),
}  # fmt: skip
LOST = {
    "re-serialised", "too large", "a bomb", "a signed encoding", "an encoding", "no gzip", "method", "get", "guard",
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refusal_is_logged_counted_and_alerted_by_cause(case: str, caplog: Any) -> None:
    request, error, signature = CASES[case]
    bench = EndpointBench()
    name = {"other": "unknown"}.get(request.get("name", "acme"), request.get("name", "acme"))
    with caplog.at_level(logging.WARNING):
        status = bench.send(**request)
    assert 400 <= status < 600
    (record,) = [record for record in caplog.records if record.message == "rejected"]
    assert (record.endpoint, record.error, record.signature) == (name, error, signature)
    assert record.status == status
    assert record.reason
    assert bench.journal.rows() == []
    ((key, row),) = bench.refused().items()
    assert key == (name, error)
    assert (row.count, row.last_at) == (1, NOW)
    assert (row.signed, row.unchecked) == (
        (signature == "right") * (case in LOST),
        (signature == "not_checked") * (case in LOST),
    )
    alerts = bench.alerts()
    assert set(alerts) == ({"refused:acme"} if case in LOST else set())
    if case in LOST:
        alert = alerts["refused:acme"]
        assert alert.severity == ("critical" if signature == "right" and case != "guard" else "warning")
        assert error in alert.text
        assert "provider's console" in alert.hint


def test_refusal_log_has_no_secret_body_or_query(caplog: Any) -> None:
    bench = EndpointBench()
    private = body(note="very private")
    with caplog.at_level(logging.DEBUG):
        bench.send(private, sign=private, method="PUT", query="email=ada@example.com")
        bench.send(private, sign=private, content_encoding="br")
        bench.send(private, name="t0ken-as-a-name")
    text = " ".join(str(vars(record)) for record in caplog.records)
    assert "rejected" in text
    for never in (SECRET, "very private", "ada@", "t0ken", signed(private)["acme-signature"]):
        assert never not in text


def test_alert_of_lost_deliveries_grows_and_ends_after_a_day() -> None:
    bench = EndpointBench()
    bench.send(LARGE, sign=LARGE)
    assert bench.alerts()["refused:acme"].weight == 10
    for _ in range(30):
        bench.send(body(), sign=body(), method="PUT")
    alert = bench.alerts()["refused:acme"]
    assert alert.weight == 31
    assert "30 correctly signed deliveries" in alert.text
    bench.now += timedelta(hours=23)
    assert bench.alerts()
    bench.now += timedelta(hours=2)
    assert bench.alerts() == {}


def test_clock_fault_raises_an_alert_and_unavailable_journal_does_not() -> None:
    """The provider retries a delivery that got a 503."""
    bench = EndpointBench()
    bench.now = NOW + timedelta(days=1)
    bench.send(body(), sign=body())
    assert "clock" in bench.alerts()["refused:acme"].text
    bench = EndpointBench()
    bench.journal.away = True
    assert bench.send(body(), sign=body()) == 503
    bench.journal.away = False
    assert bench.refused()["acme", "journal_unavailable"].count == 1
    assert bench.alerts() == {}


def test_refusal_with_a_nack_of_the_source_is_recorded(caplog: Any) -> None:
    bench = EndpointBench(make_source(nack=Response(body=b"<no/>", content_type="text/xml")))
    with caplog.at_level(logging.WARNING):
        assert bench.send(body(), sign=body(), query="org=foreign") == 200
    assert [record.error for record in caplog.records if record.message == "rejected"] == ["refused"]
    assert bench.refused()["acme", "refused"].signed == 1


def test_log_of_a_refusal_flood_is_sampled_and_summarised(caplog: Any) -> None:
    clock = [0.0]
    refusals = Refusals(Meter(), tick=lambda: clock[0])
    rejected = Rejected(401, "wrong_secret", "No.")

    def lines(message: str) -> list[Any]:
        return [record for record in caplog.records if record.message == message]

    with caplog.at_level(logging.WARNING):
        for _ in range(1000):
            refusals.record("acme", rejected, method="POST", now=NOW)
        refusals.record("shop", rejected, method="POST", now=NOW)
        assert len(lines("rejected")) == MAX_LINES + 1
        refusals.flush()
        assert lines("more rejections") == []
        clock[0] = WINDOW
        refusals.flush()
        (summary,) = lines("more rejections")
        assert (summary.endpoint, summary.error, summary.left_out) == ("acme", "wrong_secret", 1000 - MAX_LINES)
        refusals.record("acme", rejected, method="POST", now=NOW)
        assert len(lines("rejected")) == MAX_LINES + 2
        assert refusals._windows.keys() == {("acme", "wrong_secret")}


def test_summary_of_omitted_lines_is_logged_at_process_exit(caplog: Any) -> None:
    refusals = Refusals(Meter(), tick=lambda: 0.0)
    with caplog.at_level(logging.WARNING):
        for _ in range(MAX_LINES + 3):
            refusals.record("acme", Rejected(401, "clock", "No."), method="POST", now=NOW)
        refusals.flush(at_end=True)
        refusals.flush(at_end=True)
    assert [record.left_out for record in caplog.records if record.message == "more rejections"] == [3]


def test_next_refusal_logs_the_summary_of_an_ended_window(caplog: Any) -> None:
    clock = [0.0]
    refusals = Refusals(Meter(), tick=lambda: clock[0])
    with caplog.at_level(logging.WARNING):
        for _ in range(MAX_LINES + 7):
            refusals.record("acme", Rejected(415, "unsupported_encoding", "No."), method="POST", now=NOW)
        clock[0] = WINDOW + 1
        refusals.record("acme", Rejected(415, "unsupported_encoding", "No."), method="POST", now=NOW)
    assert [record.left_out for record in caplog.records if record.message == "more rejections"] == [7]


@pytest.mark.parametrize("name", sorted(ENDPOINTS_BY_NAME))
def test_refused_request_with_a_valid_signature_is_recognised(name: str) -> None:
    """For every scheme: an unknown Content-Encoding."""
    installed = ENDPOINTS_BY_NAME[name]
    handler = make_handler(MemoryJournal())
    genuine = installed.request()
    path = f"/webhooks/{name}" + (f"/{genuine.path_token}" if genuine.path_token else "")
    headers = {**genuine.headers, "content-encoding": "zstd"}
    assert call_wsgi(handler, path, replace(genuine, headers=headers))[0] == 415
    expected = "not_checked" if getattr(installed.endpoint.scheme, "cert_url_header", None) else "right"
    (sample,) = [
        sample
        for sample in next(iter(handler.meter.signed_rejected.collect())).samples
        if sample.name.endswith("_total")
    ]
    assert sample.labels == {"source": name, "reason": "unsupported_encoding", "signature": expected}


def test_handshake_that_raises_is_not_a_500(caplog: Any) -> None:
    source = make_source()

    @source.handshake(signed=False)
    def unsigned(delivery: Delivery) -> Response | None:
        return Response(body=delivery.payload.text("hello").encode()) if delivery.payload["a"]["b"] else None  # type: ignore[index]

    bench = EndpointBench(source)
    assert bench.send(b"\xff\xfe garbage") == 401
    assert bench.send(b"{}") == 401
    assert bench.send(body(), sign=body()) == 200
    assert len(bench.journal.rows()) == 1


def test_mistyped_source_name_is_logged_with_the_most_similar_name(caplog: Any) -> None:
    bench = EndpointBench()
    with caplog.at_level(logging.WARNING):
        for name in ("acmee", "x" * 4000, "t0ken"):
            assert bench.send(body(), sign=body(), name=name) == 404
    details = [getattr(record, "detail", "") for record in caplog.records if record.message == "rejected"]
    assert details == ["the most similar name is acme", "", ""]


def test_content_length_of_a_too_large_body_is_logged(caplog: Any) -> None:
    with caplog.at_level(logging.WARNING):
        assert EndpointBench().send(b"", length="123456") == 413
        assert EndpointBench().send(b"", length="1" + "0" * 4999) == 413
    details = [getattr(record, "detail", "") for record in caplog.records if record.message == "rejected"]
    assert details == ["Content-Length is 123456", ""]
