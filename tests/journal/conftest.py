"""The journal fixture: each store in turn, for the tests of the common contract."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from webhooks.journal import Journal, open_journal
from webhooks.journal.postgres import PostgresJournal


@pytest.fixture(params=["sqlite", "postgres"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    opened: Journal | PostgresJournal
    if request.param == "sqlite":
        opened = open_journal(f"sqlite:///{tmp_path}/segue.db")
    else:
        opened = PostgresJournal(request.getfixturevalue("postgres_url"), span=timedelta(0))
        opened.open()
    yield opened
    opened.close()
