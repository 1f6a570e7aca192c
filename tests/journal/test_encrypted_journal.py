"""A journal with encrypted bodies: the same contract, nothing readable in the store, and key rotation."""

import traceback
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from support.events import NOW, event
from webhooks.errors import JournalError, SettingsError
from webhooks.journal import Filter, ReencryptResult, Settlement, State, open_journal
from webhooks.journal.encryption import Encryption

OLD, NEW = bytes(range(100, 132)).hex(), bytes(range(32)).hex()
SECRET_BODY = b'{"email": "ada@example.com"}'


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path):
    """The URL of a journal of each store."""
    return f"sqlite:///{tmp_path}/segue.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def opened(url):
    """Return a function that opens the store with some keys."""
    journals = []

    def opened(*keys):
        journals.append(open_journal(url, keys))
        return journals[-1]

    yield opened
    for journal in journals:
        journal.close()


def personal(key, **more):
    return event(key, raw=SECRET_BODY, headers={"x-who": "ada"}, envelope={"org": "lovelace"}, **more)


def claim(journal, limit=10):
    return journal.claim(limit, worker="w", now=NOW, lease=timedelta(minutes=1))


def everything(journal):
    """Return the number of rows by the key they are encrypted with."""
    return dict(journal.reencrypt(limit=1000, dry_run=True).by_key)


def test_an_encrypted_event_is_read_back_unchanged(opened) -> None:
    journal = opened(NEW)
    appended = personal("1")
    journal.append([appended], now=NOW)
    assert journal.find("acme", "1").event == appended
    assert journal.rows()[0].event == appended
    (claimed,) = claim(journal)
    assert (claimed.event, claimed.locked) == (appended, "")


def test_a_retry_is_a_duplicate_whatever_key_encrypted_the_first(opened) -> None:
    opened(OLD).append([personal("1")], now=NOW)
    assert opened(NEW, OLD).append([personal("1")], now=NOW).duplicate == 1
    assert opened("plain", NEW).append([personal("1")], now=NOW).duplicate == 1


def test_nothing_personal_is_in_the_store(opened, url, tmp_path: Path) -> None:
    journal = opened(NEW)
    journal.append([personal("1")], now=NOW)
    (claimed,) = claim(journal)
    journal.settle([Settlement(claim=claimed, state=State.DEAD, reason=quoting("ada@example.com"))], now=NOW)
    assert "ValueError" in journal.find("acme", "1").reason
    journal.close()
    kept = [file.read_bytes() for file in tmp_path.iterdir()] or dumped(url)
    assert any(b"acme" in part for part in kept)
    for part in kept:
        assert [word for word in (b"ada@", b"lovelace", b"x-who", bytes.fromhex(NEW)) if word in part] == []


def dumped(url):
    """Return every column of every event and outcome in PostgreSQL."""
    with psycopg.connect(url) as db:
        rows = [*db.execute("SELECT * FROM segue_events"), *db.execute("SELECT * FROM segue_outcomes")]
    return [value if isinstance(value, bytes) else str(value).encode() for row in rows for value in row]


def test_an_event_whose_key_is_missing_is_marked_and_keeps_its_body(opened) -> None:
    opened(OLD).append([personal("old")], now=NOW)
    journal = opened(NEW)
    journal.append([personal("new")], now=NOW)
    first, second = claim(journal)
    assert (first.event.id, first.event.raw, second.locked) == ("old", b"", "")
    assert first.locked == f"encrypted with key {Encryption((OLD,)).current}, which is not configured"
    assert journal.find("acme", "old").locked == first.locked
    later = NOW + timedelta(hours=1)
    journal.settle([Settlement(claim=first, state=State.PENDING, due_at=later, attempt=False)], now=NOW)
    assert opened(NEW, OLD).find("acme", "old").event == personal("old")


def test_without_any_key_an_encrypted_journal_is_not_opened(opened) -> None:
    opened(NEW).append([personal("1")], now=NOW)
    with pytest.raises(SettingsError, match="SEGUE_ENCRYPTION_KEY is not set, and this journal is encrypted"):
        opened()
    assert opened("plain", NEW).find("acme", "1").event == personal("1")


