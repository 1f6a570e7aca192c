"""Random concurrent histories of either store are ones that a journal may have, and a bug would be seen."""

from collections.abc import Callable
from typing import Any

import pytest

from faults.history import BUGS, concurrent_histories
from faults.linearizability import faults

pytestmark = pytest.mark.slow

KEY = "k"


@pytest.mark.timeout(240)
def test_concurrent_histories_of_sqlite_with_kills_are_linearizable() -> None:
    report = concurrent_histories(3, seed=20261123)
    assert report.ok, str(report)
    assert report.events > 50
    assert report.tailed > report.events


@pytest.mark.timeout(240)
def test_concurrent_histories_of_postgresql_with_kills_are_linearizable(postgres_url: str) -> None:
    report = concurrent_histories(3, seed=20261123, database=postgres_url)
    assert report.ok, str(report)
    assert report.events > 50
    assert report.tailed > report.events


@pytest.mark.timeout(240)
@pytest.mark.parametrize("bug", BUGS)
def test_a_bug_of_the_journal_is_detected(bug: str) -> None:
    report = concurrent_histories(10, seed=3, bug=bug, processes=2, operations=50, keys=12)
    assert not report.ok, f"{bug} was not seen"


class Written:
    """A history as a test writes it: one operation after another, unless `begin` says otherwise."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.audited: dict[str, list[str]] = {}
        self.now = 0.0

    def add(self, op: str, answer: Any, *, begin: float | None = None, takes: float = 0.01, **arguments: Any) -> None:
        begin = self.now + 0.01 if begin is None else begin
        self.now = max(self.now, begin + takes)
        self.records.append({"id": str(len(self.records)), "op": op, "begin": begin, **arguments})
        if answer is not ...:
            self.records[-1] |= {"end": begin + takes, "answer": answer}

    def append(self, *, new: bool = True, **more: Any) -> None:
        self.add("append", {"new": int(new), "duplicate": int(not new)}, keys=[KEY], **more)

    def claim(self, lease: str, *, attempts: int = 0, edition: int = 0, seq: int = 1, **more: Any) -> None:
        claim = {"seq": seq, "key": KEY, "lease": lease, "attempts": attempts, "edition": edition}
        self.add("claim", [claim], **more)

    def settle(self, lease: str, state: str = "delivered", *, ours: bool = True, attempt: int = 1, **more: Any) -> None:
        claims = [{"seq": 1, "key": KEY, "lease": lease, "state": state, "attempt": attempt}]
        self.add("settle", [1] if ours else [], claims=claims, **more)

    def renew(self, lease: str, *, ours: bool = True) -> None:
        self.add("renew", [1] if ours else [], claims=[{"seq": 1, "key": KEY, "lease": lease}])

    def operate(self, op: str, *, changed: bool = True, as_new: bool = False, **more: Any) -> None:
        operation = f"o{len(self.records)}"
        self.audited[operation] = [KEY] if changed else []
        self.add(op, int(changed), seqs=[1], operation=operation, as_new=as_new, **more)

    def find(self, state: str | None, *, attempts: int = 0, edition: int = 0, **more: Any) -> None:
        row = state and {"seq": 1, "key": KEY, "state": state, "attempts": attempts, "edition": edition}
        self.add("find", row, key=KEY, **more)


def good_life(h: Written) -> None:
    h.find(None)
    h.append()
    h.append(new=False)
    h.claim("a")
    h.renew("a")
    h.settle("a", "pending")
    h.claim("b", attempts=1)
    h.settle("a", ours=False)
    h.settle("b", "dead")
    h.find("dead", attempts=2)
    h.operate("replay", as_new=True)
    h.operate("replay", changed=False)
    h.claim("c", edition=1)
    h.operate("drop")
    h.settle("c", ours=False)
    h.renew("c", ours=False)
    h.find("dropped", edition=1)
    h.operate("drop", changed=False)


def lease_that_ran_out(h: Written) -> None:
    h.append()
    h.claim("a")
    h.claim("b", begin=0.4)
    h.settle("a", ours=False)
    h.settle("b")


def overlapping_appends(h: Written) -> None:
    h.append(new=False, begin=0.0, takes=0.5)
    h.append(begin=0.1, takes=0.1)


def unanswered_settlement_that_was_done(h: Written) -> None:
    h.append()
    h.claim("a")
    h.add("settle", ..., claims=[{"seq": 1, "key": KEY, "lease": "a", "state": "dead", "attempt": 1}])
    h.find("pending")
    h.find("dead", attempts=1)


def unanswered_claim_that_was_done(h: Written) -> None:
    h.append()
    h.add("claim", ...)
    h.claim("b", begin=0.5)


def pruned_and_new(h: Written) -> None:
    h.append()
    h.claim("a")
    h.settle("a")
    h.add("prune", 1)
    h.find(None)
    h.append()
    h.claim("b", seq=2)


@pytest.mark.parametrize(
    "play",
    [
        good_life, lease_that_ran_out, overlapping_appends, unanswered_settlement_that_was_done,
        unanswered_claim_that_was_done, pruned_and_new,
    ],
)  # fmt: skip
def test_what_a_journal_may_do_is_explained(play: Callable[[Written], None]) -> None:
    history = Written()
    play(history)
    assert faults(history.records, history.audited, lease=0.25) == []


def lost(h: Written) -> None:
    h.append()
    h.find(None)


def stored_twice(h: Written) -> None:
    h.append()
    h.append()


def duplicate_of_nothing(h: Written) -> None:
    h.append(new=False)


def claimed_twice_within_a_lease(h: Written) -> None:
    h.append()
    h.claim("a")
    h.claim("b")


def claimed_twice_within_a_renewed_lease(h: Written) -> None:
    h.append()
    h.claim("a")
    h.add("renew", [1], begin=0.2, claims=[{"seq": 1, "key": KEY, "lease": "a"}])
    h.claim("b", begin=0.35)


def settled_by_two_leases(h: Written) -> None:
    h.append()
    h.claim("a")
    h.claim("b", begin=0.4)
    h.settle("b")
    h.settle("a")


def settlement_without_effect(h: Written) -> None:
    h.append()
    h.claim("a")
    h.settle("a", "dead")
    h.find("pending")


def settlement_refused_to_its_holder(h: Written) -> None:
    h.append()
    h.claim("a")
    h.settle("a", ours=False)


def claimed_when_settled(h: Written) -> None:
    h.append()
    h.claim("a")
    h.settle("a")
    h.claim("b", attempts=1)


def replay_of_what_is_pending(h: Written) -> None:
    h.append()
    h.claim("a")
    h.operate("replay")


def replay_that_forgot_the_edition(h: Written) -> None:
    h.append()
    h.claim("a")
    h.settle("a")
    h.operate("replay", as_new=True)
    h.claim("b")


def drop_of_what_is_delivered(h: Written) -> None:
    h.append()
    h.claim("a")
    h.settle("a")
    h.operate("drop")


def replay_that_did_nothing(h: Written) -> None:
    h.append()
    h.claim("a")
    h.settle("a")
    h.find("delivered", attempts=1)
    h.operate("replay", changed=False)


def unanswered_replay_that_the_log_has_and_the_event_has_not(h: Written) -> None:
    h.append()
    h.claim("a")
    h.settle("a")
    h.audited["o"] = [KEY]
    h.add("replay", ..., seqs=[1], operation="o", as_new=False)
    h.find("delivered", attempts=1, begin=9.0)
    h.find("pending", begin=8.0)


def pruned_while_pending(h: Written) -> None:
    h.append()
    h.add("prune", 1)
    h.find(None)


def one_event_under_two_numbers(h: Written) -> None:
    h.append()
    h.claim("a")
    h.claim("b", seq=2, begin=0.5)


@pytest.mark.parametrize(
    "play",
    [
        lost, stored_twice, duplicate_of_nothing, claimed_twice_within_a_lease, claimed_twice_within_a_renewed_lease,
        settled_by_two_leases, settlement_without_effect, settlement_refused_to_its_holder, claimed_when_settled,
        replay_of_what_is_pending, replay_that_forgot_the_edition, drop_of_what_is_delivered, replay_that_did_nothing,
        unanswered_replay_that_the_log_has_and_the_event_has_not, pruned_while_pending, one_event_under_two_numbers,
    ],
)  # fmt: skip
def test_what_a_journal_may_not_do_is_not_explained(play: Callable[[Written], None]) -> None:
    history = Written()
    play(history)
    (fault,) = faults(history.records, history.audited, lease=0.25)
    assert fault.startswith("k:\n")
    assert "none of these can be next" in fault
