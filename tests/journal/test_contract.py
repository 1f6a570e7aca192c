"""The contract of every journal."""

import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from support.events import MINUTE, NOW, event
from webhooks.errors import JournalError, JournalUnavailable
from webhooks.journal import AppendResult, Claim, Journal, Settlement, State

LEASE = timedelta(seconds=60)


def claim(journal: Journal, limit: int = 100, *, worker: str = "w", now: object = NOW) -> list[Claim]:
    return journal.claim(limit, worker=worker, now=now, lease=LEASE)  # type: ignore[arg-type]


def states(journal: Journal) -> dict[str, State]:
    return {row.event.id: row.state for row in journal.rows(limit=10_000)}


def test_a_stored_event_is_read_back_unchanged(journal: Journal) -> None:
    appended = event("k", raw=b"\x00\xff exact \n bytes", clock="record", trust="authenticated", type="t\u00e9")
    assert journal.append([appended], now=NOW) == AppendResult(1, 0)
    row = journal.find("acme", "k")
    assert row is not None
    assert row.event == appended
    assert (row.state, row.attempts, row.settled_at, row.reason) == (State.PENDING, 0, None, "")
    assert journal.find("acme", "nothing") is None


def test_a_repeated_key_is_a_duplicate_and_changes_nothing(journal: Journal) -> None:
    assert journal.append([event("a"), event("a", raw=b"other"), event("b")], now=NOW) == AppendResult(2, 1)
    assert journal.append([event("a", raw=b"third")], now=NOW) == AppendResult(0, 1)
    assert journal.append([event("a", source="other")], now=NOW) == AppendResult(1, 0)
    assert journal.append([], now=NOW) == AppendResult(0, 0)
    row = journal.find("acme", "a")
    assert row is not None
    assert row.event.raw == event("a").raw


def test_an_event_with_a_problem_is_dead_at_once_and_never_claimed(journal: Journal) -> None:
    journal.append([event("bad", problem="$.id is missing"), event("good")], now=NOW)
    assert [leased.event.id for leased in claim(journal)] == ["good"]
    row = journal.find("acme", "bad")
    assert row is not None
    assert (row.state, row.reason, row.settled_at) == (State.DEAD, "$.id is missing", NOW)


def test_claims_are_oldest_first_and_for_one_worker_only(journal: Journal) -> None:
    journal.append([event(str(number)) for number in range(5)], now=NOW)
    first, second = claim(journal, 3, worker="a"), claim(journal, 3, worker="b")
    assert [leased.event.id for leased in first + second] == ["0", "1", "2", "3", "4"]
    assert claim(journal) == []


