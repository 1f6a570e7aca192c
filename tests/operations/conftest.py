"""A journal of each store, and events of every state in it."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from support.messages import AT, endpoint, event
from webhooks.journal import AuditContext, Journal, Settlement, State, open_journal
from webhooks.sources.endpoints import Endpoint

SETTLED = {
    1: ("order", State.DELIVERED, AT + timedelta(hours=1)),
    2: ("order", State.DELIVERED, AT + timedelta(hours=40)),
    3: ("skipped", State.IGNORED, AT + timedelta(hours=40)),
    4: ("exploded", State.UNSUPPORTED, AT + timedelta(hours=40)),
    5: ("broken", State.DEAD, AT + timedelta(hours=40)),
}


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/segue.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


@pytest.fixture
def journal(url: str) -> Iterator[Journal]:
    opened = open_journal(url)
    yield opened
    opened.close()


@pytest.fixture
def filled(journal: Journal) -> Journal:
    """Events e1 to e6, received one second apart: two delivered, one of each other state, and the last one pending."""
    journal.append([event(number, type=type_) for number, (type_, _, _) in SETTLED.items()], now=AT)
    claimed = journal.claim(9, worker="w", now=AT + timedelta(minutes=1), lease=timedelta(1))
    claims = {int(claim.event.id[1:]): claim for claim in claimed}
    for number, (_, state, at) in SETTLED.items():
        journal.settle([Settlement(claim=claims[number], state=state, reason=f"why {state}")], now=at)
    journal.append([event(6)], now=AT)
    return journal


@pytest.fixture
def endpoints() -> Mapping[str, Endpoint]:
    return {"shop": endpoint()}


@pytest.fixture
def by() -> AuditContext:
    return AuditContext(actor="ann", reason="the mapping is fixed", operation="op-1")
