"""The operator's methods of every journal: filters, replay, drop, load, and the audit log."""

import threading
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from support.events import MINUTE, NOW, event
from webhooks.errors import JournalError
from webhooks.journal import (
    HISTORY,
    AppendResult,
    Attempt,
    AuditContext,
    ChangeResult,
    Claim,
    Filter,
    Journal,
    Row,
    Settlement,
    State,
)

LEASE = timedelta(seconds=60)
BY = AuditContext(actor="ann@desk", reason="the plan was corrected", operation="op-1")


def claim(journal: Journal, *, now: Any = NOW, worker: str = "w") -> dict[str, Claim]:
    return {leased.event.id: leased for leased in journal.claim(100, worker=worker, now=now, lease=LEASE)}


def settle(journal: Journal, claimed: Claim, state: State, reason: str = "", *, now: Any = NOW, **more: Any) -> None:
    settlement = Settlement(claim=claimed, state=state, reason=reason, **more)
    assert journal.settle([settlement], now=now) == {claimed.seq}


def in_every_state(journal: Journal) -> dict[str, int]:
    """Store one event of each state, with the state as its key; return their seqs."""
    journal.append([event(state.value) for state in State], now=NOW)
    claims = claim(journal)
    for state in State:
        if state not in {State.PENDING, State.DROPPED}:
            settle(journal, claims[state.value], state, f"why {state.value}")
        elif state is State.PENDING:
            settle(journal, claims[state.value], state, attempt=False)
    seqs = {row.event.id: row.seq for row in journal.rows()}
    journal.drop([seqs["dropped"]], by=BY, now=NOW)
    return seqs


def keys(rows: list[Row]) -> list[str]:
    return [row.event.id for row in rows]


def row(journal: Journal, key: str) -> Row:
    stored = journal.find("acme", key)
    assert stored is not None
    return stored


# filters


@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ({}, "abcde"),
        ({"states": (State.DEAD,)}, "c"),
        ({"states": (State.DEAD, State.PENDING)}, "abcde"),
        ({"states": (State.DELIVERED,)}, ""),
        ({"sources": ("other",)}, "b"),
        ({"sources": ("ac*", "nothing")}, "acde"),
        ({"types": ("invoice.*",)}, "de"),
        ({"types": ("*.paid", "odd[a?]")}, "bd"),
        ({"types": ("invoice",)}, ""),
        ({"types": ("*",)}, "abcde"),
        ({"types": ("INVOICE.*",)}, ""),
        ({"types": ("inv_ice.paid", "invoice%", "odd[?a]", "oddx")}, ""),
        ({"keys": ("a", "e", "nothing")}, "ae"),
        ({"seqs": ()}, ""),
        ({"received_since": NOW + MINUTE}, "cde"),
        ({"received_until": NOW + MINUTE}, "ab"),
        ({"received_since": NOW + MINUTE, "received_until": NOW + 2 * MINUTE}, "c"),
        ({"occurred_since": NOW}, "e"),
        ({"occurred_until": NOW}, "abcd"),
        ({"settled_since": NOW}, "c"),
        ({"settled_until": NOW}, ""),
        ({"settled_until": NOW + MINUTE}, "c"),
        ({"text": "jane"}, "d"),
        ({"text": "JANE@EXAMPLE.COM"}, "d"),
        ({"text": "$.id is miss"}, "c"),
        ({"text": "café"}, "de"),
        ({"text": 'say "hi"'}, "e"),
        ({"text": "%"}, ""),
        ({"text": "a", "types": ("invoice.*",), "states": (State.PENDING,)}, "de"),
        ({"text": "nowhere"}, ""),
    ],
)
def test_a_filter_selects_the_same_events_in_every_method(
    journal: Journal, chosen: dict[str, Any], expected: str
) -> None:
    journal.append(
        [
            event("a"),
            event("b", source="other", type="odd[a?]"),
            event("c", problem="$.id is missing", received_at=NOW + MINUTE),
            event(
                "d",
                type="invoice.paid",
                received_at=NOW + 2 * MINUTE,
                raw=b'{"email": "Jane@example.com", "at": "caf\\u00e9"}',
            ),
            event(
                "e",
                type="invoice.sent",
                received_at=NOW + 3 * MINUTE,
                occurred_at=NOW,
                raw='{"at": "café", "say \\"hi\\"": 1}'.encode(),
            ),
        ],
        now=NOW,
    )
    filter = Filter(**chosen)
    assert "".join(keys(journal.rows(filter))) == expected
    assert "".join(keys(journal.rows(filter, newest_first=True))) == expected[::-1]
    assert journal.count(filter) == len(expected)
    named = [journal.get(seq) for seq in journal.seqs(filter)]
    assert "".join(row.event.id for row in named if row) == expected
    assert sum(group.count for group in journal.event_groups(filter)) == len(expected)