def test_an_expired_lease_is_claimed_again_and_its_first_worker_cannot_settle(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    (lost,) = claim(journal, worker="slow")
    later = NOW + LEASE
    (taken,) = claim(journal, worker="quick", now=later)
    assert journal.settle([Settlement(claim=lost, state=State.DEAD)], now=later) == set()
    assert journal.renew([lost], now=later, lease=LEASE) == set()
    assert journal.settle([Settlement(claim=taken, state=State.DELIVERED)], now=later) == {taken.seq}
    assert states(journal) == {"a": State.DELIVERED}


def test_a_renewed_lease_does_not_expire(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    claims = claim(journal)
    assert journal.renew(claims, now=NOW + MINUTE / 2, lease=LEASE) == {claims[0].seq}
    assert claim(journal, now=NOW + LEASE) == []
    assert len(claim(journal, now=NOW + LEASE + MINUTE)) == 1


def test_a_late_settlement_counts_if_no_other_worker_claimed_the_event(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    (late,) = claim(journal)
    assert journal.settle([Settlement(claim=late, state=State.DELIVERED)], now=NOW + 10 * LEASE) == {late.seq}


def test_an_event_returned_to_the_queue_is_due_later_and_counts_its_attempts(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    (one,) = claim(journal)
    journal.settle([Settlement(claim=one, state=State.PENDING, due_at=NOW + MINUTE, reason="503")], now=NOW)
    assert claim(journal) == []
    (two,) = claim(journal, now=NOW + MINUTE)
    assert two.attempts == 1
    journal.settle([Settlement(claim=two, state=State.PENDING, attempt=False)], now=NOW + MINUTE)
    (three,) = claim(journal, now=NOW + MINUTE)
    assert three.attempts == 1
    row = journal.find("acme", "a")
    assert row is not None
    assert row.settled_at is None


def test_settled_events_are_pruned_by_age_and_state_and_pending_ones_never(journal: Journal) -> None:
    journal.append([event(str(number)) for number in range(4)], now=NOW)
    ends = [State.DELIVERED, State.IGNORED, State.DEAD]
    journal.settle([Settlement(claim=c, state=s) for c, s in zip(claim(journal, 3), ends, strict=True)], now=NOW)
    ages = {State.DELIVERED: MINUTE, State.IGNORED: 3 * MINUTE, State.PENDING: timedelta(0)}
    assert journal.prune(ages, now=NOW + MINUTE) == 0
    assert journal.prune(ages, now=NOW + 2 * MINUTE) == 1
    assert states(journal) == {"1": State.IGNORED, "2": State.DEAD, "3": State.PENDING}
    assert journal.prune(ages, now=NOW + 9999 * MINUTE, limit=1) == 1
    assert states(journal) == {"2": State.DEAD, "3": State.PENDING}


def test_the_census_counts_by_state_source_and_unsupported_type(journal: Journal) -> None:
    journal.append([event("a"), event("b", source="other", type="odd"), event("c", received_at=NOW + MINUTE)], now=NOW)
    odd = next(leased for leased in claim(journal) if leased.event.id == "b")
    journal.settle([Settlement(claim=odd, state=State.UNSUPPORTED, reason="unknown")], now=NOW)
    census = journal.census()
    assert census.by_state == {State.PENDING: 2, State.UNSUPPORTED: 1}
    assert census.by_source == {"acme": {State.PENDING: 2}, "other": {State.UNSUPPORTED: 1}}
    assert census.oldest_pending == NOW
    assert census.unsupported_types == {("other", "odd"): 1}
    assert census.size_bytes > 0


def test_a_token_keeps_its_first_value_until_it_expires(journal: Journal) -> None:
    def note(value: str, minutes: int) -> str:
        at = NOW + minutes * MINUTE
        return journal.remember("acme", "t", value, now=at, until=at + 5 * MINUTE)

    assert [note("one", 0), note("two", 1), note("three", 5)] == ["one", "one", "three"]
    journal.prune({}, now=NOW + 99 * MINUTE)
    assert note("four", 99) == "four"


def test_a_note_replaces_the_one_before(journal: Journal) -> None:
    journal.note("worker:1", {"sent": 1}, now=NOW)
    journal.note("worker:1", {"sent": 2}, now=NOW + MINUTE)
    assert journal.notes() == {"worker:1": (NOW + MINUTE, {"sent": 2})}


def test_check_proves_that_it_can_store(journal: Journal) -> None:
    journal.check()
    assert "readiness" in journal.notes()


@pytest.mark.parametrize("wrong", [{"raw": "text"}, {"type": "\ud800"}, {"id": "\ud800"}, {"source": {}}])
def test_an_event_that_cannot_be_stored_fails_its_whole_call_and_no_other(
    journal: Journal, wrong: dict[str, Any]
) -> None:
    with pytest.raises(JournalError, match="cannot be stored") as caught:
        journal.append([event("beside"), event(**{"id": "wrong"} | wrong)], now=NOW)
    assert not isinstance(caught.value, JournalUnavailable)
    assert journal.rows() == []
    assert journal.append([event("a")], now=NOW) == AppendResult(1, 0)


def test_one_bad_event_fails_no_other_event_of_its_group_commit(journal: Journal) -> None:
    outcomes: dict[int, object] = {}
    start = threading.Barrier(24)

    def append(number: int) -> None:
        bad = {"raw": "text"} if number % 4 == 0 else {}
        start.wait(10)
        try:
            outcomes[number] = journal.append([event(str(number), **bad)], now=NOW)
        except JournalError as error:
            outcomes[number] = type(error)

    threads = [threading.Thread(target=append, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert outcomes == {number: JournalError if number % 4 == 0 else AppendResult(1, 0) for number in range(24)}
    assert {row.event.id for row in journal.rows()} == {str(number) for number in range(24) if number % 4}


def test_stats_count_commits(journal: Journal) -> None:
    before = journal.stats.commits
    journal.append([event("a"), event("a")], now=NOW)
    journal.append([event("b")], now=NOW)
    journal.note("n", {}, now=NOW)
    stats = journal.stats
    assert (stats.commits - before, stats.groups, stats.events) == (3, 2, 3)
    assert stats.last_commit_seconds > 0


def test_the_census_has_the_oldest_pending_event_of_each_source(journal: Journal) -> None:
    received = [NOW - number * MINUTE for number in range(4)]
    journal.append([event("a", received_at=received[3]), event("b", received_at=received[1])], now=NOW)
    journal.append(
        [event("c", source="other", received_at=received[2]), event("d", source="third", problem="x")], now=NOW
    )
    assert journal.census().oldest_by_source == {"acme": received[3], "other": received[2]}
    first = next(leased for leased in claim(journal) if leased.event.id == "a")
    journal.settle([Settlement(claim=first, state=State.DELIVERED)], now=NOW)
    assert journal.census().oldest_by_source == {"acme": received[1], "other": received[2]}


def test_tallies_add_up_and_marks_only_rise(journal: Journal) -> None:
    assert journal.tallies() == {}
    journal.tally({"received": 2, "seconds": 0.25}, marks={"last": 10})
    journal.tally({"received": 3}, marks={"last": 7, "other": 1})
    journal.tally({})
    assert journal.tallies() == {"received": 5, "seconds": 0.25, "last": 10, "other": 1}


def test_concurrent_tallies_lose_nothing(journal: Journal) -> None:
    def add() -> None:
        for _ in range(20):
            journal.tally({"a": 1, "b": 2})

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert journal.tallies() == {"a": 80, "b": 160}


def test_each_group_commit_adds_a_sample_of_its_size_and_time(journal: Journal) -> None:
    journal.append([event("a"), event("b")], now=NOW)
    journal.append([event("c")], now=NOW)
    samples = list(journal.stats.samples)
    assert [events for events, _ in samples] == [2, 1]
    assert all(seconds > 0 for _, seconds in samples)


def test_nothing_to_settle_settles_nothing(journal: Journal) -> None:
    assert journal.settle([], now=NOW) == set()
    assert journal.renew([], now=NOW, lease=LEASE) == set()


def test_a_watch_wakes_the_worker_when_events_are_stored(journal: Journal) -> None:
    woken = threading.Event()
    unwatch = journal.watch(woken.set)
    assert woken.wait(30), "for events stored before it"
    woken.clear()
    journal.append([event("a")], now=NOW)
    assert woken.wait(30)
    unwatch()


def test_a_row_that_cannot_be_stored_is_loaded_by_no_store(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    (row,) = journal.rows()
    bad = replace(row, event=replace(row.event, id="b", raw="text"))  # type: ignore[arg-type]
    with pytest.raises(JournalError, match="cannot be stored"):
        journal.load([bad])
    assert journal.load([]) == AppendResult(0, 0)
    assert journal.count() == 1


def test_only_the_notes_of_workers_that_stopped_long_ago_are_pruned(journal: Journal) -> None:
    for name in ("worker:gone", "hold:wk"):
        journal.note(name, {}, now=NOW)
    journal.note("worker:alive", {}, now=NOW + 2 * MINUTE)
    journal.prune({}, now=NOW + timedelta(days=7) + MINUTE)
    assert journal.notes().keys() == {"hold:wk", "worker:alive"}


def test_a_source_with_a_large_backlog_takes_no_more_than_its_share_of_a_claim(journal: Journal) -> None:
    journal.append([event(str(number), source="large") for number in range(500)], now=NOW)
    journal.append([event(str(number), source=source) for source in ("b", "c") for number in range(3)], now=NOW)
    claims = journal.claim(100, worker="w", now=NOW, lease=timedelta(minutes=1))
    assert len(claims) == 100, "what the others leave is filled up"
    assert Counter(claim.event.source for claim in claims) == {"large": 94, "b": 3, "c": 3}
    assert [claim.seq for claim in claims] == sorted(claim.seq for claim in claims)
    large = [claim.event.id for claim in claims if claim.event.source == "large"]
    assert large == [str(number) for number in range(94)], "of each source the oldest"


def test_claims_smaller_than_the_number_of_sources_reach_every_source(journal: Journal) -> None:
    journal.append([event(str(number), source=source) for source in "abcdef" for number in range(60)], now=NOW)
    seen: Counter[str] = Counter()
    for _ in range(60):
        claims = journal.claim(2, worker="w", now=NOW, lease=timedelta(minutes=1))
        seen.update(claim.event.source for claim in claims)
        journal.settle([Settlement(claim=claim, state=State.DELIVERED) for claim in claims], now=NOW)
    assert sum(seen.values()) == 120
    assert set(seen) == set("abcdef")
