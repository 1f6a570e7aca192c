"""A journal belongs to one installation: a second one, of another namespace, is refused; on either store."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from support.commands import CommandRunner
from support.processes import free_port, output, segue
from webhooks.errors import SettingsError
from webhooks.journal import open_journal
from webhooks.runtime import Runtime
from webhooks.settings import Settings
from webhooks.sources import plugins


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path):
    return f"sqlite:///{tmp_path}/segue.db" if request.param == "sqlite" else request.getfixturevalue("postgres_url")


def note(url):
    journal = open_journal(url)
    noted = journal.notes().get("namespace", (None, {}))[1].get("namespace")
    journal.close()
    return noted


def test_web_refuses_another_installations_journal(url) -> None:
    registry = plugins.Registry((), {})
    open_journal(url, namespace="shop-eu").close()
    for settings in (
        Settings(database=url, namespace="shop-eu", namespace_known=True),
        Settings(database=url),  # without a write key it has no namespace, and only stores
    ):
        Runtime(settings, registry).web_service().app.extensions["segue"].journal.close()
    with pytest.raises(SettingsError):
        Runtime(Settings(database=url, namespace="shop-us", namespace_known=True), registry).web_service()


def test_the_worker_does_not_start_on_another_installations_journal(url, tmp_path: Path) -> None:
    open_journal(url, namespace="shop-eu").close()
    environ = {"SEGUE_DATABASE": url, "SEGUE_NAMESPACE": "shop-us", "SEGMENT_WRITE_KEY": "wk"}
    with segue(tmp_path, "work", **environ) as process:
        assert process.wait(30) == 1
    assert "deliver each other's events" in " ".join(output(tmp_path).split())


def test_serve_does_not_start_on_another_installations_journal(url, tmp_path: Path) -> None:
    open_journal(url, namespace="shop-eu").close()
    environ = {"SEGUE_DATABASE": url, "SEGUE_NAMESPACE": "shop-us", "SEGMENT_WRITE_KEY": "wk", "PORT": str(free_port())}
    with segue(tmp_path, "serve", **environ) as process:
        assert process.wait(30) == 1
    assert "SEGUE_NAMESPACE=shop-eu" in output(tmp_path)


def test_check_names_the_other_installation_and_what_to_do(run: CommandRunner, url) -> None:
    open_journal(url, namespace="shop-eu").close()
    result = run("check", SEGUE_DATABASE=url, SEGUE_NAMESPACE="shop-us", SEGMENT_WRITE_KEY="wk")
    assert result.exit_code == 1
    text = " ".join(result.output.split())
    assert "the journal belongs to the namespace 'shop-eu'" in text
    assert "segue namespace --rename" in text
    assert run("check", SEGUE_DATABASE=url, SEGUE_NAMESPACE="shop-eu", SEGMENT_WRITE_KEY="wk").exit_code == 0


def test_another_write_key_is_another_namespace_unless_it_is_set(run: CommandRunner, url) -> None:
    def check(**more):
        return run("check", SEGUE_DATABASE=url, **more).exit_code

    open_journal(url).close()
    first = run("namespace", "--rename", "--json", SEGUE_DATABASE=url, SEGMENT_WRITE_KEY="one")
    name = json.loads(first.stdout)["journal"]
    assert check(SEGMENT_WRITE_KEY="one") == 0
    assert check(SEGMENT_WRITE_KEY="two") == 1
    assert check(SEGMENT_WRITE_KEY="two", SEGUE_NAMESPACE=name) == 0


def test_rename_asks_for_confirmation_and_is_audited(run: CommandRunner, url) -> None:
    def namespace(*arguments, **more):
        return run("namespace", *arguments, SEGUE_DATABASE=url, SEGUE_NAMESPACE="shop-us", **more)

    open_journal(url, namespace="shop-eu").close()
    shown = json.loads(namespace("--json").stdout)
    assert shown == {"journal": "shop-eu", "configured": "shop-us", "renamed": False}
    assert "--yes" in namespace("--rename").output
    assert note(url) == "shop-eu"
    assert "is now shop-us, it was shop-eu" in namespace("--rename", "--yes", "--who", "ann").output
    assert note(url) == "shop-us"
    journal = open_journal(url, namespace="shop-us")
    (line,) = journal.audits()
    assert (line.action, line.actor, line.detail) == ("namespace", "ann", {"from": "shop-eu", "to": "shop-us"})
    journal.close()
    again = json.loads(namespace("--rename", "--json").stdout)
    assert again["renamed"] is False


def test_rename_with_a_running_worker_is_refused(run: CommandRunner, url) -> None:
    journal = open_journal(url, namespace="shop-eu")
    journal.note("worker:host-1", {}, now=datetime.now(UTC))
    journal.close()
    result = run("namespace", "--rename", "--yes", SEGUE_DATABASE=url, SEGUE_NAMESPACE="shop-us")
    assert result.exit_code == 1
    assert "A worker still runs on this journal: host-1" in result.output
    assert note(url) == "shop-eu"
