"""Former keys: an event that is stored under an earlier key is recognised by both stores, and no other event."""

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from support.acme import NOW as ACME_NOW
from support.acme import SECRET, body, make_source, signed
from support.events import NOW, event
from support.memory_journal import MemoryJournal
from translators.kit import Event, FormerId, Head, Item
from webhooks.journal import AppendResult, Journal, open_journal
from webhooks.journal.postgres import PostgresJournal
from webhooks.runtime import Runtime
from webhooks.settings import EndpointSettings, Settings
from webhooks.sources import plugins

KEY = bytes(range(32)).hex()
OLD = FormerId("old")
OLD_BYTES = FormerId("old", same_bytes=True)


def keys(journal: Journal) -> list[str]:
    return [row.event.id for row in journal.rows(limit=10_000)]


@pytest.fixture(params=["sqlite", "postgres", "memory", "sqlite encrypted", "postgres encrypted"])
def any_journal(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Any]:
    store, _, encrypted = request.param.partition(" ")
    if store == "memory":
        yield MemoryJournal()
        return
    url = f"sqlite:///{tmp_path}/segue.db" if store == "sqlite" else request.getfixturevalue("postgres_url")
    opened = open_journal(url, [KEY] if encrypted else [])
    yield opened
    opened.close()


def test_an_event_stored_under_a_former_key_is_a_duplicate(any_journal: Any) -> None:
    any_journal.append([event("old")], now=NOW)
    assert any_journal.append([event("new", former_ids=(FormerId("none"), OLD))], now=NOW) == AppendResult(0, 1)
    assert any_journal.append([event("new", former_ids=(OLD,))], now=NOW) == AppendResult(0, 1)
    assert any_journal.find("acme", "new") is None
    assert any_journal.append([event("new")], now=NOW) == AppendResult(1, 0)


@pytest.mark.parametrize("other", [{"type": "thing.undone"}, {"source": "other"}])
def test_a_former_key_of_another_type_or_source_is_another_event(any_journal: Any, other: dict[str, str]) -> None:
    any_journal.append([event("old", **other)], now=NOW)
    assert any_journal.append([event("new", former_ids=(OLD, OLD_BYTES))], now=NOW) == AppendResult(1, 0)


@pytest.mark.parametrize(
    "raw",
    [b'{"id": "x"}', b'{"id": "x"}' * 100, b"", b"\x00SG1\x00\x00\x00\x00plain", b"\x00SG1\x01\x02\x03\x04record?"],
)
def test_same_bytes_compares_the_body(any_journal: Any, raw: bytes) -> None:
    any_journal.append([event("old", raw=raw)], now=NOW)
    assert any_journal.append([event("new", raw=raw + b" ", former_ids=(OLD_BYTES,))], now=NOW) == AppendResult(1, 0)
    assert any_journal.append([event("third", raw=raw, former_ids=(OLD_BYTES,))], now=NOW) == AppendResult(0, 1)


def test_former_keys_are_recognised_within_one_batch_in_order(any_journal: Any) -> None:
    batch = [
        event("new", former_ids=(OLD,)),  # it comes before the other one: both are stored
        event("old"),
        event("second", former_ids=(OLD,)),
        event("third", raw=b"other", former_ids=(OLD_BYTES,)),
        event("fourth", former_ids=(OLD_BYTES,)),
        event("fifth", former_ids=(FormerId("second"),)),  # `second` was not stored
    ]
    assert any_journal.append(batch, now=NOW) == AppendResult(4, 2)
    assert [any_journal.find("acme", key) is None for key in ("second", "fourth")] == [True, True]


def test_the_stored_event_decides_and_not_its_repetition_in_the_batch(any_journal: Any) -> None:
    any_journal.append([event("old", type="stored")], now=NOW)
    batch = [event("old", type="thing.done"), event("new", former_ids=(OLD,))]
    assert any_journal.append(batch, now=NOW) == AppendResult(1, 1)


def test_a_former_key_that_is_the_key_itself_changes_nothing(any_journal: Any) -> None:
    assert any_journal.append([event("a", former_ids=(FormerId("a"),))], now=NOW) == AppendResult(1, 0)
    assert any_journal.append([event("a", former_ids=(FormerId("a"),))], now=NOW) == AppendResult(0, 1)


def test_former_keys_are_not_stored_or_moved(journal: Journal) -> None:
    journal.append([event("new", former_ids=(OLD,))], now=NOW)
    (row,) = journal.rows()
    assert row.event.former_ids == ()
    assert journal.append([event("old")], now=NOW) == AppendResult(1, 0)


