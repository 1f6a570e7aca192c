"""`segue doctor` with deliberate faults: each fault is reported with a hint, in a bounded time."""

import json
import socket
import tempfile
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from support.processes import free_port, get, output, segue, until
from webhooks.cli import doctor as doctoring
from webhooks.cli.doctor import segment, store
from webhooks.cli.findings import Finding
from webhooks.journal import open_journal


@pytest.fixture
def tmp_path():
    """A folder on a disk: a journal in memory is a fault."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.fixture
def run(run, monkeypatch: pytest.MonkeyPatch):
    """`segue doctor`."""
    monkeypatch.setenv("NO_PROXY", "*")

    def doctor(*arguments, **more):
        variables = {"SEGMENT_WRITE_KEY": "wk_test", "PORT": str(free_port()), **more}
        result = run("doctor", *arguments, **variables)
        assert "Traceback" not in result.output
        return result

    return doctor


@contextmanager
def answering(status=200, body=b'{"success":true}', **headers):
    """A server that answers everything alike; `Date` may be among the headers."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            length = int(self.headers.get("Content-Length", 0))
            self.rfile.read(length)
            self.send_response_only(status)
            fields = {"Date": self.date_time_string(), "Content-Length": str(len(body)), **headers}
            for name, value in fields.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_GET

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def findings(result):
    report = json.loads(result.output)
    return report["ok"], [(finding["grade"], finding["about"], finding["text"]) for finding in report["findings"]]


def about(result, word):
    return [(grade, text) for grade, what, text in findings(result)[1] if what == word]


def test_doctor_checks_a_running_service(run, tmp_path: Path, receiver) -> None:
    environ, got = receiver
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environ |= {"PORT": str(port), "SEGUE_PUBLIC_URL": address}
    with segue(tmp_path, "serve", **environ):
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        until(lambda: worker_lives(tmp_path), "a worker's note")
        result = run("--send", "--json", SEGUE_ALERT_DISK_FREE="0", **environ)
    ok, lines = findings(result)
    assert ok, lines
    texts = " | ".join(text for grade, _, text in lines if grade == "ok")
    for part in (
        "a sync of the journal's disk takes", "a durable commit takes",
        f"the web server answers on {address}", f"{address} leads to this installation",
        f"{address}/webhooks/acme is open to acme", "the clock agrees with Segment's", "accepts write key",
        "a message was sent: `Segue Doctor`", "a worker reported",
    ):  # fmt: skip
        assert part in texts, part
    (message,) = got()
    assert (message["event"], message["anonymousId"]) == ("Segue Doctor", "segue-doctor")


def worker_lives(folder):
    journal = open_journal(f"sqlite:///{folder}/segue.db")
    try:
        return any(name.startswith("worker:") for name in journal.notes())
    finally:
        journal.close()


def test_without_send_nothing_is_sent(run) -> None:
    with answering() as url:
        result = run("--json", SEGMENT_URL=url)
    assert "a message was sent" not in result.output
    assert result.exit_code == 0


def test_doctor_stops_at_a_wrong_configuration_or_broken_journal(run, tmp_path: Path) -> None:
    result = run(SEGMENT_REGION="uk")
    assert result.exit_code == 1
    assert "SEGMENT_REGION is 'uk'" in result.output
    result = run(SEGUE_DATABASE=f"sqlite:///{tmp_path}/no/such/x.db")
    assert result.exit_code == 1
    assert "cannot store" in result.output
    assert "Segment" not in result.output.replace("SEGMENT", "")


@pytest.mark.parametrize(
    ("status", "grade", "part"),
    [
        (401, "fault", "copy the key of an HTTP API source"),
        (404, "fault", "check SEGMENT_URL"),
        (302, "fault", "check SEGMENT_URL"),
        (503, "warning", "it is busy or broken"),
        (400, "ok", "accepts write key"),
    ],
)
def test_segment_status_is_reported_with_a_hint(run, status, grade, part) -> None:
    with answering(status, b'{"message":"no"}', Location="http://elsewhere.invalid/") as url:
        result = run("--json", SEGMENT_URL=url)
    ((actual, text),) = about(result, "segment")
    assert (actual, part in text) == (grade, True), text
    assert "wk_test" not in result.output


def test_real_segment_is_not_said_to_accept_the_key() -> None:
    from webhooks.settings import SegmentSettings

    finding = segment._key_finding(200, "", "wk", ["stripe"], SegmentSettings())
    assert finding.grade == "ok"
    assert "answers 200 to every key" in finding.text
    assert "region us" in finding.text


def test_each_write_key_is_checked(run, tmp_path: Path) -> None:
    with answering() as url:
        result = run("--json", SEGMENT_URL=url, SEGUE_ACME_WRITE_KEY="another_key")
    lines = about(result, "segment")
    assert len(lines) == 2
    assert "(acme)" in lines[1][1]


def test_unreachable_segment_is_reported_with_a_hint(run) -> None:
    result = run("--json", SEGMENT_URL=f"http://127.0.0.1:{free_port()}")
    ((grade, text),) = about(result, "segment")
    assert grade == "fault"
    assert "a firewall or a proxy" in text
    ((_, text),) = about(run("--json", SEGMENT_URL="http://no-such-host.invalid"), "segment")
    assert "Its name cannot be resolved" in text


def test_without_a_write_key_segment_is_not_checked(run) -> None:
    assert about(run("--json", SEGMENT_WRITE_KEY=""), "segment")[0][1].startswith("no write key is set")


