"""Run commands in a temporary folder, without the machine's environment."""

import json
import os
import signal
from pathlib import Path
from unittest import mock

import pytest

from support.commands import CommandRunner, Shop
from support.processes import environment, free_port, standin
from webhooks.settings import variables


@pytest.fixture(autouse=True)
def restored_signals():
    """Restore the signal mask: a worker in this process blocks signals, and later processes would inherit that."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


@pytest.fixture(autouse=True)
def restored_environment():
    """Restore the environment: `web --plugin` sets a variable for its child processes, here in this process."""
    with mock.patch.dict(os.environ):
        yield


TESTED_WITH_EVERY_STORE = ("test_operator", "test_tail", "test_transfer")


def pytest_generate_tests(metafunc):
    if metafunc.module.__name__.rpartition(".")[2] in TESTED_WITH_EVERY_STORE and "run" in metafunc.fixturenames:
        metafunc.parametrize("database", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path):
    """Return the URL of an empty journal, SQLite by default."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/segue.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: str):
    """Run a command."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(variables()):
        monkeypatch.delenv(name)
    return CommandRunner(environment(tmp_path, SEGUE_DATABASE=database, PORT=str(free_port())))


@pytest.fixture
def receiver(tmp_path: Path):
    """Run a local stand-in for Segment; yield its settings and a function that returns its messages."""
    log = tmp_path / "received.jsonl"
    got = lambda: [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []  # noqa: E731
    with standin("--log", str(log)) as url:
        yield {"SEGMENT_URL": url, "SEGMENT_WRITE_KEY": "wk_test"}, got


@pytest.fixture
def shop(run: CommandRunner):
    shop = Shop(run)
    yield shop
    shop.journal.close()


@pytest.fixture
def filled(shop: Shop):
    """good: delivered, quiet: ignored, odd: unsupported, torn and anonymous: dead, new: pending. One per hour, the last half an hour ago."""
    shop.receive(id="good")
    shop.receive(id="quiet", type="test.ping")
    shop.receive(id="odd", type="order.exploded")
    shop.receive(id="torn", user=["u1"])
    shop.receive(id="anonymous", user=None, meta={"campaign": "spring"})
    shop.work()
    shop.receive(id="new")
    return shop
