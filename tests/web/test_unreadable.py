"""A rightly signed body that cannot be read is kept as a dead event and acknowledged, by every source and scheme."""

import json
from dataclasses import replace
from typing import Any

import pytest

from doors import Place, door, places, take
from memory_journal import MemoryJournal
from translators.kit import HmacFields
from translators.kit.unreadable import MALFORMED_TYPE
from webhooks.journal import State
from webhooks.signatures.sign import CannotSign
from webhooks.web.handler import HttpRequest

SIGNED_OUTSIDE = [place for place in places() if not isinstance(place.endpoint.scheme, HmacFields)]
SIGNED_INSIDE = [place for place in places() if isinstance(place.endpoint.scheme, HmacFields)]


def signed(place: Place, body: bytes) -> HttpRequest | None:
    """None if the scheme takes the time of sending from the JSON, which cannot be read."""
    try:
        return place.request(body=body)
    except CannotSign:
        return None


def broken(place: Place) -> dict[str, bytes]:
    whole = place.goldens[0].body
    return {
        "empty": b"", "no UTF-8": b"\xff" + whole, "cut short": whole[: len(whole) // 2], "NaN": b'{"id": NaN, "type": Infinity}',
        "NUL": b"\0", "a list that never ends": b"[" * 5_000, "another shape": b'{"odd": []}', "HTML": b"<html>down</html>",
    }  # fmt: skip


@pytest.mark.parametrize("place", SIGNED_OUTSIDE, ids=lambda place: place.name)
def test_a_signed_body_that_cannot_be_read_is_kept_and_acknowledged(place: Place) -> None:
    for body in broken(place).values():
        journal = MemoryJournal()
        at = door(journal)
        request = signed(place, body)
        if request is None:
            continue
        first, again = take(at, place.name, request), take(at, place.name, request)
        rows = journal.rows()
        ack = place.source.ack
        assert (first.status, again.status) == (ack.status if ack else 200,) * 2, first.body
        assert len(rows) == 1
        if rows[0].event.problem:
            assert rows[0].state is State.DEAD
            assert rows[0].event.type == MALFORMED_TYPE
            assert "Traceback" not in rows[0].reason, rows[0].reason
            assert rows[0].event.raw == request.body or b"payload=" in body or b"SessionId" in body


def test_most_broken_bodies_cannot_be_read() -> None:
    """Or the test above would show little."""
    dead = 0
    for place in SIGNED_OUTSIDE:
        for body in broken(place).values():
            journal = MemoryJournal()
            if request := signed(place, body):
                take(door(journal), place.name, request)
            dead += sum(row.state is State.DEAD for row in journal.rows())
    assert dead > 0.8 * len(SIGNED_OUTSIDE) * len(broken(SIGNED_OUTSIDE[0]))


@pytest.mark.parametrize("place", SIGNED_INSIDE, ids=lambda place: place.name)
def test_a_body_that_carries_its_signature_is_kept_if_what_is_signed_can_be_read(place: Place) -> None:
    """An unreadable member beside the signed fields does not hide that the sender is the right one."""
    journal = MemoryJournal()
    request = place.request()
    body: Any = json.loads(request.body)
    if "notificationItems" in body:
        changed = request.body.rstrip().removesuffix(b"}").rstrip().removesuffix(b"]") + b', {"a": "\xff"}, NaN]}'
        new, states = 3, {State.PENDING, State.DEAD}
    else:
        changed = request.body.rstrip().removesuffix(b"}") + b', "odd": "\xff"}'
        new, states = 1, {State.DEAD}
    answer = take(
        door(journal),
        place.name,
        replace(request, body=changed, headers={**request.headers, "content-length": str(len(changed))}),
    )
    assert answer.status == 200, answer.body
    assert len(journal.rows()) == new
    assert {row.state for row in journal.rows()} == states
