"""A damaged journal at the command line: check and doctor report it, and `export --salvage` saves what can be read."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.commands import CommandRunner
from support.events import event
from webhooks.journal import Filter, SqliteJournal, State

PAGE = 4096


def body(number: int) -> bytes:
    """Return a body that hardly compresses, so that the events have many pages."""
    return random.Random(number).randbytes(1500).hex().encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "segue.db"
    journal = SqliteJournal(path)
    now = datetime.now(UTC)
    journal.append([event(str(number), raw=body(number)) for number in range(300)], now=now)
    journal.close()
    return path


def damage(path: Path) -> None:
    pages = path.stat().st_size // PAGE
    with path.open("r+b") as file:
        file.seek(pages // 2 * PAGE)
        file.write(random.Random(7).randbytes(10 * PAGE))


def test_check_and_doctor_find_a_damaged_file_and_say_what_to_do(run: CommandRunner, path) -> None:
    whole = path.read_bytes()
    assert "the file is not damaged" in run("check").output
    damage(path)
    for command in ("check", "doctor"):
        result = run(command)
        assert result.exit_code == 1
        assert "segue.db is damaged: " in result.output
        assert "docs/operating.md" in " ".join(result.output.split())
    path.write_bytes(whole)
    assert "the file is not damaged" in run("check").output
    doctor = " ".join(run("doctor", "--timeout", "20").output.split())
    assert "the file is not damaged, and its indexes agree with its rows" in doctor


def test_salvage_exports_a_damaged_file_for_import_elsewhere(run: CommandRunner, path, tmp_path: Path) -> None:
    damage(path)
    before = path.read_bytes()
    assert run("export", "all.jsonl").exit_code == 1
    result = run("export", "saved.jsonl", "--salvage", "--json")
    assert result.exit_code == 0, result.output
    saved = json.loads(result.stdout)["exported"]
    assert 250 < saved < 300
    assert f"{300 - saved} events cannot be read" in result.stderr
    assert path.read_bytes() == before
    other = {"SEGUE_DATABASE": f"sqlite:///{tmp_path}/new.db"}
    assert run("import", "saved.jsonl", **other).exit_code == 0
    journal = SqliteJournal(tmp_path / "new.db")
    assert journal.count(Filter(states=(State.PENDING,))) == saved
    assert all(row.event.raw == body(int(row.event.id)) for row in journal.rows(limit=300))
    journal.close()


def test_salvage_exports_an_intact_file_completely(run: CommandRunner, path) -> None:
    assert json.loads(run("export", "all.jsonl", "--salvage", "--json").stdout)["exported"] == 300
    assert "Omit the other options" in run("export", "some.jsonl", "--salvage", "--state", "dead").output
