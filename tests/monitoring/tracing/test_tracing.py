"""An event's trace spans webhook, journal and delivery; without the variables nothing is traced."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from support.acme import NOW, body, make_endpoint, signed
from support.delivery_bench import Bench
from support.faulty_receiver import FaultyReceiver, status
from support.memory_journal import MemoryJournal
from support.messages import event
from support.wsgi import call_app
from webhooks.journal import SqliteJournal
from webhooks.monitoring.tracing import Tracer, open_tracer
from webhooks.monitoring.tracing.otel import HEADER, OpenTelemetry
from webhooks.settings import Settings
from webhooks.web.handler import WebhookHandler
from webhooks.web.wsgi import WebhookApp


@pytest.fixture
def exporter():
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter):
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    made = OpenTelemetry(provider)
    yield made
    made.close()


@pytest.fixture
def journal(tmp_path: Path):
    opened = SqliteJournal(tmp_path / "j.db")
    yield opened
    opened.close()


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with FaultyReceiver() as server:
        yield server


def handler_for(journal, tracer):
    return WebhookHandler(
        endpoints={"acme": make_endpoint()},
        sources={},
        journal=journal,
        max_body=10_000,
        clock=lambda: NOW,
        tracer=tracer,
    )


def call(handler, payload, headers):
    import io

    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": "/webhooks/acme/s3cret-token", "CONTENT_LENGTH": str(len(payload)),
        "wsgi.input": io.BytesIO(payload), **{f"HTTP_{k.upper().replace('-', '_')}": v for k, v in headers.items()},
    }  # fmt: skip
    return call_app(WebhookApp(handler, lambda *_: []), environ)[0]


def spans(exporter):
    return {span.name: span for span in exporter.get_finished_spans()}


def test_one_trace_from_webhook_to_delivery(journal: SqliteJournal, tracer, exporter, server: FaultyReceiver) -> None:
    assert call(handler_for(journal, tracer), body(), signed(body())).startswith("200")
    bench = Bench(server, journal=journal, endpoints={"acme": make_endpoint()})
    bench.clock.now = NOW
    worker = bench.worker(tracer=tracer)
    assert worker.run_once() == 1
    worker.close()
    by_name = spans(exporter)
    assert set(by_name) == {"receive acme", "journal", "translate acme", "deliver batch", "deliver acme"}
    receive, stored = by_name["receive acme"], by_name["journal"]
    trace_id = receive.context.trace_id
    assert {span.context.trace_id for name, span in by_name.items() if name != "deliver batch"} == {trace_id}
    assert receive.parent is None
    assert stored.parent.span_id == receive.context.span_id
    for name in ("translate acme", "deliver acme"):
        assert by_name[name].parent.span_id == stored.context.span_id
    batch = by_name["deliver batch"]
    assert batch.context.trace_id != trace_id
    assert [link.context.span_id for link in batch.links] == [stored.context.span_id]
    assert [link.context.span_id for link in by_name["deliver acme"].links] == [batch.context.span_id]
    assert receive.attributes["http.response.status_code"] == 200
    assert stored.attributes["segue.events.new"] == 1
    assert by_name["translate acme"].attributes["segue.outcome"] == "translated"
    assert by_name["deliver acme"].attributes == {
        "segue.source": "acme", "segue.event.type": "thing.done", "messaging.message.id": "evt_1",
        "segue.state": "delivered",
    }  # fmt: skip
    assert "s3cret-token" not in str([(span.name, span.attributes) for span in by_name.values()])


def test_the_sent_batch_is_the_same_with_and_without_a_trace(
    journal: SqliteJournal, tracer, server: FaultyReceiver, tmp_path: Path
) -> None:
    other = SqliteJournal(tmp_path / "other.db")
    for store, used_tracer in ((journal, tracer), (other, None)):
        call(handler_for(store, used_tracer), body(), signed(body()))
        bench = Bench(server, journal=store, endpoints={"acme": make_endpoint()})
        bench.clock.now = NOW
        worker = bench.worker()
        worker.run_once()
        worker.close()
    first, second = server.requests
    assert first.batch == second.batch
    assert [HEADER in row.event.headers for row in (*journal.rows(), *other.rows())] == [True, False]
    other.close()


def test_the_span_of_a_refused_webhook_has_an_error_type(journal: SqliteJournal, tracer, exporter) -> None:
    call(handler_for(journal, tracer), body(), signed(body(), secret="whsec_other"))
    span = spans(exporter)["receive acme"]
    assert (span.attributes["error.type"], span.status.status_code) == ("wrong_secret", StatusCode.ERROR)
    assert span.events == ()


def test_a_senders_own_traceparent_is_ignored(journal: SqliteJournal, tracer, exporter) -> None:
    theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    call(handler_for(journal, tracer), body(), {**signed(body()), "traceparent": theirs})
    assert f"{spans(exporter)['receive acme'].context.trace_id:032x}" != theirs.split("-")[1]


def test_an_event_received_without_a_trace_is_delivered(tracer, exporter, server: FaultyReceiver) -> None:
    bench = Bench(server, MemoryJournal())
    bench.orders(2)
    worker = bench.worker(tracer=tracer)
    assert worker.run_once() == 2
    worker.close()
    assert spans(exporter)["deliver batch"].links == ()
    assert len(exporter.get_finished_spans()) == 5


def test_a_failure_is_an_error_of_its_span(tracer, exporter, server: FaultyReceiver) -> None:
    bench = Bench(server, MemoryJournal())
    bench.append(event(1, type="broken"), event(2))
    server.plan.append(status(503))
    worker = bench.worker(tracer=tracer)
    worker.run_once()
    worker.close()
    by = {(span.name, span.attributes.get("messaging.message.id")): span for span in exporter.get_finished_spans()}
    assert by["translate shop", "e1"].status.status_code is StatusCode.ERROR
    assert by["translate shop", "e2"].status.status_code is not StatusCode.ERROR
    assert by["deliver shop", "e2"].attributes["segue.state"] == "pending"
    assert by["deliver shop", "e2"].status.status_code is StatusCode.ERROR


def test_a_batch_has_at_most_128_links(tracer, exporter, server: FaultyReceiver) -> None:
    bench = Bench(server, MemoryJournal())
    events = [event(number) for number in range(200)]
    for item in events:
        with tracer.receive("shop"), tracer.journal([item]) as (_, traced):
            bench.append(*traced)
    exporter.clear()
    worker = bench.worker(tracer=tracer)
    worker.run_once()
    worker.close()
    assert len(spans(exporter)["deliver batch"].links) == 128


def test_a_batch_of_one_webhook_has_one_link(tracer, exporter, server: FaultyReceiver) -> None:
    bench = Bench(server, MemoryJournal())
    with tracer.receive("shop"), tracer.journal([event(1), event(2)]) as (_, traced):
        bench.append(*traced)
    worker = bench.worker(tracer=tracer)
    worker.run_once()
    worker.close()
    assert len(spans(exporter)["deliver batch"].links) == 1


def test_without_the_variables_opentelemetry_is_not_imported() -> None:
    code = (
        "import sys\nfrom webhooks.web.app import create_app\nfrom webhooks.settings import Settings\n"
        "from webhooks.monitoring.tracing import open_tracer, Tracer\n"
        "assert type(open_tracer(Settings())) is Tracer\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_opentelemetry_installed_a_warning_is_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(sys.modules, "webhooks.monitoring.tracing.otel", None)
    assert type(open_tracer(Settings(tracing=True))) is Tracer
    assert "pip install 'segue[otel]'" in caplog.text


def test_the_shutdown_does_not_wait_for_a_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, release = threading.Event(), threading.Event()

    class Stuck(InMemorySpanExporter):
        def shutdown(self):
            asked.set()
            release.wait(30)

    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(Stuck()))
    monkeypatch.setattr("webhooks.monitoring.tracing.otel.CLOSE_TIMEOUT", 0.05)
    OpenTelemetry(provider).close()
    assert asked.is_set()
    assert not release.is_set()
    release.set()


def test_the_default_tracer_does_nothing() -> None:
    tracer = Tracer()
    original = [event(1)]
    with tracer.receive("x") as span, tracer.journal(original) as (_, events), tracer.translate(original[0]):
        span.set_attributes({"a": 1})
        span.fail("b")
        assert events is original
    with tracer.deliver(original) as batch:
        tracer.settle(original[0], "delivered", began=0, batch=batch)
    tracer.close()