def test_former_keys_in_closed_partitions_are_recognised(postgres_url: str) -> None:
    journal = PostgresJournal(postgres_url, span=timedelta(0))
    journal.open()
    for number in range(4):
        journal.append([event(f"old-{number}")], now=NOW)
        journal.prune({}, now=NOW)
    batch = [event(f"new-{number}", former_ids=(FormerId(f"old-{number}"),)) for number in range(5)]
    assert journal.append(batch, now=NOW) == AppendResult(1, 4)
    journal.close()


def test_a_bad_neighbour_does_not_change_what_former_keys_recognise(journal: Journal) -> None:
    journal.append([event("old")], now=NOW)
    outcomes = at_once(
        lambda: journal.append([event("new", former_ids=(OLD,))], now=NOW),
        *[lambda: journal.append([event("bad", raw="text")], now=NOW)] * 4,
        *[lambda number=number: journal.append([event(str(number))], now=NOW) for number in range(4)],
    )
    assert [outcome for outcome in outcomes if isinstance(outcome, AppendResult)].count(AppendResult(0, 1)) == 1
    assert sorted(keys(journal)) == ["0", "1", "2", "3", "old"]


def test_concurrent_events_with_each_others_former_key_are_stored_once(journal: Journal) -> None:
    for number in range(30):
        one, two = (
            event(f"a{number}", former_ids=(FormerId(f"b{number}"),)),
            event(f"b{number}", former_ids=(FormerId(f"a{number}"),)),
        )
        outcomes = at_once(lambda: journal.append([one], now=NOW), lambda: journal.append([two], now=NOW))  # noqa: B023
        assert sorted(map(repr, outcomes)) == sorted(map(repr, [AppendResult(1, 0), AppendResult(0, 1)]))
    assert len(keys(journal)) == 30


def test_batches_with_each_others_former_keys_store_each_event_once(journal: Journal) -> None:
    def pair(number: int, *, turned: bool) -> Event:
        names = (f"a{number}", f"b{number}")[:: -1 if turned else 1]
        return event(names[0], former_ids=(FormerId(names[1]),))

    large = [pair(number, turned=False) for number in range(300)]  # more keys than are locked one by one
    small = [[pair(number, turned=True)] for number in range(0, 300, 10)]
    outcomes = at_once(
        lambda: journal.append(large, now=NOW), *(lambda few=few: journal.append(few, now=NOW) for few in small)
    )
    assert sum(outcome.new for outcome in outcomes) == 300
    assert len(keys(journal)) == 300


def test_concurrent_old_and_new_releases_never_store_an_acknowledged_event_again(postgres_url: str) -> None:
    """An event acknowledged under the old key before the new one is sent is recognised by another process."""
    old, new = (PostgresJournal(postgres_url) for _ in range(2))
    for journal in (old, new):
        journal.open()
    for number in range(30):
        old.append([event(f"old-{number}")], now=NOW)
        assert new.append([event(f"n{number}", former_ids=(FormerId(f"old-{number}"),))], now=NOW) == AppendResult(0, 1)
    old.close()
    new.close()


def test_a_retry_that_spans_an_upgrade_is_answered_as_a_duplicate(journal: Journal) -> None:
    def head(item: Item) -> Head:
        key = item.body.id("id")
        return Head(
            id=f"{key}:{item.body.text('type')}",
            type=item.body.text("type"),
            occurred_at=NOW,
            former_ids=(FormerId(key),),
        )

    yesterday, today = make_source(), make_source(head=head)
    answers = []
    for source in (yesterday, today, today):
        settings = Settings(endpoints={"acme": EndpointSettings(name="acme", source="acme", secrets=(SECRET,))})
        runtime = Runtime(settings, plugins.Registry((), {"acme": source}), clock=lambda: ACME_NOW)
        app = runtime.web_service(journal).app
        for payload in (body("evt_1"), body("evt_2", "thing.noise")):
            answer = app.test_client().post("/webhooks/acme", data=payload, headers=signed(payload))
            answers.append((answer.status_code, answer.get_json()["status"]))
    assert answers == [(200, "accepted")] * 2 + [(200, "duplicate")] * 4
    assert sorted(keys(journal)) == ["evt_1", "evt_2"]


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    outcomes: list[Any] = [None] * len(calls)
    start = threading.Barrier(len(calls))

    def run(place: int) -> None:
        start.wait(10)
        try:
            outcomes[place] = calls[place]()
        except Exception as error:
            outcomes[place] = error

    threads = [threading.Thread(target=run, args=(place,)) for place in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return outcomes
