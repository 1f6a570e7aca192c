"""An event that cannot be stored fails its own call only, whatever error the store reports, on both stores."""

import random
import string
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from support.events import NOW, event
from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import (
    AppendResult,
    AuditContext,
    Filter,
    Journal,
    Settlement,
    State,
    isolate,
    open_journal,
    records,
)
from webhooks.journal.encryption import Encryption
from webhooks.journal.former import arrivals
from webhooks.journal.postgres import PostgresJournal
from webhooks.journal.sqlite.append import append_group

LETTERS = random.Random(8)
BY = AuditContext(actor="a\0nn", reason="be\0cause", operation="o\0p")


def long_key(length: int) -> str:
    """Return letters that do not compress."""
    return "".join(LETTERS.choices(string.ascii_letters + string.digits, k=length))


def append_all(journal: Journal, keys: Sequence[str], at_once: int = 30) -> list[Any]:
    """Append an event for each key concurrently; return what each call returned or raised."""

    def append(key: str) -> Any:
        try:
            return journal.append([event(key)], now=NOW)
        except JournalError as error:
            return error

    with ThreadPoolExecutor(at_once) as pool:
        return list(pool.map(append, keys))


def mixed(length: int, bad: Callable[[int], str]) -> list[str]:
    return [bad(number) if number % 10 == 0 else f"good-{number}" for number in range(length)]


def assert_only_bad_ones_fail(journal: Journal, keys: Sequence[str], outcomes: Sequence[Any], error: type) -> None:
    for key, outcome in zip(keys, outcomes, strict=True):
        if key.startswith("good-"):
            assert outcome == AppendResult(1, 0), outcome
        else:
            assert type(outcome) is error, outcome
    assert {row.event.id for row in journal.rows(limit=10_000)} == {key for key in keys if key.startswith("good-")}


@pytest.mark.parametrize("length", [2_001, 3_000, 10_000])
def test_a_key_that_is_too_long_fails_its_own_append_only(journal: Journal, length: int) -> None:
    keys = mixed(300, lambda _: long_key(length))
    outcomes = append_all(journal, keys)
    assert_only_bad_ones_fail(journal, keys, outcomes, JournalError)
    assert "at most 2000" in outcomes[0].message


def test_the_longest_key_is_stored_and_found(journal: Journal) -> None:
    key = long_key(2_000)
    assert journal.append([event(key), event("\u00e9" * 1000)], now=NOW) == AppendResult(2, 0)
    assert journal.append([event(key)], now=NOW) == AppendResult(0, 1)
    assert journal.find("acme", key) is not None


