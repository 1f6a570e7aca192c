"""The namespace of a journal is renamed only while no worker runs."""

from datetime import timedelta
from pathlib import Path

import pytest

from support.changes import NOW
from support.messages import AT
from webhooks.errors import JournalAbsent, OperationRefused
from webhooks.journal import AuditContext, Journal, open_existing
from webhooks.journal.notes import NAMESPACE, WORKERS, Heartbeat, JournalNamespace
from webhooks.operations import namespace
from webhooks.operations.namespace import NamespaceRename
from webhooks.operations.workers import running_workers


def test_a_journal_has_no_namespace_until_one_is_stored(journal: Journal) -> None:
    assert namespace.current(journal) == ""
    NAMESPACE.write(journal, JournalNamespace("shop-eu"), now=AT)
    assert namespace.current(journal) == "shop-eu"


def test_a_rename_is_planned_then_stored_and_audited(journal: Journal, by: AuditContext) -> None:
    NAMESPACE.write(journal, JournalNamespace("shop-eu"), now=AT)
    rename = namespace.plan(journal, "shop-us", now=NOW)
    assert rename == NamespaceRename(before="shop-eu", after="shop-us")
    assert rename.changes
    assert namespace.current(journal) == "shop-eu"
    namespace.run(journal, rename, by=by, now=NOW)
    assert namespace.current(journal) == "shop-us"
    (line,) = journal.audits()
    assert (line.action, line.actor, line.detail) == ("namespace", "ann", {"from": "shop-eu", "to": "shop-us"})
    assert not namespace.plan(journal, "shop-us", now=NOW).changes


def test_a_rename_needs_a_configured_namespace_and_a_journal(journal: Journal, tmp_path: Path) -> None:
    with pytest.raises(OperationRefused, match="No namespace is configured") as caught:
        namespace.plan(journal, "", now=NOW)
    assert "SEGUE_NAMESPACE" in caught.value.hint
    absent = open_existing(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(JournalAbsent):
        namespace.plan(absent, "shop-us", now=NOW)
    absent.close()


def test_a_rename_with_a_running_worker_is_refused(journal: Journal) -> None:
    WORKERS.of("host-1").write(journal, Heartbeat(), now=NOW)
    with pytest.raises(OperationRefused, match=r"A worker still runs on this journal: host-1\.") as caught:
        namespace.plan(journal, "shop-us", now=NOW)
    assert "Stop Segue" in caught.value.hint
    NAMESPACE.write(journal, JournalNamespace("shop-us"), now=AT)
    assert not namespace.plan(journal, "shop-us", now=NOW).changes


def test_a_worker_runs_if_its_heartbeat_is_younger_than_30_seconds(journal: Journal) -> None:
    WORKERS.of("a").write(journal, Heartbeat(), now=NOW - timedelta(seconds=29))
    WORKERS.of("b").write(journal, Heartbeat(), now=NOW - timedelta(seconds=30))
    assert running_workers(journal, NOW) == ["a"]