def test_get_returns_an_event_by_its_seq(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    assert journal.get(row(journal, "a").seq) == row(journal, "a")
    assert journal.get(10**9) is None


def test_a_filter_of_seqs_selects_exactly_these_events(journal: Journal) -> None:
    journal.append([event(name) for name in "abc"], now=NOW)
    seqs = journal.seqs()
    assert keys(journal.rows(Filter(seqs=(seqs[2], seqs[0], 10**9)))) == ["a", "c"]
    assert journal.count(Filter(seqs=tuple(seqs[:2]), keys=("b",))) == 1


@pytest.mark.parametrize("text", ["", "o"])
def test_rows_are_paged_by_their_cursors_both_ways(journal: Journal, text: str) -> None:
    journal.append([event(str(number), problem="no") for number in range(7)], now=NOW)
    for newest_first in (False, True):
        seen: list[str] = []
        after = ""
        while page := journal.rows(Filter(text=text), after=after, limit=3, newest_first=newest_first):
            assert len(page) <= 3
            seen += keys(page)
            after = page[-1].cursor
        assert seen == sorted(map(str, range(7)), reverse=newest_first)


def test_the_end_cursor_is_after_all_events_and_before_all_new_ones(journal: Journal) -> None:
    start = journal.end()
    assert start
    assert journal.rows(after=start) == []
    journal.append([event("a"), event("b", problem="x")], now=NOW)
    assert keys(journal.rows(after=start)) == ["a", "b"]
    end = journal.end()
    assert journal.rows(after=end) == []
    journal.prune({State.DEAD: MINUTE}, now=NOW + 99 * MINUTE)
    assert journal.rows(after=journal.end()) == []
    journal.append([event("c")], now=NOW)
    assert keys(journal.rows(after=end)) == ["c"]


@pytest.mark.parametrize("cursor", ["x", "-1", "1.5", "\uff19", "9" * 40, "DROP TABLE events"])
def test_an_invalid_cursor_is_refused(journal: Journal, cursor: str) -> None:
    with pytest.raises(JournalError, match="no cursor of this journal"):
        journal.rows(after=cursor)


def test_a_reader_behind_a_cursor_gets_each_event_once_during_concurrent_writes(journal: Journal) -> None:
    def write(writer: int) -> None:
        for number in range(25):
            journal.append([event(f"{writer}-{number}-{part}") for part in range(2)], now=NOW)

    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(4)]
    for thread in threads:
        thread.start()
    seen: list[str] = []
    after, writing = "", True
    while True:
        page = journal.rows(after=after, limit=7)
        seen += keys(page)
        after = page[-1].cursor if page else after
        if not writing and not page:
            break
        writing = any(thread.is_alive() for thread in threads)
    for thread in threads:
        thread.join(20)
    assert len(seen) == len(set(seen)) == 200


def test_event_groups_count_events_by_source_type_state_and_reason(journal: Journal) -> None:
    journal.append([event("a"), event("b", received_at=NOW + MINUTE)], now=NOW)
    journal.append([event("c", problem="x"), event("d", source="other", received_at=NOW + 2 * MINUTE)], now=NOW)
    groups = [
        (group.source, group.type, group.state, group.reason, group.count, group.first_received, group.last_received)
        for group in journal.event_groups()
    ]
    assert sorted(groups) == [
        ("acme", "thing.done", "dead", "x", 1, NOW, NOW),
        ("acme", "thing.done", "pending", "", 2, NOW, NOW + MINUTE),
        ("other", "thing.done", "pending", "", 1, NOW + 2 * MINUTE, NOW + 2 * MINUTE),
    ]
    assert {group.latest for group in journal.event_groups(Filter(sources=("acme",)))} == {
        row(journal, "b").seq,
        row(journal, "c").seq,
    }


# history


def test_a_success_at_the_first_try_adds_no_history(journal: Journal) -> None:
    journal.append([event(name) for name in "abcd"], now=NOW)
    claims = claim(journal)
    for name, state in zip("abc", [State.DELIVERED, State.IGNORED, State.UNSUPPORTED], strict=True):
        settle(journal, claims[name], state, "because")
    settle(journal, claims["d"], State.PENDING, "shutdown", attempt=False)
    assert [row_.history for row_ in journal.rows()] == [()] * 4


