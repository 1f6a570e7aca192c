"""Stored bodies are encrypted with the current key, from the position of an interrupted run."""

from pathlib import Path

import pytest

from support.changes import Reports, Ticks
from support.messages import AT, event
from webhooks.errors import JournalAbsent, JournalUnavailable
from webhooks.journal import Journal, open_existing, open_journal
from webhooks.journal.encryption import Encryption
from webhooks.journal.notes import ENCRYPTION, REENCRYPT, EncryptionKeys, ReencryptProgress
from webhooks.operations import reencrypt
from webhooks.operations.progress import Progress
from webhooks.operations.reencrypt import ReencryptReport, ReencryptRequest

OLD, NEW = bytes(range(100, 132)).hex(), bytes(range(32)).hex()
OLD_ID, NEW_ID = Encryption((OLD,)).current, Encryption((NEW,)).current
REQUEST = ReencryptRequest(batch=2)


def stored(url: str, *numbers: int, keys: tuple[str, ...] = ()) -> None:
    journal = open_journal(url, keys)
    journal.append([event(number) for number in numbers], now=AT)
    journal.close()


def reencrypted(
    url: str, *keys: str, request: ReencryptRequest = REQUEST, report: Reports | None = None
) -> ReencryptReport:
    journal = open_existing(url, keys, change=not request.dry_run)
    try:
        return reencrypt.run(journal, Encryption(keys), request, clock=Ticks(), report=report or Reports())
    finally:
        journal.close()


def noted(url: str) -> Journal:
    return open_existing(url, ("plain",))


def keys_of(url: str) -> EncryptionKeys | None:
    journal = noted(url)
    try:
        return ENCRYPTION.read(journal.notes())
    finally:
        journal.close()


def test_a_rotation_from_clear_over_two_keys_to_clear_again(url: str) -> None:
    stored(url, 1, 2, 3)
    reports = Reports()
    first = reencrypted(url, OLD, report=reports)
    assert first == ReencryptReport(key=OLD_ID, by_key={"plain": 3}, changed=3, locked=0)
    assert reports.of("encrypting") == [(0, 3), (2, 3), (3, 3)]
    assert keys_of(url) == EncryptionKeys((OLD_ID,))
    second = reencrypted(url, NEW, OLD)
    assert second == ReencryptReport(key=NEW_ID, by_key={OLD_ID: 3}, changed=3, locked=0)
    assert keys_of(url) == EncryptionKeys((NEW_ID,))
    assert reencrypted(url, "plain", NEW).changed == 3
    assert keys_of(url) == EncryptionKeys()


def test_a_dry_run_counts_by_key_and_changes_nothing(url: str) -> None:
    stored(url, 1)
    stored(url, 2, 3, keys=(OLD,))
    result = reencrypted(url, NEW, request=ReencryptRequest(dry_run=True))
    assert result == ReencryptReport(key=NEW_ID, by_key={OLD_ID: 2, "plain": 1}, changed=1, locked=2)
    journal = noted(url)
    assert REENCRYPT.read(journal.notes()) is None
    journal.close()
    assert keys_of(url) == EncryptionKeys((OLD_ID,))


def test_an_interrupted_run_continues_unless_it_starts_over(url: str) -> None:
    stored(url, 1, 2, 3, 4, 5)

    class Stop(Reports):
        def __call__(self, progress: Progress) -> None:
            if progress.done == 4:
                raise JournalUnavailable("the server stopped")

    with pytest.raises(JournalUnavailable):
        reencrypted(url, NEW, report=Stop())
    journal = open_existing(url, (NEW,))
    position = REENCRYPT.read(journal.notes())
    journal.close()
    assert position is not None
    assert (position.key, position.locked, bool(position.after)) == (NEW_ID, 0, True)
    assert reencrypted(url, NEW).by_key == {"plain": 1}
    assert reencrypted(url, NEW, request=ReencryptRequest(from_start=True)).by_key == {NEW_ID: 5}


def test_the_position_of_another_key_is_not_used(url: str) -> None:
    stored(url, 1, 2, 3)
    journal = open_journal(url)
    REENCRYPT.write(journal, ReencryptProgress(key=OLD_ID, after=journal.end(), locked=1), now=AT)
    journal.close()
    assert reencrypted(url, NEW) == ReencryptReport(key=NEW_ID, by_key={"plain": 3}, changed=3, locked=0)


def test_events_with_a_missing_key_are_counted_and_its_note_is_kept(url: str) -> None:
    stored(url, 1, keys=(OLD,))
    stored(url, 2, keys=(NEW,))
    assert reencrypted(url, NEW).locked == 1
    noted_keys = keys_of(url)
    assert noted_keys is not None
    assert set(noted_keys.keys) == {OLD_ID, NEW_ID}


def test_an_absent_journal_is_not_encrypted(tmp_path: Path) -> None:
    with pytest.raises(JournalAbsent):
        reencrypted(f"sqlite:///{tmp_path}/none.db", NEW)
