"""`python3 dev.py audit`, with real pip-audit against a local stand-in of the OSV API."""

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

AUDIT = Path(__file__).parents[2] / "tools" / "audit.py"
HASH = "--hash=sha256:" + "0" * 64


@pytest.fixture
def lock(tmp_path: Path):
    path = tmp_path / "some.lock"
    path.write_text(f"flask==3.1.3 {HASH}\nrequests==2.34.2 {HASH}\n")
    return path


@pytest.fixture
def advisories():
    """Map a package to its advisory; `requested` lists the requested packages."""

    class Advisories(dict[str, object]):
        requested: list[str]
        url: str

    known = Advisories()
    known.requested = []

    class Osv(BaseHTTPRequestHandler):
        def do_POST(self):
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            name = question["package"]["name"]
            known.requested.append(name)
            body = json.dumps({"vulns": [known[name]]} if name in known else {}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Osv) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        known.url = f"http://127.0.0.1:{server.server_port}/v1/query"
        yield known
        server.shutdown()


def audit(*arguments):
    return subprocess.run([sys.executable, AUDIT, *map(str, arguments)], capture_output=True, text=True, check=False)


def advisory(package, fixed):
    events = [{"introduced": "0"}, {"fixed": fixed}]
    affected = {"package": {"name": package, "ecosystem": "PyPI"}, "ranges": [{"type": "ECOSYSTEM", "events": events}]}
    return {"id": "PYSEC-2999-1", "summary": "a hole", "affected": [affected]}


def test_audit_without_a_finding_succeeds(lock, advisories) -> None:
    result = audit("--strict", "--lock", lock, "--osv-url", advisories.url)
    assert (result.returncode, result.stderr) == (0, "audit: 2 packages, no known vulnerability\n")
    assert sorted(advisories.requested) == ["flask", "requests"]


def test_audit_finding_fails_and_names_the_fixed_release(lock, advisories) -> None:
    advisories["flask"] = advisory("flask", "3.1.9")
    result = audit("--lock", lock, "--osv-url", advisories.url)
    assert (result.returncode, result.stderr) == (1, "audit: flask 3.1.3: PYSEC-2999-1, fixed in 3.1.9\n")
    assert audit("--lock", lock, "--osv-url", advisories.url, "--ignore", "PYSEC-2999-1").returncode == 0


@pytest.mark.parametrize(("strict", "code"), [([], 0), (["--strict"], 1)])
def test_unreachable_advisory_service_is_reported_as_not_complete(lock, strict, code) -> None:
    result = audit("--lock", lock, "--osv-url", "http://127.0.0.1:9/v1/query", *strict)
    assert result.returncode == code
    assert result.stderr.startswith("audit: NOT COMPLETE: 0 packages looked up")
    assert "no known vulnerability" not in result.stderr
