"""`segue doctor` with things broken on purpose: each is found, with its mend, in a bounded time."""

import json
import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from running import free_port, get, output, segue, until
from webhooks.cli import doctor as doctoring
from webhooks.cli.doctor import segment, store
from webhooks.cli.findings import Finding
from webhooks.journal import open_journal


@pytest.fixture
def run(run, monkeypatch):
    """`segue doctor`."""
    monkeypatch.setenv("NO_PROXY", "*")

    def doctor(*arguments, **more):
        told = {"SEGMENT_WRITE_KEY": "wk_test", "PORT": str(free_port()), **more}
        result = run("doctor", *arguments, **told)
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
            told = {"Date": self.date_time_string(), "Content-Length": str(len(body)), **headers}
            for name, value in told.items():
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
    told = json.loads(result.output)
    return told["ok"], [(each["grade"], each["about"], each["text"]) for each in told["findings"]]


def about(result, word):
    return [(grade, text) for grade, what, text in findings(result)[1] if what == word]


def test_the_whole_way_over_a_running_service(run, tmp_path, receiver):
    environ, got = receiver
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    environ |= {"PORT": str(port), "SEGUE_PUBLIC_URL": address}
    with segue(tmp_path, "serve", **environ):
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        until(lambda: worker_lives(tmp_path), "a worker's note")
        result = run("--send", "--json", SEGUE_ALERT_DISK_FREE="0", **environ)
    ok, told = findings(result)
    assert ok, told
    texts = " | ".join(text for grade, _, text in told if grade == "ok")
    for part in (
        "a sync of the journal's disk takes", "a durable commit takes",
        f"the web server answers on {address}", f"{address} leads to this installation",
        f"{address}/webhooks/acme is open to acme", "the clock agrees with Segment's", "takes write key",
        "a message was sent: `Segue Doctor`", "a worker gave a sign",
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


def test_without_send_nothing_is_sent(run):
    with answering() as url:
        result = run("--json", SEGMENT_URL=url)
    assert "a message was sent" not in result.output
    assert result.exit_code == 0


def test_a_wrong_configuration_and_a_broken_journal_end_it_at_once(run, tmp_path):
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
        (404, "fault", "look at SEGMENT_URL"),
        (302, "fault", "look at SEGMENT_URL"),
        (503, "warning", "it is busy or broken"),
        (400, "ok", "takes write key"),
    ],
)
def test_what_segment_answers_is_told_with_its_mend(run, status, grade, part):
    with answering(status, b'{"message":"no"}', Location="http://elsewhere.invalid/") as url:
        result = run("--json", SEGMENT_URL=url)
    ((told, text),) = about(result, "segment")
    assert (told, part in text) == (grade, True), text
    assert "wk_test" not in result.output


def test_of_segment_itself_no_more_is_said_than_can_be_known():
    from webhooks.settings import SegmentSettings

    said = segment._said(200, "", "wk", ["stripe"], SegmentSettings())
    assert said.grade == "ok"
    assert "says 200 to every key" in said.text
    assert "region us" in said.text


def test_several_write_keys_are_each_asked(run, tmp_path):
    with answering() as url:
        result = run("--json", SEGMENT_URL=url, SEGUE_ACME_WRITE_KEY="another_key")
    told = about(result, "segment")
    assert len(told) == 2
    assert "(acme)" in told[1][1]


def test_a_segment_that_is_not_there_is_told_with_where_to_look(run):
    result = run("--json", SEGMENT_URL=f"http://127.0.0.1:{free_port()}")
    ((grade, text),) = about(result, "segment")
    assert grade == "fault"
    assert "a firewall or a proxy" in text
    ((_, text),) = about(run("--json", SEGMENT_URL="http://no-such-host.invalid"), "segment")
    assert "Its name is not found" in text


def test_without_a_write_key_segment_is_not_asked(run):
    assert about(run("--json", SEGMENT_WRITE_KEY=""), "segment")[0][1].startswith("no write key is set")


@pytest.mark.parametrize(
    ("off", "grade", "part"),
    [
        (0, "ok", "agrees"), (20, "warning", "s behind Segment's"), (-20, "warning", "ahead of Segment's"),
        (600, "fault", "turned away as too old or too early"), (-600, "fault", "timedatectl"),
    ],
)  # fmt: skip
def test_the_clock_is_held_to_segments(run, off, grade, part):
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=off), usegmt=True)
    with answering(Date=date) as url:
        ((told, text),) = about(run("--json", SEGMENT_URL=url), "clock")
    assert told == grade
    assert part in text


def test_an_answer_without_a_date_proves_no_clock():
    (found,) = segment.clock({}, 0.0, 1.0)
    assert found.grade == "warning"


