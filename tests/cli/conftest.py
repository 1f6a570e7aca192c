"""Run commands in a temporary folder, without the machine's environment."""

import json
import os
import signal
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from support.processes import environment, free_port, standin
from translators.kit import Delivery
from webhooks.cli.main import main
from webhooks.journal import Settlement, State, open_journal
from webhooks.settings import load, variables
from webhooks.sources import plugins
from webhooks.sources.endpoints import bind
from webhooks.translation.prepare import prepare


@pytest.fixture(autouse=True)
def restored_signals():
    """Restore the signal mask: a worker in this process blocks signals, and later processes would inherit that."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    yield
    signal.pthread_sigmask(signal.SIG_SETMASK, before)


TESTED_WITH_EVERY_STORE = ("test_operator", "test_tail", "test_transfer")


def pytest_generate_tests(metafunc):
    if metafunc.module.__name__.rpartition(".")[2] in TESTED_WITH_EVERY_STORE and "run" in metafunc.fixturenames:
        metafunc.parametrize("database", ["sqlite", "postgres"], indirect=True)


@pytest.fixture
def database(request, tmp_path):
    """Return the URL of an empty journal, SQLite by default."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return f"sqlite:///{tmp_path}/segue.db"
    return request.getfixturevalue("postgres_url")


class CommandRunner:
    """Call it with a command's arguments; keywords are further environment variables."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.database = environ["SEGUE_DATABASE"]

    def __call__(self, *arguments: str, input: str | bytes | None = None, **environ: str | None) -> Result:
        return CliRunner(env={**self.environ, **environ}).invoke(main, arguments, input=input)


@pytest.fixture
def run(tmp_path, monkeypatch, database):
    """Run a command."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(variables()):
        monkeypatch.delenv(name)
    return CommandRunner(environment(tmp_path, SEGUE_DATABASE=database, PORT=str(free_port())))


@pytest.fixture
def receiver(tmp_path):
    """Run a local stand-in for Segment; yield its settings and a function that returns its messages."""
    log = tmp_path / "received.jsonl"
    got = lambda: [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []  # noqa: E731
    with standin("--log", str(log)) as url:
        yield {"SEGMENT_URL": url, "SEGMENT_WRITE_KEY": "wk_test"}, got


class Shop:
    """The configured journal, filled and emptied as by the service, but without the network."""

    def __init__(self, run: CommandRunner):
        registry = plugins.load()
        settings = load(sources=registry.sources, environ=run.environ)
        self.endpoint = bind(settings, registry.sources)["acme"]
        self.namespace = settings.namespace
        self.journal = open_journal(run.database)
        self.start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6, minutes=30)

    def receive(self, **payload):
        """Store an order, changed by `payload`, each an hour after the last."""
        at = self.start = self.start + timedelta(hours=1)
        body = {"id": f"evt_{at.hour}", "type": "order.paid", "at": at.isoformat(), "user": "u1", "order": "o1"}
        body = {name: value for name, value in (body | payload).items() if value is not None}
        delivery = Delivery(source="acme", body=json.dumps(body).encode(), received_at=at)
        self.journal.append(self.endpoint.runtime.events(delivery), now=at)
        return self.row(body["id"])

    def receive_unreadable(self):
        """Store an order without a type."""
        delivery = Delivery(source="acme", body=b'{"id": "evt_1"}', received_at=self.start)
        self.journal.append(self.endpoint.runtime.receive(delivery), now=self.start)

    def row(self, key):
        return self.journal.find("acme", key)

    def work(self, at=None):
        """Settle due events with today's code, as if every message were accepted."""
        now = at or datetime.now(UTC)
        for claim in self.journal.claim(1000, worker="w1", now=now, lease=timedelta(minutes=1)):
            prepared = prepare(
                claim.event, self.endpoint, namespace=self.namespace, replay_generation=claim.replay_generation
            )
            state = State.DELIVERED if prepared.state is State.PENDING else prepared.state
            self.journal.settle([Settlement(claim=claim, state=state, reason=prepared.reason)], now=now)

    def states(self):
        return {row.event.id: row.state.value for row in self.journal.rows(limit=10_000)}


@pytest.fixture
def shop(run):
    shop = Shop(run)
    yield shop
    shop.journal.close()


@pytest.fixture
def filled(shop):
    """good: delivered, quiet: ignored, odd: unsupported, torn and anonymous: dead, new: pending. One per hour, the last half an hour ago."""
    shop.receive(id="good")
    shop.receive(id="quiet", type="test.ping")
    shop.receive(id="odd", type="order.exploded")
    shop.receive(id="torn", user=["u1"])
    shop.receive(id="anonymous", user=None, meta={"campaign": "spring"})
    shop.work()
    shop.receive(id="new")
    return shop
