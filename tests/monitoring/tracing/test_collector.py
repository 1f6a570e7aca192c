"""Real processes send their spans by OTLP/HTTP to a real server."""

import gzip
import signal
import threading
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from support.processes import EVENT, SECRET, free_port, get, output, segue, standin, until
from translators.kit import HmacBody
from webhooks.cli.post import post
from webhooks.errors import SettingsError
from webhooks.settings import load
from webhooks.signatures import sign


class Collector:
    """An OTLP/HTTP receiver. `spans` are (service, process, span)."""

    def __init__(self):
        self.spans: list[tuple[str, str, Any]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert self.path == "/v1/traces"
                for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                    attributes = {item.key: item.value for item in resource.resource.attributes}
                    process = (attributes["service.name"].string_value, attributes["process.pid"].int_value)
                    collector.spans += [(*process, span) for scope in resource.scope_spans for span in scope.spans]
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def collector():
    made = Collector()
    thread = threading.Thread(target=made.server.serve_forever, args=(0.01,))
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


@pytest.fixture
def receiver():
    with standin() as url:
        yield url


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
def test_a_collector_gets_one_trace_from_two_processes(tmp_path: Path, collector, receiver, worker_class) -> None:
    port = free_port()
    environ = {
        "PORT": str(port), "SEGUE_WORKER_CLASS": worker_class, "SEGMENT_URL": receiver, "SEGMENT_WRITE_KEY": "wk_test",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "100",
    }  # fmt: skip
    with segue(tmp_path, "serve", **environ) as service:
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        signed = sign(HmacBody(header="X-Acme-Signature"), body=EVENT, secret=SECRET, now=datetime.now(UTC))
        assert post(f"http://127.0.0.1:{port}/webhooks/acme", signed).status == 200
        until(lambda: len(collector.spans) >= 5, lambda: output(tmp_path))
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0
    names = {span.name: (service, pid, span) for service, pid, span in collector.spans}
    assert set(names) == {"receive acme", "journal", "translate acme", "deliver batch", "deliver acme"}
    assert {service for service, _, _ in names.values()} == {"segue"}
    one = {name for name, (_, _, span) in names.items() if span.trace_id == names["receive acme"][2].trace_id}
    assert one == set(names) - {"deliver batch"}
    assert names["receive acme"][1] != names["translate acme"][1]
    assert "Traceback" not in output(tmp_path)


@pytest.mark.parametrize(
    ("environ", "traced"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/v1/traces"}, True),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, True),
        ({"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, False),
        ({"OTEL_SDK_DISABLED": "true", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, False),
        ({"OTEL_SERVICE_NAME": "x"}, False),
    ],
)
def test_tracing_is_enabled_by_the_opentelemetry_variables(environ, traced) -> None:
    assert load(environ, sources={}).tracing is traced


def test_unsupported_tracing_settings_are_warnings(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317"}
    assert "OTEL" not in " ".join(load(environ, sources={}).warnings)
    warnings = " ".join(load({**environ, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, sources={}).warnings)
    assert "traces are sent by http/protobuf" in warnings
    assert "only otlp is supported" in " ".join(
        load({**environ, "OTEL_TRACES_EXPORTER": "otlp,console"}, sources={}).warnings
    )
    for missing in (lambda name: None, _raise):
        monkeypatch.setattr("webhooks.settings.traces.find_spec", missing)
        assert "pip install 'segue[otel]'" in " ".join(load(environ, sources={}).warnings)
    with pytest.raises(SettingsError):
        load({"SEGUE_OTEL": "x"}, sources={})


def _raise(name):
    raise ModuleNotFoundError(name)
