"""Commands in a folder of their own, with nothing of the machine's environment."""

import json
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner

from running import environment, free_port, standin
from translators.kit import Delivery
from webhooks.cli.main import main
from webhooks.deliver.prepare import prepare
from webhooks.journal import Settlement, State, open_journal
from webhooks.settings import load, variables
from webhooks.sources import plugins
from webhooks.sources.endpoints import bind


@pytest.fixture(autouse=True)
def signals_for_the_next():
    """A worker started in this process takes its signals in a thread; processes started after it would never hear."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


OVER_EVERY_STORE = ("test_operator", "test_tail", "test_transfer")


def pytest_generate_tests(metafunc):
    if metafunc.module.__name__.rpartition(".")[2] in OVER_EVERY_STORE and "run" in metafunc.fixturenames:
        metafunc.parametrize("database", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database(request, tmp_path):
    """The URL of an empty journal; in SQLite where a test does not say."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/segue.db"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
def run(tmp_path, monkeypatch, database):
    """Run a command."""
    monkeypatch.chdir(tmp_path)
    environ = environment(tmp_path, SEGUE_DATABASE=database, PORT=str(free_port()))
    for name in set(os.environ) - set(variables()):
        monkeypatch.delenv(name)

    def run(*arguments, input=None, **more):
        return CliRunner(env={**environ, **more}).invoke(main, arguments, input=input)

    run.database = environ["SEGUE_DATABASE"]
    run.environ = environ
    return run


@pytest.fixture
def receiver(tmp_path):
    """A local stand-in for Segment: its settings, and what it has got."""
    log = tmp_path / "received.jsonl"
    got = lambda: [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []  # noqa: E731
    with standin("--log", str(log)) as url:
        yield {"SEGMENT_URL": url, "SEGMENT_WRITE_KEY": "wk_test"}, got


class Shop:
    """The configured journal, filled as the door would and emptied as a worker would, but for the network."""

    def __init__(self, run):
        registry = plugins.load()
        settings = load(sources=registry.sources, environ=run.environ)
        self.endpoint = bind(settings, registry.sources)["acme"]
        self.namespace = settings.namespace
        self.journal = open_journal(run.database)
        self.start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6, minutes=30)

    def receive(self, **payload):
        """Store an order (or what the payload says); an hour later each."""
        at = self.start = self.start + timedelta(hours=1)
        told = {"id": f"evt_{at.hour}", "type": "order.paid", "at": at.isoformat(), "user": "u1", "order": "o1"}
        told = {name: value for name, value in (told | payload).items() if value is not None}
        delivery = Delivery(source="acme", body=json.dumps(told).encode(), received_at=at)
        self.journal.append(self.endpoint.source.events(delivery), now=at)
        return self.row(told["id"])

    def receive_unreadable(self):
        """Store an order without a type."""
        delivery = Delivery(source="acme", body=b'{"id": "evt_1"}', received_at=self.start)
        self.journal.append(self.endpoint.source.receive(delivery), now=self.start)

    def row(self, key):
        return self.journal.find("acme", key)

    def work(self, at=None):
        """Settle what is due with what today's code makes of it; every message is taken to be accepted."""
        now = at or datetime.now(UTC)
        for claim in self.journal.claim(1000, worker="w1", now=now, lease=timedelta(minutes=1)):
            told = prepare(
                claim.event, self.endpoint, namespace=self.namespace, replay_generation=claim.replay_generation
            )
            state = State.DELIVERED if told.state is State.PENDING else told.state
            self.journal.settle([Settlement(claim=claim, state=state, reason=told.reason)], now=now)

    def states(self):
        return {row.event.key: row.state.value for row in self.journal.rows(limit=10_000)}


@pytest.fixture
def shop(run):
    shop = Shop(run)
    yield shop
    shop.journal.close()


@pytest.fixture
def filled(shop):
    """good: delivered, quiet: ignored, odd: unsupported, torn and nobody: dead, new: pending. One an hour, half an hour ago the last."""
    shop.receive(id="good")
    shop.receive(id="quiet", type="test.ping")
    shop.receive(id="odd", type="order.exploded")
    shop.receive(id="torn", user=["u1"])
    shop.receive(id="nobody", user=None, meta={"campaign": "spring"})
    shop.work()
    shop.receive(id="new")
    return shop
