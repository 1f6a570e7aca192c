"""`segue reencrypt`, and what `segue check` says of encryption."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from support.events import NOW, event
from support.processes import environment
from translators.kit import Event
from webhooks.cli.main import main
from webhooks.journal import open_journal
from webhooks.journal.encryption import Encryption
from webhooks.journal.notes import REENCRYPT
from webhooks.settings import variables

OLD, NEW = bytes(range(100, 132)).hex(), bytes(range(32)).hex()
OLD_ID, NEW_ID = Encryption((OLD,)).current, Encryption((NEW,)).current


class EncryptedRunner:
    """Run a command with encryption keys; store events and read notes without a command."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ

    def __call__(self, *arguments: str, keys: str = "") -> Result:
        return CliRunner(env={**self.environ, "SEGUE_ENCRYPTION_KEY": keys}).invoke(main, arguments)

    def store(self, *events: Event, keys: Sequence[str] = ()) -> None:
        journal = open_journal(self.environ["SEGUE_DATABASE"], keys)
        journal.append(events, now=NOW)
        journal.close()

    def notes(self) -> dict[str, Any]:
        journal = open_journal(self.environ["SEGUE_DATABASE"], ("plain",))
        try:
            return {name: value for name, (_, value) in journal.notes().items()}
        finally:
            journal.close()


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for name in set(os.environ) - set(variables()):
        monkeypatch.delenv(name)
    return EncryptedRunner(environment(tmp_path) | {"SEGMENT_WRITE_KEY": "wk_test"})


def test_a_rotation_from_clear_over_two_keys_to_clear_again(run) -> None:
    run.store(event("1"), event("2"))
    assert "2 events are now encrypted with key " + OLD_ID in run("reencrypt", "--batch", "1", keys=OLD).output
    assert run.notes()["encryption"] == {"keys": [OLD_ID]}
    report = json.loads(run("reencrypt", "--json", keys=f"{NEW},{OLD}").stdout)
    assert report == {"key": NEW_ID, "by_key": {OLD_ID: 2}, "changed": 2, "locked": 0, "dry_run": False}
    assert run.notes()["encryption"] == {"keys": [NEW_ID]}
    assert run("reencrypt", keys=f"plain,{NEW}").exit_code == 0
    assert run.notes()["encryption"] == {"keys": []}
    assert run("check").exit_code == 0


def test_a_dry_run_counts_by_key(run) -> None:
    run.store(event("1"))
    run.store(event("2"), event("3"), keys=(OLD,))
    result = run("reencrypt", "--dry-run", keys=NEW)
    assert [line.split() for line in result.stdout.splitlines()[:3]] == [
        ["key", "events"],
        [OLD_ID, "2", "NOT", "CONFIGURED"],
        ["plain", "1", "in", "clear"],
    ]
    assert result.exit_code == 1
    assert REENCRYPT.name not in run.notes()


def test_interrupted_reencrypt_continues(run, monkeypatch: pytest.MonkeyPatch) -> None:
    run.store(*(event(str(number)) for number in range(5)))
    done = []

    def broken(self, **params):
        done.append(params["after"])
        if len(done) == 3:
            raise KeyboardInterrupt
        return reencrypt(self, **params)

    from webhooks.journal import SqliteJournal

    reencrypt = SqliteJournal.reencrypt
    monkeypatch.setattr(SqliteJournal, "reencrypt", broken)
    assert run("reencrypt", "--batch", "2", keys=NEW).exit_code == 1
    assert json.loads(run("reencrypt", "--json", keys=NEW).stdout)["changed"] == 1
    assert done == ["", "2", "4", "4"]
    assert json.loads(run("reencrypt", "--json", "--from-start", keys=NEW).stdout)["by_key"] == {NEW_ID: 5}


def test_events_with_a_missing_key_are_reported_and_kept(run) -> None:
    run.store(event("1"), keys=(OLD,))
    result = run("reencrypt", keys=NEW)
    assert result.exit_code == 1
    assert "1 events cannot be decrypted with the configured keys and stay unchanged" in result.output
    assert set(run.notes()["encryption"]["keys"]) == {OLD_ID, NEW_ID}
    assert f"events may be encrypted with key {OLD_ID}, which is not configured" in run("check", keys=NEW).output


def test_check_says_whether_bodies_are_encrypted(run) -> None:
    assert "bodies are stored in clear (SEGUE_ENCRYPTION_KEY encrypts them)" in run("check").output
    result = run("check", keys=NEW)
    assert f"bodies are encrypted with key {NEW_ID}" in result.output
    assert NEW not in result.output


def test_without_a_key_there_is_nothing_to_encrypt_with(run) -> None:
    result = run("reencrypt")
    assert result.exit_code == 1
    assert "openssl rand -base64 32" in result.output


def test_a_journal_that_was_encrypted_is_not_used_in_clear_by_mistake(run) -> None:
    run.store(event("1"), keys=(NEW,))
    for command in ("check", "status", "work"):
        result = run(command)
        assert result.exit_code == 1
        assert "SEGUE_ENCRYPTION_KEY is not set, and this journal is encrypted" in result.output
