"""One scrape has the counts of every process: several gunicorn workers and the delivery worker."""

import http.client
import json
import signal
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families as parse

from support.processes import SECRET, free_port, get, output, segue, standin, until
from translators.kit import HmacBody
from webhooks.signatures import sign

TOKEN = "0123456789abcdef"
SCHEME = HmacBody(header="X-Acme-Signature")


@pytest.fixture
def receiver():
    with standin() as url:
        yield url


def post(port, number):
    """POST on a new connection, so that any process may handle it."""
    body = json.dumps(
        {"id": f"evt_{number}", "type": "order.paid", "at": "2026-03-31T12:00:00Z", "user": "u", "order": "o"}
    ).encode()
    headers = sign(SCHEME, body=body, secret=SECRET, now=datetime.now(UTC)).headers
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("POST", "/webhooks/acme", body, dict(headers))
        return connection.getresponse().status
    finally:
        connection.close()


def scrape(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", "/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
        response = connection.getresponse()
        text = response.read().decode()
        assert response.status == 200, text
    finally:
        connection.close()
    return {(s.name, *sorted(s.labels.items())): s.value for family in parse(text) for s in family.samples}


def counters(samples):
    return {key: value for key, value in samples.items() if key[0].endswith(("_total", "_count", "_sum", "_bucket"))}


def web_workers(service):
    return [
        child for child in psutil.Process(service.pid).children(recursive=True)
        if (parent := child.parent()) and "gunicorn" in " ".join(parent.cmdline()) and "gunicorn" in " ".join(child.cmdline())
    ]  # fmt: skip


@pytest.mark.parametrize("worker_class", ["gevent", "gthread"])
@pytest.mark.slow
def test_every_process_is_counted_once(tmp_path: Path, receiver, worker_class) -> None:
    port = free_port()
    environ = {
        "PORT": str(port), "WEB_CONCURRENCY": "3", "SEGUE_WORKER_CLASS": worker_class, "SEGUE_METRICS_TOKEN": TOKEN,
        "SEGMENT_URL": receiver, "SEGMENT_WRITE_KEY": "wk_test",
    }  # fmt: skip
    acme = ("source", "acme")
    with segue(tmp_path, "serve", **environ) as service:
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        assert [post(port, number) for number in range(60)] == [200] * 60
        until(
            lambda: (
                scrape(port).get(("segue_events_delivered_total", acme)) == 60
                and scrape(port)["segue_events_journalled_total", acme] == 60
            ),
            lambda: f"{scrape(port)}, {output(tmp_path)}",
        )
        service.send_signal(signal.SIGTERM)
        assert service.wait(30) == 0
    with segue(tmp_path, "serve", **environ) as service:
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        samples = scrape(port)
        assert samples["segue_webhooks_received_total", acme] == 60
        assert samples["segue_delivery_seconds_count", acme] == 60
        assert samples["segue_segment_requests_total", ("answer", "accepted")] >= 1
        for number in range(60, 80):
            post(port, number)
        killed = web_workers(service)[:2]
        assert len(killed) == 2
        for process in killed:
            process.kill()
        before = counters(scrape_when_up(port))
        deadline = time.monotonic() + 7
        while time.monotonic() < deadline:
            now = counters(scrape_when_up(port))
            fallen = {key: (value, now.get(key)) for key, value in before.items() if now.get(key, -1.0) < value}
            assert not fallen
            before = now
            time.sleep(0.2)
        assert 60 <= before["segue_events_journalled_total", acme] <= 80


def scrape_when_up(port):
    """Scrape; retry if the connection goes to a process that was just killed."""
    for _ in range(50):
        try:
            return scrape(port)
        except (OSError, http.client.HTTPException):
            time.sleep(0.1)
    raise AssertionError("no process responds")