@pytest.mark.parametrize(
    ("status", "headers", "part"),
    [
        (301, {"Location": "https://x.test/"}, "redirects to 'https://x.test/', and providers do not follow"),
        (401, {}, "wants a password"),
        (502, {}, "the web server behind it is not"),
        (404, {}, "it leads to something else"),
        (200, {}, "by another program, or by a Segue over another journal"),
    ],
)
def test_a_public_address_that_leads_elsewhere_is_a_fault(run, status, headers, part):
    with answering(status, b'{"status":"alive"}', **headers) as url:
        ((grade, text),) = about(run("--json", SEGUE_PUBLIC_URL=url), "public")
    assert grade == "fault"
    assert part in text


def test_a_public_address_that_nobody_answers_is_a_fault(run):
    ((grade, text),) = about(run("--json", SEGUE_PUBLIC_URL=f"http://127.0.0.1:{free_port()}"), "public")
    assert grade == "fault"
    assert "Connection refused" in text


def test_without_a_public_address_that_is_said_and_the_port_is_tried(run):
    result = run("--json")
    assert about(result, "public")[0][1].startswith("SEGUE_PUBLIC_URL is not set")
    assert any("no web server of this installation answers" in text for _, text in about(result, "web"))


def test_another_journals_web_server_is_not_taken_for_ours(run, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    port = free_port()
    with segue(other, "web", PORT=str(port)):
        until(lambda: get(port, "/readyz") == 200, lambda: output(other))
        result = run("--json", SEGUE_PUBLIC_URL=f"http://127.0.0.1:{port}")
    ((grade, text),) = about(result, "public")
    assert (grade, "over another journal" in text) == ("fault", True)


def test_a_sync_worker_class_is_a_warning(run):
    assert about(run("--json", SEGUE_WORKER_CLASS="sync"), "web")[0][0] == "warning"


@pytest.mark.parametrize(("seconds", "grade"), [(1e-6, "warning"), (2e-4, "ok"), (0.03, "ok"), (0.2, "warning")])
def test_a_sync_is_judged_by_how_long_it_takes(seconds, grade):
    (found,) = store.judge("a sync", seconds, fast=store.FAST)
    assert found.grade == grade


@pytest.mark.skipif(not Path("/dev/shm").is_dir(), reason="needs a file system in memory")
def test_a_journal_in_memory_is_a_fault(run):
    import tempfile

    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        told = about(run("--json", SEGUE_DATABASE=f"sqlite:///{folder}/x.db"), "store")
    assert told[0][0] == "fault"
    assert "in memory" in told[0][1]


def test_a_journal_in_a_containers_layer_is_a_warning(tmp_path, monkeypatch):
    mounts = tmp_path / "mounts"
    mounts.write_text(f"overlay / overlay rw 0 0\nproc /proc proc rw 0 0\n/dev/sda {tmp_path}/kept ext4 rw 0 0\n")
    monkeypatch.setattr(store, "_MOUNTS", mounts)
    (tmp_path / "kept").mkdir()
    assert store.file_system(tmp_path) == "overlay"
    assert store.file_system(tmp_path / "kept") == "ext4"
    (found,) = store._kept("overlay")
    assert "mount a volume" in found.text
    monkeypatch.setattr(store, "_MOUNTS", tmp_path / "none")
    assert store.file_system(tmp_path) == ""


def test_what_stands_wrong_in_the_journal_is_told(run, tmp_path):
    now = datetime.now(UTC)
    journal = open_journal(f"sqlite:///{tmp_path}/segue.db")
    journal.note("worker:w", {}, now=now - timedelta(minutes=10))
    journal.close()
    told = findings(run("--json"))[1]
    assert any(grade == "fault" and what == "workers" and "segue work" in text for grade, what, text in told)


def test_whether_anybody_would_be_told_is_told(run):
    assert about(run("--json"), "alerts")[0][0] == "warning"
    assert about(run("--json", SEGUE_ALERT_SLACK_URL="https://hooks.example.com/x"), "alerts")[0][0] == "ok"


def test_strict_fails_by_warnings(run):
    with answering() as url:
        assert run(SEGMENT_URL=url).exit_code == 0
        assert run("--strict", SEGMENT_URL=url).exit_code == 1


def test_a_server_that_never_answers_costs_a_bounded_time(run):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(50)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        began = time.monotonic()
        result = run("--json", "--timeout", "1", SEGMENT_URL=url, SEGUE_PUBLIC_URL=url)
        assert time.monotonic() - began < 30
    assert about(result, "public")[0][0] == about(result, "segment")[0][0] == "fault"


def test_an_examination_that_hangs_or_breaks_does_not_end_the_others():
    release = threading.Event()

    def hangs():
        yield Finding("ok", "x", "so far")
        release.wait(30)

    found = doctoring.bounded("network", hangs, 0.05)
    assert found[0].text == "so far"
    assert "was not done within" in found[1].text
    release.set()

    def breaks():
        yield Finding("ok", "x", "so far")
        raise RuntimeError("a bug")

    assert "could not be looked at: RuntimeError" in doctoring.bounded("x", breaks, 5)[1].text