def test_a_limit_of_postgresql_is_the_fault_of_one_event(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """SQLSTATE 54000, which psycopg calls operational."""
    monkeypatch.setattr(records, "LONGEST_KEY", 1_000_000)
    journal = PostgresJournal(postgres_url)
    journal.open()
    keys = mixed(300, lambda number: long_key(3_000 + 7 * number))
    assert_only_bad_ones_fail(journal, keys, append_all(journal, keys), JournalError)
    journal.close()


FAULTS = {
    "an internal error": "RAISE EXCEPTION 'no' USING ERRCODE = 'XX000'",
    "out of memory": "RAISE EXCEPTION 'no' USING ERRCODE = '53200'",
    "a lost connection": "PERFORM pg_terminate_backend(pg_backend_pid()); PERFORM pg_sleep(1)",
}


@pytest.fixture
def faulty(postgres_url: str) -> Iterator[Callable[[str, str], PostgresJournal]]:
    journals = []

    def faulty(statement: str, when: str) -> PostgresJournal:
        journal = PostgresJournal(postgres_url)
        journal.open()
        journals.append(journal)
        with psycopg.connect(postgres_url, autocommit=True) as db:
            db.execute(
                f"CREATE FUNCTION fault() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement}; RETURN NEW; END $$;"
                f"CREATE TRIGGER fault BEFORE INSERT ON segue_events FOR EACH ROW WHEN ({when})"
                " EXECUTE FUNCTION fault()"
            )
        return journal

    yield faulty
    for journal in journals:
        journal.close()


@pytest.mark.parametrize("statement", FAULTS.values(), ids=FAULTS)
def test_an_error_of_any_class_over_one_event_fails_that_event_only(faulty: Any, statement: str) -> None:
    journal = faulty(statement, "NEW.event_key LIKE 'bad-%'")
    keys = mixed(60, lambda number: f"bad-{number}")
    assert_only_bad_ones_fail(journal, keys, append_all(journal, keys), JournalUnavailable)


@pytest.mark.parametrize("code", ["53100", "42501", "57014", "58030", "25006"])
def test_an_outage_is_not_tried_again_for_each_event(faulty: Any, code: str) -> None:
    journal = faulty(f"RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; PERFORM nextval('segue_seq')", "TRUE")
    before = journal.stats.commits
    outcomes = append_all(journal, [f"good-{number}" for number in range(30)])
    assert [type(outcome) for outcome in outcomes] == [JournalUnavailable] * 30
    assert journal.stats.commits == before


class FaultyStore:
    """A store that commits all but the bad members, and records its calls."""

    def __init__(self, *bad: int, up: bool = True, slow: float = 0) -> None:
        self.bad, self.up, self.slow = bad, up, slow
        self.tried: list[list[int]] = []
        self.stored: list[int] = []

    def commit(self, some: Sequence[int]) -> list[int]:
        self.tried.append(list(some))
        time.sleep(self.slow)
        if not self.up or set(some) & set(self.bad):
            raise JournalUnavailable("no")
        self.stored += some
        return list(some)

    def run(self, group: Sequence[int], refused: Any = lambda _: None) -> list[Any]:
        return isolate.commit_all(group, self.commit, refused=refused, available=lambda _: self.up)


@pytest.mark.parametrize("bad", [(), (0,), (511,), (3, 4, 200), tuple(range(0, 512, 10))])
def test_halves_find_every_bad_member_and_store_the_rest_in_order(bad: tuple[int, ...]) -> None:
    store = FaultyStore(*bad)
    results = store.run(range(512))
    good = [number for number in range(512) if number not in bad]
    assert store.stored == good
    assert [results[number] for number in good] == good
    assert all(isinstance(results[number], JournalUnavailable) for number in bad)
    assert len(store.tried) <= 1 + 2 * 9 * len(bad)


def test_an_unavailable_store_is_tried_once_for_a_whole_group() -> None:
    store = FaultyStore(up=False)
    assert {type(result) for result in store.run(range(512))} == {JournalUnavailable}
    assert len(store.tried) == 1


def test_a_store_that_fails_on_the_way_keeps_what_it_has_stored() -> None:
    store = FaultyStore(5)

    def commit(some: Sequence[int]) -> list[int]:
        store.up = len(store.stored) < 4
        return store.commit(some)

    results = isolate.commit_all(range(8), commit, refused=lambda _: None, available=lambda _: store.up)
    assert results[:4] == [0, 1, 2, 3]
    assert {type(result) for result in results[4:]} == {JournalUnavailable}


def test_slow_failures_are_not_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(isolate, "RETRY_SECONDS", 0.05)
    store = FaultyStore(*range(64), slow=0.1)
    assert {type(result) for result in store.run(range(64))} == {JournalUnavailable}
    assert len(store.tried) == 1


def test_an_unexpected_error_is_a_journal_error() -> None:
    def commit(some: Sequence[int]) -> list[int]:
        if 1 in some:
            raise RuntimeError("odd")
        return list(some)

    results = isolate.commit_all([0, 1, 2], commit, refused=lambda _: None, available=lambda _: True)
    assert (results[0], results[2]) == (0, 2)
    assert isinstance(results[1], JournalUnavailable)
    assert "RuntimeError: odd" in results[1].message


# NUL and other characters that a store may not support


@pytest.mark.parametrize("field", ["source", "id", "type"])
def test_a_nul_in_the_name_of_an_event_is_refused_by_every_store(journal: Journal, field: str) -> None:
    with pytest.raises(JournalError, match="NUL") as caught:
        journal.append([event("beside"), event(**{"id": "k", field: "a\0b"})], now=NOW)
    assert not isinstance(caught.value, JournalUnavailable)
    assert journal.rows() == []
    assert journal.find("acme", "a\0b") is None
    assert journal.count(Filter(keys=("a\0b",))) == 0
    assert journal.count(Filter(sources=("a\0b",), types=("a\0*",))) == 0


def test_a_nul_in_any_other_text_is_stored_by_every_store(journal: Journal) -> None:
    stored = event("k", raw=b"\0", headers={"x": "a\0b", "\0": ""}, envelope={"org": "\0"})
    journal.append([stored, event("dead", problem="odd \0 \ud800")], now=NOW)
    row, dead = journal.rows()
    assert row.event == stored
    assert (dead.state, dead.reason, dead.event.problem) == (State.DEAD, "odd \\x00 \\ud800", "odd \\x00 \\ud800")
    (claim,) = journal.claim(9, worker="w", now=NOW, lease=timedelta(minutes=1))
    journal.settle([Settlement(claim=claim, state=State.DEAD, reason="a\0b \ud800")], now=NOW)
    assert journal.rows()[0].reason == "a\\x00b \\ud800"
    journal.replay([row.seq], by=BY, now=NOW)
    journal.drop([row.seq], by=BY, now=NOW)
    journal.audit("looked", {"at": "\0"}, by=BY, now=NOW)
    line = journal.audits()[0]
    assert (line.actor, line.reason, line.operation, line.detail) == (
        "a\\x00nn",
        "be\\x00cause",
        "o\\x00p",
        {"at": "\0"},
    )
    journal.note("n\0", {"value": "\0"}, now=NOW)
    assert journal.notes()["n\\x00"] == (NOW, {"value": "\0"})
    assert journal.load([*journal.rows()]) == AppendResult(0, 2)


@pytest.mark.parametrize("token", ["", "a" * 201, "\0", "\ud800", "\u202e", long_key(10_000), "plain"])
def test_any_one_time_token_is_remembered(journal: Journal, token: str) -> None:
    def remember(value: str, name: str = token) -> str:
        return journal.remember("acme", name, value, now=NOW, until=NOW + timedelta(minutes=5))

    assert [remember("one"), remember("two"), remember("three", token + "x")] == ["one", "one", "three"]


def test_an_unavailable_journal_stores_no_one_time_token_and_raises(
    tmp_path: Path, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    for url in (f"sqlite:///{folder}/segue.db", postgres_url):
        journal = open_journal(url)
        if url == postgres_url:
            with psycopg.connect(postgres_url, autocommit=True) as db:
                db.execute("ALTER TABLE segue_tokens RENAME TO gone")
        else:
            for part in folder.iterdir():
                part.unlink()
            folder.rmdir()
        for _ in range(2):
            with pytest.raises(JournalUnavailable):
                journal.remember("acme", "t", "v", now=NOW, until=NOW + timedelta(minutes=5))
        journal.close()


def test_a_removed_file_fails_the_whole_group_and_is_not_created_again_in_it(tmp_path: Path) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}/segue.db")
    journal.append([event("first")], now=NOW)
    (tmp_path / "segue.db").unlink()
    group = [arrivals([event(str(number))], NOW, Encryption()) for number in range(8)]
    outcomes = append_group(journal.database.file, group, Encryption())  # type: ignore[attr-defined]
    assert {type(outcome) for outcome in outcomes} == {JournalUnavailable}
    journal.close()


def test_an_event_that_the_disk_has_no_space_for_fails_alone(tmp_path: Path) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}/segue.db")

    def limit(db: Any) -> None:
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 40}")

    journal.database.file.transact(limit)  # type: ignore[attr-defined]
    monkeypatch = pytest.MonkeyPatch()
    monkeypatch.setattr(
        "webhooks.journal.sqlite.file.SqliteFile._close_or_recover", lambda *_: None
    )  # the connection keeps the limit
    group = [arrivals([event(str(n), raw=b"x" * (1 << 20 if n == 3 else 10))], NOW, Encryption()) for n in range(8)]
    outcomes = append_group(journal.database.file, group, Encryption())  # type: ignore[attr-defined]
    monkeypatch.undo()
    assert [type(outcome) for outcome in outcomes] == [AppendResult] * 3 + [JournalUnavailable] + [AppendResult] * 4
    journal.close()


@pytest.mark.parametrize("error", [MemoryError(), OSError(28, "No space left on device")])
def test_a_system_error_of_sqlite_is_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}/segue.db")

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("webhooks.journal.sqlite.file.SqliteFile._transaction", fail)
    with pytest.raises(JournalUnavailable):
        journal.remember("acme", "t", "v", now=NOW, until=NOW)
    with pytest.raises(JournalUnavailable):
        journal.append([event("a")], now=NOW)


def test_a_number_that_no_column_holds_fails_its_own_append_only(journal: Journal) -> None:
    outcomes: list[Any] = []
    start = threading.Barrier(12)

    def append(number: int) -> None:
        bad = {"clock": 1 << 80} if number % 3 == 0 else {}
        start.wait(10)
        try:
            outcomes.append(journal.append([event(str(number), **bad)], now=NOW))
        except JournalError as error:
            outcomes.append(type(error))

    threads = [threading.Thread(target=append, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert (outcomes.count(AppendResult(1, 0)), outcomes.count(JournalError)) == (8, 4)
