"""Group commit: many callers share one commit, and none returns before its own."""

import threading
import time
from collections.abc import Sequence
from types import SimpleNamespace

import gevent.monkey
import pytest

from webhooks.journal.group import GroupCommit
from webhooks.journal.runners import Greenlets, Threads, runner


class CountingStore:
    """A store that commits when the test allows it, and counts."""

    def __init__(self) -> None:
        self.gate = threading.Event()
        self.began = threading.Event()
        self.groups: list[list[str]] = []
        self.fail: BaseException | None = None

    def commit(self, items: Sequence[str]) -> list[str]:
        self.began.set()
        assert self.gate.wait(10)
        self.groups.append(list(items))
        if self.fail is not None:
            raise self.fail
        return [item.upper() for item in items]


def submit_all(group: GroupCommit[str, str], items: Sequence[str]) -> tuple[list[threading.Thread], dict[str, object]]:
    results: dict[str, object] = {}

    def one(item: str) -> None:
        try:
            results[item] = group.submit(item)
        except BaseException as error:
            results[item] = error

    threads = [threading.Thread(target=one, args=(item,)) for item in items]
    for thread in threads:
        thread.start()
    return threads, results


def wait_for(condition: object, *, seconds: float = 10) -> None:
    deadline = time.monotonic() + seconds
    while not condition():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.001)


def test_callers_during_a_commit_share_the_next_one_and_none_returns_early() -> None:
    store = CountingStore()
    group = GroupCommit(store.commit, Threads())
    first, results = submit_all(group, ["a"])
    assert store.began.wait(10)
    rest, more = submit_all(group, ["b", "c", "d"])
    wait_for(lambda: len(group._waiting) == 3)
    assert results == more == {}
    store.gate.set()
    for thread in first + rest:
        thread.join(10)
    assert results | more == {"a": "A", "b": "B", "c": "C", "d": "D"}
    assert [sorted(group_items) for group_items in store.groups] == [["a"], ["b", "c", "d"]]
    assert not group._led


def test_a_group_has_a_limit() -> None:
    store = CountingStore()
    group = GroupCommit(store.commit, Threads(), max_items=2)
    threads, results = submit_all(group, ["a"])
    assert store.began.wait(10)
    more, others = submit_all(group, ["b", "c", "d"])
    wait_for(lambda: len(group._waiting) == 3)
    store.gate.set()
    for thread in threads + more:
        thread.join(10)
    assert len(results | others) == 4
    assert [len(items) for items in store.groups] == [1, 2, 1]


def test_a_failed_commit_fails_every_member_and_the_next_group_goes_on() -> None:
    store = CountingStore()
    store.fail = OSError("disk full")
    group = GroupCommit(store.commit, Threads())
    threads, results = submit_all(group, ["a"])
    assert store.began.wait(10)
    more, others = submit_all(group, ["b", "c"])
    wait_for(lambda: len(group._waiting) == 2)
    store.gate.set()
    for thread in threads + more:
        thread.join(10)
    assert all(isinstance(result, OSError) for result in (results | others).values())
    store.fail = None
    assert group.submit("d") == "D"


def test_a_caller_interrupted_while_it_waits_blocks_no_other_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    store = CountingStore()
    group = GroupCommit(store.commit, Threads())
    threads, _ = submit_all(group, ["a"])
    assert store.began.wait(10)

    class Stopped(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("webhooks.journal.group.threading", SimpleNamespace(Event=Stopped))
        with pytest.raises(KeyboardInterrupt):
            group.submit("stopped")
    store.gate.set()
    threads[0].join(10)
    assert group.submit("b") == "B"
    assert [item for items in store.groups for item in items] == ["a", "b"]


def test_a_caller_interrupted_before_it_leads_passes_the_lead_on(monkeypatch: pytest.MonkeyPatch) -> None:
    store = CountingStore()
    group = GroupCommit(store.commit, Threads())
    threads, _ = submit_all(group, ["a"])
    assert store.began.wait(10)
    reached = threading.Event()

    class StoppedOnceWoken(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            reached.set()
            super().wait(10)
            raise KeyboardInterrupt

    outcome: list[BaseException] = []

    def stopped() -> None:
        try:
            group.submit("stopped")
        except BaseException as error:
            outcome.append(error)

    with monkeypatch.context() as patch:
        patch.setattr("webhooks.journal.group.threading", SimpleNamespace(Event=StoppedOnceWoken))
        doomed = threading.Thread(target=stopped)
        doomed.start()
        reached.wait(10)
    more, results = submit_all(group, ["b"])
    wait_for(lambda: len(group._waiting) == 2)
    store.gate.set()
    for thread in [*threads, doomed, *more]:
        thread.join(10)
    assert isinstance(outcome[0], KeyboardInterrupt)
    assert results == {"b": "B"}


def test_a_waiter_interrupted_during_its_commit_changes_nothing_for_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = CountingStore()
    group = GroupCommit(store.commit, Threads())
    threads, _ = submit_all(group, ["a"])
    assert store.began.wait(10)
    taken = threading.Event()

    class StoppedOnceTaken(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            assert taken.wait(10)
            raise KeyboardInterrupt

    outcome: list[BaseException] = []

    def stopped() -> None:
        try:
            group.submit("stopped")
        except BaseException as error:
            outcome.append(error)

    with monkeypatch.context() as patch:
        patch.setattr("webhooks.journal.group.threading", SimpleNamespace(Event=threading.Event))
        more, results = submit_all(group, ["b"])
        wait_for(lambda: len(group._waiting) == 1)
        patch.setattr("webhooks.journal.group.threading", SimpleNamespace(Event=StoppedOnceTaken))
        doomed = threading.Thread(target=stopped)
        doomed.start()
        wait_for(lambda: len(group._waiting) == 2)
    store.gate.set()
    for thread in [*threads, *more]:
        thread.join(10)
    taken.set()
    doomed.join(10)
    assert isinstance(outcome[0], KeyboardInterrupt)
    assert results == {"b": "B"}
    assert store.groups == [["a"], ["b", "stopped"]]


def test_an_item_with_its_own_error_fails_alone() -> None:
    refused = ValueError("no")
    group: GroupCommit[int, int] = GroupCommit(
        lambda items: [refused if item == 2 else item for item in items], Threads()
    )
    with pytest.raises(ValueError, match="no"):
        group.submit(2)
    assert group.submit(3) == 3


def test_an_interrupted_leader_fails_its_members_with_a_separate_error() -> None:
    store = CountingStore()
    store.fail = KeyboardInterrupt()
    group = GroupCommit(store.commit, Threads())
    threads, results = submit_all(group, ["a"])
    assert store.began.wait(10)
    more, others = submit_all(group, ["b", "c"])
    wait_for(lambda: len(group._waiting) == 2)
    store.gate.set()
    for thread in threads + more:
        thread.join(10)
    assert isinstance(results["a"], KeyboardInterrupt)
    assert sorted(type(result).__name__ for result in others.values()) == ["JournalUnavailable", "KeyboardInterrupt"]
    store.fail = None
    assert group.submit("d") == "D"


def test_plain_threads_commit_in_their_own_thread_and_gevent_in_a_real_one(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(runner(), Threads)
    caller = threading.get_ident()
    assert Threads()(threading.get_ident) == caller
    monkeypatch.setattr(gevent.monkey, "is_module_patched", lambda name: name == "threading")
    pool = runner()
    assert isinstance(pool, Greenlets)
    assert pool(lambda number: number + 1, 1) == 2
    assert pool(threading.get_ident) != caller
    with pytest.raises(ZeroDivisionError):
        pool(lambda: 1 / 0)
