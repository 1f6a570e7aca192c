"""Every store there is, under one contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from webhooks.journal import Journal, open_journal


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    opened = open_journal(f"sqlite:///{tmp_path}/segue.db")
    yield opened
    opened.close()