@pytest.mark.parametrize(
    ("off", "grade", "part"),
    [
        (0, "ok", "agrees"), (20, "warning", "s behind Segment's"), (-20, "warning", "ahead of Segment's"),
        (600, "fault", "refused as too old or too early"), (-600, "fault", "timedatectl"),
    ],
)  # fmt: skip
def test_clock_is_compared_with_segments(run, off, grade, part) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=off), usegmt=True)
    with answering(Date=date) as url:
        ((actual, text),) = about(run("--json", SEGMENT_URL=url), "clock")
    assert actual == grade
    assert part in text


def test_response_without_date_leaves_the_clock_unchecked() -> None:
    (finding,) = segment.clock({}, 0.0, 1.0)
    assert finding.grade == "warning"


@pytest.mark.parametrize(
    ("status", "headers", "part"),
    [
        (301, {"Location": "https://x.test/"}, "redirects to 'https://x.test/', and providers do not follow"),
        (401, {}, "requires a password"),
        (502, {}, "the web server behind it does not"),
        (404, {}, "it leads to something else"),
        (200, {}, "by another program, or by a Segue with another journal"),
    ],
)
def test_public_address_of_another_program_is_a_fault(run, status, headers, part) -> None:
    with answering(status, b'{"status":"alive"}', **headers) as url:
        ((grade, text),) = about(run("--json", SEGUE_PUBLIC_URL=url), "public")
    assert grade == "fault"
    assert part in text


def test_unreachable_public_address_is_a_fault(run) -> None:
    ((grade, text),) = about(run("--json", SEGUE_PUBLIC_URL=f"http://127.0.0.1:{free_port()}"), "public")
    assert grade == "fault"
    assert "Connection refused" in text


def test_missing_public_address_is_a_warning_and_the_port_is_checked(run) -> None:
    result = run("--json")
    assert about(result, "public")[0][1].startswith("SEGUE_PUBLIC_URL is not set")
    assert any("no web server of this installation answers" in text for _, text in about(result, "web"))


def test_web_server_of_another_journal_is_recognised(run, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    port = free_port()
    with segue(other, "web", PORT=str(port)):
        until(lambda: get(port, "/readyz") == 200, lambda: output(other))
        result = run("--json", SEGUE_PUBLIC_URL=f"http://127.0.0.1:{port}")
    ((grade, text),) = about(result, "public")
    assert (grade, "with another journal" in text) == ("fault", True)


def test_a_sync_worker_class_is_a_warning(run) -> None:
    assert about(run("--json", SEGUE_WORKER_CLASS="sync"), "web")[0][0] == "warning"


@pytest.mark.parametrize(("seconds", "grade"), [(1e-6, "warning"), (2e-4, "ok"), (0.03, "ok"), (0.2, "warning")])
def test_sync_time_is_graded(seconds, grade) -> None:
    (finding,) = store.timing_finding("a sync", seconds, fast=store.FAST)
    assert finding.grade == grade


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a file system in memory")
def test_a_journal_in_memory_is_a_fault(run) -> None:
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        lines = about(run("--json", SEGUE_DATABASE=f"sqlite:///{folder}/x.db"), "store")
    assert lines[0][0] == "fault"
    assert "in memory" in lines[0][1]


def test_a_journal_in_a_containers_layer_is_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = tmp_path / "mounts"
    mounts.write_text(f"overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n/dev/sda {tmp_path}/kept ext4 rw 0 0\n")
    monkeypatch.setattr(store, "_MOUNTS", mounts)
    (tmp_path / "kept").mkdir()
    assert store.file_system(tmp_path) == "overlay"
    assert store.file_system(tmp_path / "kept") == "ext4"
    (finding,) = store._file_system_finding("overlay")
    assert "mount a volume" in finding.text
    monkeypatch.setattr(store, "_MOUNTS", tmp_path / "none")
    assert store.file_system(tmp_path) == ""


def test_current_alerts_are_findings(run, tmp_path: Path) -> None:
    now = datetime.now(UTC)
    journal = open_journal(f"sqlite:///{tmp_path}/segue.db")
    journal.note("worker:w", {}, now=now - timedelta(minutes=10))
    journal.close()
    lines = findings(run("--json"))[1]
    assert any(grade == "fault" and what == "workers" and "segue work" in text for grade, what, text in lines)


def test_missing_alert_channel_is_a_warning(run) -> None:
    assert about(run("--json"), "alerts")[0][0] == "warning"
    assert about(run("--json", SEGUE_ALERT_SLACK_URL="https://hooks.example.com/x"), "alerts")[0][0] == "ok"


def test_strict_fails_on_warnings(run) -> None:
    with answering() as url:
        assert run(SEGMENT_URL=url).exit_code == 0
        assert run("--strict", SEGMENT_URL=url).exit_code == 1


def test_unresponsive_server_is_reported_within_the_timeout(run) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        result = run("--json", "--timeout", "1", SEGMENT_URL=url, SEGUE_PUBLIC_URL=url)
        assert time.monotonic() - began < 30
    assert about(result, "public")[0][0] == about(result, "segment")[0][0] == "fault"


def test_failing_or_hanging_check_does_not_stop_the_others() -> None:
    release = threading.Event()

    def hangs():
        yield Finding("ok", "x", "so far")
        release.wait(30)

    findings = doctoring.bounded("network", hangs, 0.05)
    assert findings[0].text == "so far"
    assert "was not done within" in findings[1].text
    release.set()

    def breaks():
        yield Finding("ok", "x", "so far")
        raise RuntimeError("a bug")

    assert "could not be checked: RuntimeError" in doctoring.bounded("x", breaks, 5)[1].text