def test_each_other_try_is_kept_with_its_worker_and_outcome(journal: Journal) -> None:
    journal.append([event("a"), event("b")], now=NOW)
    claims = claim(journal, worker="one")
    settle(journal, claims["a"], State.PENDING, "503", due_at=NOW + MINUTE)
    settle(journal, claims["b"], State.DEAD, "refused")
    again = claim(journal, worker="two", now=NOW + MINUTE)["a"]
    settle(journal, again, State.DELIVERED, now=NOW + MINUTE)
    assert row(journal, "a").history == (
        Attempt(NOW, "one", "pending", "503"),
        Attempt(NOW + MINUTE, "two", "delivered", ""),
    )
    assert row(journal, "b").history == (Attempt(NOW, "one", "dead", "refused"),)


def test_the_history_keeps_the_last_entries_and_short_reasons(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    for number in range(HISTORY + 5):
        settle(journal, claim(journal)["a"], State.PENDING, f"{number} " + "x" * 1000)
    kept = row(journal, "a").history
    assert [entry.reason.partition(" ")[0] for entry in kept] == [str(number) for number in range(5, HISTORY + 5)]
    assert {len(entry.reason) for entry in kept} == {500}
    assert len(row(journal, "a").reason) > 1000
    settle(journal, claim(journal)["a"], State.DELIVERED)
    journal.replay([row(journal, "a").seq], by=BY, now=NOW)
    journal.drop([row(journal, "a").seq], by=BY, now=NOW)
    assert [entry.outcome for entry in row(journal, "a").history[-3:]] == ["delivered", "replayed", "dropped"]
    assert len(row(journal, "a").history) == HISTORY


@pytest.mark.parametrize("reason", ["a lone \ud800 surrogate", "a \0 zero", "\U0001f600 é"])
def test_a_reason_may_contain_any_text(journal: Journal, reason: str) -> None:
    journal.append([event("a")], now=NOW)
    settle(journal, claim(journal)["a"], State.DEAD, reason)
    kept = row(journal, "a")
    assert kept.reason.split()[-1] == reason.split()[-1]
    assert kept.history[0].reason == kept.reason


# replay and drop


def test_a_replay_makes_settled_events_pending_and_keeps_pending_ones(journal: Journal) -> None:
    seqs = in_every_state(journal)
    later = NOW + MINUTE / 2
    assert journal.replay([*seqs.values(), seqs["dead"], 10**9], by=BY, now=later) == ChangeResult(5, 2)
    rows = journal.rows()
    assert {(row_.state, row_.attempts, row_.settled_at, row_.reason) for row_ in rows} == {
        (State.PENDING, 0, None, "")
    }
    assert {row_.replay_generation for row_ in rows} == {0}
    assert {row_.event.id: row_.history[-1].reason for row_ in rows if row_.history} == {
        state.value: f"was {state.value}: the plan was corrected" for state in State if state is not State.PENDING
    }
    assert {row_.history[-1].actor for row_ in rows if row_.history} == {"ann@desk"}
    assert {row_.history[-1].at for row_ in rows if row_.history} == {later}
    assert claim(journal, now=NOW).keys() == {"pending"}
    assert claim(journal, now=later).keys() == {state.value for state in State} - {"pending"}


def test_a_replay_as_new_increments_the_replay_generation_of_a_claim(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    assert claim(journal)["a"].replay_generation == 0
    settle(journal, claim(journal, now=NOW + LEASE)["a"], State.DELIVERED)
    for edition in (1, 2):
        journal.replay([row(journal, "a").seq], by=BY, as_new=True, now=NOW)
        assert row(journal, "a").replay_generation == edition
        claimed = claim(journal)["a"]
        assert claimed.replay_generation == edition
        settle(journal, claimed, State.DELIVERED)
    journal.replay([row(journal, "a").seq], by=BY, now=NOW)
    assert row(journal, "a").replay_generation == 2


@pytest.mark.parametrize("minutes", [1, 300])
def test_a_replay_may_be_due_later(journal: Journal, minutes: int) -> None:
    journal.append([event("a", problem="x")], now=NOW)
    journal.replay(journal.seqs(), by=BY, now=NOW, due_at=NOW + minutes * MINUTE)
    assert row(journal, "a").history[-1].at == NOW
    assert claim(journal, now=NOW + (minutes - 0.5) * MINUTE) == {}
    assert claim(journal, now=NOW + minutes * MINUTE).keys() == {"a"}


def test_a_replay_sets_attempts_to_zero(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    settle(journal, claim(journal)["a"], State.PENDING, "503")
    settle(journal, claim(journal)["a"], State.DEAD, "400")
    journal.replay([row(journal, "a").seq], by=BY, now=NOW)
    assert claim(journal)["a"].attempts == 0
    assert [entry.outcome for entry in row(journal, "a").history] == ["pending", "dead", "replayed"]


def test_a_drop_changes_events_that_are_not_delivered(journal: Journal) -> None:
    seqs = in_every_state(journal)
    later = NOW + MINUTE
    assert journal.drop([*seqs.values(), 10**9], by=BY, now=later) == ChangeResult(4, 3)
    states = {row_.event.id: row_.state for row_ in journal.rows()}
    assert states.pop("delivered") is State.DELIVERED
    assert set(states.values()) == {State.DROPPED}
    dropped = row(journal, "dead")
    assert (dropped.reason, dropped.settled_at, dropped.leased_until) == ("the plan was corrected", later, None)
    assert dropped.history[-1] == Attempt(later, "ann@desk", "dropped", "was dead: the plan was corrected")
    assert claim(journal, now=NOW + 99 * MINUTE) == {}


def test_a_worker_loses_its_lease_on_a_dropped_event(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    claimed = claim(journal)["a"]
    assert journal.drop([claimed.seq], by=BY, now=NOW) == ChangeResult(1, 0)
    assert journal.renew([claimed], now=NOW, lease=LEASE) == set()
    assert journal.settle([Settlement(claim=claimed, state=State.DELIVERED)], now=NOW) == set()
    assert row(journal, "a").state is State.DROPPED
    journal.replay([claimed.seq], by=BY, now=NOW)
    assert journal.settle([Settlement(claim=claimed, state=State.DELIVERED)], now=NOW) == set()


def test_a_dropped_event_makes_a_retry_a_duplicate_until_it_is_pruned(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    journal.drop(journal.seqs(), by=BY, now=NOW)
    assert journal.append([event("a")], now=NOW) == AppendResult(0, 1)
    assert journal.census().by_state == {State.DROPPED: 1}
    assert journal.prune({State.DROPPED: MINUTE}, now=NOW + 2 * MINUTE) == 1


def test_a_change_of_no_event_is_not_audited(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    assert journal.replay([], by=BY, now=NOW) == ChangeResult(0, 0)
    assert journal.replay(journal.seqs(), by=BY, now=NOW) == ChangeResult(0, 1)
    assert journal.drop([10**9], by=BY, now=NOW) == ChangeResult(0, 1)
    assert journal.audits() == []


# the audit log


def test_the_audit_log_has_actor_action_events_and_reason(journal: Journal) -> None:
    seqs = in_every_state(journal)
    journal.replay([seqs["dead"], seqs["delivered"]], by=BY, as_new=True, now=NOW + MINUTE)
    journal.audit("prune", {"older_than": "72h"}, by=AuditContext(actor="bob", reason="disk"), now=NOW + 2 * MINUTE)
    pruned, replayed, dropped = journal.audits()
    assert (pruned.actor, pruned.action, pruned.reason, pruned.operation) == ("bob", "prune", "disk", "")
    assert (pruned.at, pruned.events, pruned.detail) == (NOW + 2 * MINUTE, (), {"older_than": "72h"})
    assert (replayed.actor, replayed.action, replayed.operation) == ("ann@desk", "replay", "op-1")
    assert (replayed.events, replayed.detail) == (("acme/delivered", "acme/dead"), {"as_new": True})
    assert (dropped.action, dropped.events, dropped.reason) == ("drop", ("acme/dropped",), "the plan was corrected")


def test_the_audit_log_is_paged_newest_first_and_filtered_by_event(journal: Journal) -> None:
    journal.append([event(str(number), problem="x") for number in range(3)], now=NOW)
    for seq in journal.seqs():
        journal.replay([seq], by=BY, now=NOW)
    lines = journal.audits(limit=2)
    assert [line.events for line in lines] == [("acme/2",), ("acme/1",)]
    assert [line.events for line in journal.audits(before=lines[-1].id)] == [("acme/0",)]
    assert [line.events for line in journal.audits(event=("acme", "1"))] == [("acme/1",)]
    assert journal.audits(event=("other", "1")) == []


# load


def test_rows_are_loaded_unchanged_in_their_order(journal: Journal) -> None:
    in_every_state(journal)
    settle(journal, claim(journal)["pending"], State.PENDING, "503", due_at=NOW + 9 * MINUTE)
    journal.replay([row(journal, "dead").seq], by=BY, as_new=True, now=NOW)
    (held,) = claim(journal).values()
    assert held.event.id == "dead"
    before = journal.rows()
    moved = [replace(row_, event=replace(row_.event, source="elsewhere")) for row_ in reversed(before)]
    assert journal.load(moved) == AppendResult(6, 0)
    assert journal.load([*moved, before[0]]) == AppendResult(0, 7)
    loaded = journal.rows(Filter(sources=("elsewhere",)))
    assert [
        replace(row_, seq=0, cursor="", leased_until=None, due_at=row_.due_at if row_.state is State.PENDING else None)
        for row_ in moved
    ] == [
        replace(row_, seq=0, cursor="", due_at=row_.due_at if row_.state is State.PENDING else None) for row_ in loaded
    ]
    assert [left < right for left, right in pairwise(row_.seq for row_ in loaded)] == [True] * 5
    taken = journal.claim(9, worker="w", now=NOW, lease=LEASE)
    assert [(row_.event.source, row_.replay_generation) for row_ in taken] == [("elsewhere", 1)]


def test_a_loaded_row_without_times_is_due_when_it_was_received(journal: Journal) -> None:
    bare = Row(
        seq=0, event=event("a"), state=State.PENDING, attempts=0, due_at=None, leased_until=None, settled_at=None,
        reason="",
    )  # fmt: skip
    assert journal.load([bare]) == AppendResult(1, 0)
    assert claim(journal).keys() == {"a"}
    assert journal.load([]) == AppendResult(0, 0)


def test_a_row_that_cannot_be_stored_stores_none_of_its_call(journal: Journal) -> None:
    journal.append([event("a")], now=NOW)
    good = row(journal, "a")
    rows = [replace(good, event=event("b")), replace(good, event=event("c", raw="text"))]
    with pytest.raises(JournalError, match="cannot be stored"):
        journal.load(rows)
    assert keys(journal.rows()) == ["a"]


# searching for a text


@pytest.mark.parametrize("newest_first", [False, True])
def test_a_search_examines_a_limited_number_of_events_and_returns_the_next_cursor(
    journal: Journal, newest_first: bool
) -> None:
    held = {3, 4, 11}
    journal.append(
        [event(str(number), raw=b'{"who":"Jane"}' if number in held else b'{"id":"x"}', received_at=NOW + number * MINUTE)
         for number in range(20)],
        now=NOW,
    )  # fmt: skip
    matches: list[str] = []
    searched: list[int] = []
    after = ""
    while True:
        page = journal.search(Filter(text="jane"), after=after, limit=10, newest_first=newest_first, max_searched=8)
        matches += keys(list(page.rows))
        searched.append(page.searched)
        last = 20 - sum(searched) if newest_first else sum(searched) - 1
        assert page.searched_to == NOW + last * MINUTE
        if not page.next:
            break
        after = page.next
    assert searched == [8, 8, 4]
    assert matches == sorted(map(str, held), key=int, reverse=newest_first)


def test_a_search_with_a_full_page_continues_after_its_last_event(journal: Journal) -> None:
    journal.append([event(str(number), problem="no") for number in range(5)], now=NOW)
    first = journal.search(Filter(text="NO"), limit=2)
    assert (keys(list(first.rows)), first.searched) == (["0", "1"], 2)
    rest = journal.search(Filter(text="no"), after=first.next, limit=3)
    assert (keys(list(rest.rows)), rest.searched, rest.next) == (["2", "3", "4"], 3, "")


def test_a_search_without_a_text_returns_a_page_and_the_next_cursor(journal: Journal) -> None:
    journal.append([event(str(number)) for number in range(5)], now=NOW)
    first = journal.search(limit=3, newest_first=True)
    assert (keys(list(first.rows)), first.searched, first.searched_to) == (["4", "3", "2"], 0, None)
    rest = journal.search(after=first.next, limit=3, newest_first=True)
    assert (keys(list(rest.rows)), rest.next) == (["1", "0"], "")
    assert journal.search(Filter(text="x"), after=journal.end()).searched == 0


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b'{"a":"CAF\\u00e9"}', "café"),
        ('{"a":"CAFÉ"}'.encode(), "café"),
        (b'{"a":"\xff caf"}', "CAF"),
        ("\u212a".encode(), "k"),
        (b"{}", "Acme-7"),
        ("é".encode(), "ACME-7"),
    ],
)
def test_a_text_is_found_in_any_case_and_json_form(journal: Journal, body: bytes, text: str) -> None:
    journal.append([event("acme-7", raw=body), event("other", raw=b"{}")], now=NOW)
    assert keys(journal.rows(Filter(text=text))) == ["acme-7"]
    assert journal.count(Filter(text=text)) == 1