def test_an_event_that_cannot_be_encrypted_fails_its_own_call_only(opened) -> None:
    journal = opened(NEW)
    with pytest.raises(JournalError, match="cannot be stored"):
        journal.append([personal("1"), event("2", raw="text where bytes belong")], now=NOW)
    assert journal.rows() == []


def test_a_key_rotation_reencrypts_all_rows_in_steps_and_changes_nothing_else(opened) -> None:
    opened().append([personal(f"plain{number}") for number in range(3)], now=NOW)
    opened(OLD).append([personal(f"old{number}") for number in range(4)], now=NOW)
    journal = opened(NEW, OLD)
    (claimed, *_) = claim(journal, 2)
    journal.settle([Settlement(claim=claimed, state=State.DELIVERED)], now=NOW)
    before = journal.rows()
    steps: list[ReencryptResult] = []
    after = ""
    while not steps or after:
        steps.append(journal.reencrypt(after=after, limit=3))
        after = steps[-1].after
    assert [step.changed for step in steps] == [3, 3, 1]
    assert journal.rows() == before
    assert everything(journal) == {Encryption((NEW,)).current: 7}
    assert journal.reencrypt(limit=100).changed == 0


def test_a_dry_run_of_reencrypt_changes_nothing(opened) -> None:
    opened().append([personal("1")], now=NOW)
    journal = opened(NEW)
    step = journal.reencrypt(dry_run=True)
    assert (dict(step.by_key), step.changed) == ({"plain": 1}, 1)
    assert everything(journal) == {"plain": 1}


def test_reencrypt_counts_and_keeps_rows_that_cannot_be_decrypted(opened) -> None:
    opened(OLD).append([personal("1")], now=NOW)
    journal = opened(NEW)
    assert (journal.reencrypt().changed, journal.reencrypt().locked) == (0, 1)
    assert opened(OLD).find("acme", "1").event == personal("1")


def test_reencrypt_with_plain_decrypts_all_rows(opened) -> None:
    opened(OLD).append([personal("1")], now=NOW)
    journal = opened("plain", OLD)
    journal.reencrypt()
    assert everything(journal) == {"plain": 1}
    assert journal.find("acme", "1").event == personal("1")


def quoting(text):
    try:
        int(text)
    except ValueError:
        return traceback.format_exc()


def test_reencrypt_removes_messages_that_quote_a_body_from_reasons(opened) -> None:
    journal = opened()
    journal.append([personal("1")], now=NOW)
    (claimed,) = claim(journal)
    journal.settle([Settlement(claim=claimed, state=State.DEAD, reason=quoting("ada@example.com"))], now=NOW)
    assert "ada" in journal.find("acme", "1").reason
    journal = opened(NEW)
    journal.reencrypt()
    row = journal.find("acme", "1")
    assert "ada" not in row.reason + row.history[0].reason
    assert "ValueError" in row.reason


def test_rows_move_between_journals_of_different_keys_but_not_undecryptable_ones(opened, tmp_path: Path) -> None:
    opened(OLD).append([personal("1")], now=NOW)
    other = open_journal(f"sqlite:///{tmp_path}/other.db", (NEW,))
    assert other.load(opened(OLD).rows()).new == 1
    row = other.find("acme", "1")
    assert row is not None
    assert row.event == personal("1")
    with pytest.raises(JournalError, match="which is not configured"):
        other.load(opened(NEW).rows())
    other.close()


def test_text_is_found_in_encrypted_bodies(opened) -> None:
    journal = opened(NEW)
    journal.append([personal("1"), event("2")], now=NOW)
    assert [row.event.id for row in journal.rows(Filter(text="ADA@example"))] == ["1"]


def test_reencrypt_overwrites_unencrypted_content_in_the_file(tmp_path: Path) -> None:
    def opened(*keys):
        return open_journal(f"sqlite:///{tmp_path}/segue.db", keys)

    journal = opened()
    journal.append([event(str(number), raw=SECRET_BODY * 500) for number in range(20)], now=NOW)
    journal.close()
    journal = opened(NEW)
    journal.reencrypt()
    journal.close()
    assert b"ada@example.com" not in (tmp_path / "segue.db").read_bytes()
