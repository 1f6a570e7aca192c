"""`segue tail`: each event once from a cursor, also if the store is unavailable or the reader is killed."""

import json
import signal
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from support.commands import CommandRunner, Shop
from support.processes import environment, until
from webhooks.cli import tail
from webhooks.errors import JournalUnavailable
from webhooks.journal import Filter


class Reader:
    """`segue tail` as a process; its lines are read as they come."""

    def __init__(self, folder, database, *arguments):
        self.output = (folder / f"tail-{len(list(folder.glob('tail-*')))}.jsonl").open("w+")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "webhooks.cli", "tail", "--json", *arguments],
            cwd=folder, env=environment(folder, SEGUE_DATABASE=database), stdout=self.output, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip

    def seen(self):
        self.output.seek(0)
        return [json.loads(line)["key"] for line in self.output.read().splitlines() if line.endswith("}")]

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        self.process.communicate(timeout=30)
        return self.process.returncode


@pytest.fixture
def reader(tmp_path: Path, database: str):
    readers = []

    def start(*arguments):
        readers.append(Reader(tmp_path, database, *arguments))
        return readers[-1]

    yield start
    for reader in readers:
        if reader.process.poll() is None:
            reader.process.kill()
        reader.process.communicate()
        reader.output.close()


def receive(shop, *keys):
    shop.start -= timedelta(days=30)
    for key in keys:
        shop.receive(id=key)


def test_tail_follows_and_stops_on_a_signal_with_exit_code_0(shop: Shop, reader) -> None:
    receive(shop, "before")
    everything, new = reader("--from", "start"), reader()
    until(lambda: everything.seen() == ["before"], "the first event")
    keys: list[str] = []

    def new_reader_sees_an_event():
        keys.append(f"e{len(keys)}")
        receive(shop, keys[-1])
        return bool(new.seen())

    until(new_reader_sees_an_event, "the other reader")
    until(lambda: everything.seen() == ["before", *keys], "all of them")
    until(lambda: new.seen() == keys[-len(new.seen()) :], "the new ones")
    assert everything.end() == 0
    assert new.end(signal.SIGINT) == 0


def test_killed_tail_continues_from_its_cursor_file_without_gaps(shop: Shop, reader, tmp_path: Path) -> None:
    seen = []
    written = 0
    for round_ in range(3):
        one = reader("--from", "start", "--cursor-file", "cursor")
        for _ in range(20):
            written += 1
            receive(shop, f"e{written}")
        until(one.seen, "something")
        one.end(signal.SIGKILL)
        seen += one.seen()
        assert round_ < 3
    last = reader("--from", "start", "--cursor-file", "cursor", "--no-follow")
    assert last.process.wait(30) == 0
    seen += last.seen()
    assert set(seen) == {f"e{number}" for number in range(1, written + 1)}
    assert (tmp_path / "cursor").read_text() == f"{shop.journal.end()}\n"


def test_tail_no_follow_stops_at_the_end(run: CommandRunner, filled: Shop) -> None:
    lines = run("tail", "--from", "start", "--no-follow").stdout.splitlines()
    assert [line.split()[6] for line in lines] == ["good", "quiet", "odd", "torn", "anonymous", "new"]
    assert run("tail", "--no-follow").stdout == ""
    cursor = filled.row("torn").cursor
    assert len(run("tail", "--from", cursor, "--no-follow").stdout.splitlines()) == 2
    chosen = run("tail", "--from", "start", "--no-follow", "--type", "test.*", "--json").stdout.splitlines()
    assert [json.loads(line)["key"] for line in chosen] == ["quiet"]


def test_cursor_moves_past_events_that_do_not_match(run: CommandRunner, filled: Shop, tmp_path: Path) -> None:
    run("tail", "--from", "start", "--no-follow", "--source", "stripe", "--cursor-file", "c")
    assert (tmp_path / "c").read_text().strip() == filled.journal.end()
    filled.receive(id="later")
    assert "later" in run("tail", "--from", "start", "--no-follow", "--cursor-file", "c").stdout
    (tmp_path / "c").write_text("")
    assert len(run("tail", "--from", "start", "--no-follow", "--cursor-file", "c").stdout.splitlines()) == 7
    (tmp_path / "c").write_text("torn by hand")
    result = run("tail", "--cursor-file", "c")
    assert result.exit_code == 1
    assert "no cursor of this journal" in result.output


def test_tail_body_needs_json(run: CommandRunner, filled: Shop) -> None:
    result = run("tail", "--body")
    assert result.exit_code == 1
    assert "--body is for --json" in result.output
    first = json.loads(run("tail", "--from", "start", "--no-follow", "--json", "--body").stdout.splitlines()[0])
    assert first["body"].encode() == filled.row("good").event.raw


def test_tail_waits_while_the_journal_is_unavailable(
    shop: Shop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail, "PAUSE", 0.01)
    receive(shop, "a", "b")
    journal, stop = shop.journal, tail.Stop()
    seen = []
    away = iter([False, True, True, True, False, True, False])
    rows = journal.rows

    def sometimes(*arguments, **more):
        if next(away, False):
            raise JournalUnavailable("the database is unavailable")
        return rows(*arguments, **more)[:1]

    monkeypatch.setattr(journal, "rows", sometimes, raising=False)
    for page, _ in tail.follow(journal, Filter(), "", stop, wait=True):
        seen += [row.event.id for row in page]
        if len(seen) == 2:
            receive(shop, "c")
        if len(seen) == 3:
            stop()
    assert seen == ["a", "b", "c"]
    stderr = capsys.readouterr().err
    assert (
        stderr.count("the database is unavailable; waiting for it")
        == stderr.count("the journal is available again")
        == 2
    )


def test_closed_pipe_ends_tail_quietly(shop: Shop, tmp_path: Path, database: str) -> None:
    receive(shop, *(f"e{number}" for number in range(300)))
    done = subprocess.run(
        f"{sys.executable} -m webhooks.cli tail --from start --json | head -n 1",
        shell=True, cwd=tmp_path, env=environment(tmp_path, SEGUE_DATABASE=database), capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert json.loads(done.stdout)["key"] == "e0"
    assert done.stderr == ""


def test_second_signal_ends_a_blocked_tail() -> None:
    stop = tail.Stop()
    stop()
    assert stop.is_set()
    stop.wait(60)
    with pytest.raises(SystemExit):
        stop()


def test_cursor_file_is_replaced_atomically(tmp_path: Path) -> None:
    tail.save_cursor(tmp_path / "c", "12")
    tail.save_cursor(tmp_path / "c", "13")
    assert [path.name for path in tmp_path.iterdir()] == ["c"]
    assert (tmp_path / "c").read_text() == "13\n"
