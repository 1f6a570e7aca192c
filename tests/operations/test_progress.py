"""Progress of an operation, its steps, and its entry in the audit log."""

from support.changes import Reports
from webhooks.operations.progress import Progress, audit_context, begin_phase, ignore_progress, steps


def test_a_phase_reports_its_beginning_and_the_sum_of_its_steps() -> None:
    reports = Reports()
    advance = begin_phase(reports, "copying", 5)
    advance(3)
    advance(2)
    assert reports.list == [Progress("copying", 0, 5), Progress("copying", 3, 5), Progress("copying", 5, 5)]
    begin_phase(ignore_progress, "copying", 1)(1)


def test_steps_have_the_given_size_or_500_events() -> None:
    assert list(steps([1, 2, 3], 2)) == [[1, 2], [3]]
    assert [len(step) for step in steps(range(1001))] == [500, 500, 1]
    assert list(steps([])) == []


def test_each_audit_context_is_an_operation_of_its_own() -> None:
    one, other = audit_context("ann", "a reason"), audit_context("ann", "a reason")
    assert (one.actor, one.reason, len(one.operation)) == ("ann", "a reason", 12)
    assert one.operation != other.operation
