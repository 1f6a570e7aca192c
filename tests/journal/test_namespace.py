"""A journal belongs to the namespace that first opens it; an installation with another one is refused."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from support.postgres_server import Server
from webhooks.errors import JournalUnavailable, SettingsError
from webhooks.journal import open_journal

NOW = datetime.now(UTC)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/segue.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def note(url: str) -> Any:
    journal = open_journal(url)
    noted = journal.notes().get("namespace", (None, {}))[1].get("namespace")
    journal.close()
    return noted


def test_journal_takes_its_first_namespace_and_refuses_another(url: str) -> None:
    open_journal(url).close()
    assert note(url) is None  # a command that needs no namespace gives none
    for _ in range(2):
        open_journal(url, namespace="shop-eu").close()
    for wait_for_server in (False, True):
        with pytest.raises(SettingsError) as caught:
            open_journal(url, namespace="shop-us", wait_for_server=wait_for_server)
        assert "'shop-eu'" in str(caught.value)
        assert "SEGUE_NAMESPACE=shop-eu" in str(caught.value)
    assert note(url) == "shop-eu"


def test_concurrent_opens_set_one_namespace(url: str) -> None:
    open_journal(url).close()
    code = (
        "import sys, time; from webhooks.journal import open_journal\n"
        "from webhooks.errors import JournalUnavailable, SettingsError\n"
        "for _ in range(50):\n"
        "    try: journal = open_journal(sys.argv[1], namespace=sys.argv[2])\n"
        "    except SettingsError: print('refused'); break\n"
        "    except JournalUnavailable: time.sleep(0.1)\n"  # another one is just closing the file
        "    else: journal.close(); print('opened'); break"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, url, f"n{number}"], stdout=subprocess.PIPE, text=True)
        for number in range(4)
    ]
    assert sorted(process.communicate(timeout=60)[0].strip() for process in started) == ["opened"] + ["refused"] * 3


def test_reconnect_to_another_installations_journal_is_refused(postgres_server: Server) -> None:
    url = postgres_server.url()
    open_journal(url, namespace="shop-eu").close()
    postgres_server.stop()
    journal = open_journal(url, namespace="shop-us", wait_for_server=True)
    postgres_server.start()
    with pytest.raises(JournalUnavailable, match="shop-eu"):
        journal.check()
    journal.close()


def test_first_namespace_note_is_kept(url: str) -> None:
    journal = open_journal(url)
    assert journal.note_first("n", {"a": 1}, now=NOW) == {"a": 1}
    assert journal.note_first("n", {"a": 2}, now=NOW) == {"a": 1}
    assert journal.notes()["n"][1] == {"a": 1}
    journal.close()
