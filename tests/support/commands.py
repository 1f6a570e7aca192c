"""Run commands, and fill the journal that they use."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from click.testing import CliRunner, Result

from translators.kit import Delivery
from webhooks.cli.main import main
from webhooks.journal import Row, Settlement, State, open_journal
from webhooks.settings import load
from webhooks.sources import plugins
from webhooks.sources.endpoints import bind
from webhooks.translation.prepare import prepare


class CommandRunner:
    """Call it with a command's arguments; keywords are further environment variables."""

    def __init__(self, environ: dict[str, str]) -> None:
        self.environ = environ
        self.database = environ["SEGUE_DATABASE"]

    def __call__(self, *arguments: str, input: str | bytes | None = None, **environ: str | None) -> Result:
        return CliRunner(env={**self.environ, **environ}).invoke(main, arguments, input=input)


class Shop:
    """The configured journal, filled and emptied as by the service, but without the network."""

    def __init__(self, run: CommandRunner) -> None:
        registry = plugins.load()
        settings = load(sources=registry.sources, environ=run.environ)
        self.endpoint = bind(settings, registry.sources)["acme"]
        self.namespace = settings.namespace
        self.journal = open_journal(run.database)
        self.start = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=6, minutes=30)

    def receive(self, **payload: Any) -> Row:
        """Store an order, changed by `payload`, each an hour after the last."""
        at = self.start = self.start + timedelta(hours=1)
        body = {"id": f"evt_{at.hour}", "type": "order.paid", "at": at.isoformat(), "user": "u1", "order": "o1"}
        body = {name: value for name, value in (body | payload).items() if value is not None}
        delivery = Delivery(source="acme", body=json.dumps(body).encode(), received_at=at)
        self.journal.append(self.endpoint.runtime.events(delivery), now=at)
        return self.row(body["id"])

    def receive_unreadable(self) -> None:
        """Store an order without a type."""
        delivery = Delivery(source="acme", body=b'{"id": "evt_1"}', received_at=self.start)
        self.journal.append(self.endpoint.runtime.receive(delivery), now=self.start)

    def row(self, key: str) -> Row:
        row = self.journal.find("acme", key)
        assert row is not None
        return row

    def work(self, at: datetime | None = None) -> None:
        """Settle due events with today's code, as if every message were accepted."""
        now = at or datetime.now(UTC)
        for claim in self.journal.claim(1000, worker="w1", now=now, lease=timedelta(minutes=1)):
            prepared = prepare(
                claim.event, self.endpoint, namespace=self.namespace, replay_generation=claim.replay_generation
            )
            state = State.DELIVERED if prepared.state is State.PENDING else prepared.state
            self.journal.settle([Settlement(claim=claim, state=state, reason=prepared.reason)], now=now)

    def states(self) -> dict[str, str]:
        return {row.event.id: row.state.value for row in self.journal.rows(limit=10_000)}
