"""No name or token that a request tells ever becomes a path of a file, or a page."""

from dataclasses import replace

import pytest

from doors import PLACES_BY_NAME, door, take
from memory_journal import MemoryJournal
from running import EVENT
from wire import request, status, web

ODD = [
    b"/webhooks/../../etc/passwd", b"/webhooks/..%2f..%2fetc%2fpasswd", b"/webhooks/%2e%2e/%2e%2e/etc/passwd",
    b"/webhooks/acme/../../../segue.toml", b"/webhooks/acme%00.json", b"/webhooks/%c0%ae%c0%ae/x", b"/static/../segue.db",
    b"/webhooks/", b"/webhooks", b"/webhooks/" + b"a" * 3000, b"/webhooks/con", b"/segue.toml", b"/.env", b"/webhooks/~root",
    b"/webhooks/%ff%fe", b"/webhooks/acme%0d%0aX-Injected:%20yes",
]  # fmt: skip


@pytest.fixture(scope="module")
def wire(tmp_path_factory):
    with web(tmp_path_factory.mktemp("web")) as wire:
        yield wire


@pytest.mark.parametrize("path", ODD)
@pytest.mark.parametrize("method", [b"GET", b"POST"])
def test_a_path_that_climbs_leads_nowhere(wire, path, method):
    answer = wire.send(request(path=path).replace(b"POST ", method + b" ", 1))
    assert status(answer) in {400, 404, 405} or (b"acme/" in path and status(answer) == 200)
    assert not any(word in answer for word in (b"root:", b"acme_secret_of_tests", b"scheme =", b"X-Injected"))


def test_what_stands_behind_the_name_opens_nothing_and_is_kept_nowhere():
    journal = MemoryJournal()
    place = PLACES_BY_NAME["github"]
    answer = take(door(journal), "github", replace(place.request(), token="../../../etc/passwd"))
    assert answer.status == 200
    assert "passwd" not in repr(journal.rows()[0])


def test_a_settings_file_name_comes_from_the_operator_only(wire):
    assert status(wire.send(request(b"SEGUE_CONFIG: /etc/passwd", b"X-Segue-Config: /etc/passwd", body=EVENT))) == 200
