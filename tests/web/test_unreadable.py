"""Every source and scheme stores a signed unreadable body as a dead event and acknowledges it."""

import json
from dataclasses import replace
from typing import Any

import pytest

from support.installed_endpoints import InstalledEndpoint, all_endpoints, handle, make_handler
from support.memory_journal import MemoryJournal
from translators.kit import HmacFields
from webhooks.http.request import HttpRequest
from webhooks.journal import State
from webhooks.signatures.sign import CannotSign
from webhooks.sources.unreadable import MALFORMED_TYPE

SIGNED_OUTSIDE = [installed for installed in all_endpoints() if not isinstance(installed.endpoint.scheme, HmacFields)]
SIGNED_INSIDE = [installed for installed in all_endpoints() if isinstance(installed.endpoint.scheme, HmacFields)]


def signed(installed: InstalledEndpoint, body: bytes) -> HttpRequest | None:
    """Return None if the scheme needs a timestamp in the JSON, which cannot be read."""
    try:
        return installed.request(body=body)
    except CannotSign:
        return None


def broken_bodies(installed: InstalledEndpoint) -> dict[str, bytes]:
    whole = installed.goldens[0].body
    return {
        "empty": b"", "no UTF-8": b"\xff" + whole, "cut short": whole[: len(whole) // 2], "NaN": b'{"id": NaN, "type": Infinity}',
        "NUL": b"\0", "a list that never ends": b"[" * 5_000, "another shape": b'{"odd": []}', "HTML": b"<html>down</html>",
    }  # fmt: skip


@pytest.mark.parametrize("installed", SIGNED_OUTSIDE, ids=lambda installed: installed.name)
def test_signed_unreadable_body_is_stored_and_acknowledged(installed: InstalledEndpoint) -> None:
    for body in broken_bodies(installed).values():
        journal = MemoryJournal()
        handler = make_handler(journal)
        request = signed(installed, body)
        if request is None:
            continue
        first, second = handle(handler, installed.name, request), handle(handler, installed.name, request)
        rows = journal.rows()
        ack = installed.source.ack
        assert (first.status, second.status) == (ack.status if ack else 200,) * 2, first.body
        assert len(rows) == 1
        if rows[0].event.problem:
            assert rows[0].state is State.DEAD
            assert rows[0].event.type == MALFORMED_TYPE
            assert "Traceback" not in rows[0].reason, rows[0].reason
            assert rows[0].event.raw == request.body or b"payload=" in body or b"SessionId" in body


def test_most_broken_bodies_become_dead_events() -> None:
    """Otherwise the test above would show little."""
    dead = 0
    for installed in SIGNED_OUTSIDE:
        for body in broken_bodies(installed).values():
            journal = MemoryJournal()
            if request := signed(installed, body):
                handle(make_handler(journal), installed.name, request)
            dead += sum(row.state is State.DEAD for row in journal.rows())
    assert dead > 0.8 * len(SIGNED_OUTSIDE) * len(broken_bodies(SIGNED_OUTSIDE[0]))


@pytest.mark.parametrize("installed", SIGNED_INSIDE, ids=lambda installed: installed.name)
def test_unreadable_member_beside_signed_fields_is_stored(installed: InstalledEndpoint) -> None:
    """An unreadable member beside the signed fields does not prevent verification."""
    journal = MemoryJournal()
    request = installed.request()
    body: Any = json.loads(request.body)
    if "notificationItems" in body:
        changed_body = request.body.rstrip().removesuffix(b"}").rstrip().removesuffix(b"]") + b', {"a": "\xff"}, NaN]}'
        new, states = 3, {State.PENDING, State.DEAD}
    else:
        changed_body = request.body.rstrip().removesuffix(b"}") + b', "odd": "\xff"}'
        new, states = 1, {State.DEAD}
    response = handle(
        make_handler(journal),
        installed.name,
        replace(request, body=changed_body, headers={**request.headers, "content-length": str(len(changed_body))}),
    )
    assert response.status == 200, response.body
    assert len(journal.rows()) == new
    assert {row.state for row in journal.rows()} == states
