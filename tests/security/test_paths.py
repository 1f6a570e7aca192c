"""No name or token of a request becomes a file path or a page."""

from dataclasses import replace

import pytest

from support.installed_endpoints import ENDPOINTS_BY_NAME, handle, make_handler
from support.memory_journal import MemoryJournal
from support.processes import EVENT
from support.raw_requests import request, status, web

ODD = [
    b"/webhooks/../../etc/passwd", b"/webhooks/..%2f..%2fetc%2fpasswd", b"/webhooks/%2e%2e/%2e%2e/etc/passwd",
    b"/webhooks/acme/../../../segue.toml", b"/webhooks/acme%00.json", b"/webhooks/%c0%ae%c0%ae/x", b"/static/../segue.db",
    b"/webhooks/", b"/webhooks", b"/webhooks/" + b"a" * 3000, b"/webhooks/con", b"/segue.toml", b"/.env", b"/webhooks/~root",
    b"/webhooks/%ff%fe", b"/webhooks/acme%0d%0aX-Injected:%20yes",
]  # fmt: skip


@pytest.fixture(scope="module")
def wire(tmp_path_factory: pytest.TempPathFactory):
    with web(tmp_path_factory.mktemp("web")) as wire:
        yield wire


@pytest.mark.parametrize("path", ODD)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_path_traversal_reaches_no_file(wire, path, method) -> None:
    response = wire.send(request(path=path).replace(b"POST ", method + b" ", 1))
    assert status(response) in {400, 404, 405} or (b"acme/" in path and status(response) == 200)
    assert not any(word in response for word in (b"root:", b"acme_secret_of_tests", b"scheme =", b"X-Injected"))


def test_path_token_opens_no_file_and_is_not_stored() -> None:
    journal = MemoryJournal()
    installed = ENDPOINTS_BY_NAME["github"]
    response = handle(make_handler(journal), "github", replace(installed.request(), path_token="../../../etc/passwd"))
    assert response.status == 200
    assert "passwd" not in repr(journal.rows()[0])


def test_request_headers_cannot_name_a_settings_file(wire) -> None:
    assert status(wire.send(request(b"SEGUE_CONFIG: /etc/passwd", b"X-Segue-Config: /etc/passwd", body=EVENT))) == 200
