"""Pages of the audit log: newest first, of one event, and since a time."""

from datetime import timedelta

import pytest

from support.changes import NOW, seqs
from webhooks.errors import EventNotFound
from webhooks.journal import AuditContext, Journal
from webhooks.operations import audit_log
from webhooks.operations.audit_log import AuditPage, AuditRequest


@pytest.fixture
def audited(filled: Journal) -> Journal:
    """Three lines, an hour apart: a drop of e5 and e6, a replay of e5, and a prune."""
    hour = timedelta(hours=1)
    filled.drop(seqs(filled, "e5", "e6"), by=AuditContext(actor="ann", reason="first"), now=NOW)
    filled.replay(seqs(filled, "e5"), by=AuditContext(actor="bob", reason="second"), now=NOW + hour)
    filled.audit("prune", {}, by=AuditContext(actor="cleo", reason="third"), now=NOW + 2 * hour)
    return filled


def reasons(page: AuditPage) -> list[str]:
    return [line.reason for line in page.lines]


def test_pages_go_back_in_time_until_the_last_one(audited: Journal) -> None:
    first = audit_log.page(audited, AuditRequest(limit=2))
    assert (reasons(first), first.next) == (["third", "second"], first.lines[-1].id)
    rest = audit_log.page(audited, AuditRequest(limit=2, before=first.next))
    assert (reasons(rest), rest.next) == (["first"], 0)
    whole = audit_log.page(audited, AuditRequest(limit=3))
    assert (len(whole.lines), whole.next) == (3, 0)


def test_lines_about_an_event_are_found_by_number_key_or_source_and_key(audited: Journal) -> None:
    (seq,) = seqs(audited, "e6")
    for event in (str(seq), "e6", "shop/e6"):
        assert reasons(audit_log.page(audited, AuditRequest(event=event))) == ["first"]
    assert reasons(audit_log.page(audited, AuditRequest(event="e5"))) == ["second", "first"]
    with pytest.raises(EventNotFound):
        audit_log.page(audited, AuditRequest(event="e99"))
    assert reasons(audit_log.page(audited, AuditRequest(event="shop/pruned"))) == []


def test_lines_since_a_time_include_that_time(audited: Journal) -> None:
    assert reasons(audit_log.page(audited, AuditRequest(since=NOW + timedelta(hours=1)))) == ["third", "second"]
    assert reasons(audit_log.page(audited, AuditRequest(since=NOW + timedelta(hours=3)))) == []
