"""The worker's run loop: idle, woken, interrupted and shut down."""

import os
import socket
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from support.delivery_bench import Bench, MemoryBench
from support.faulty_receiver import FaultyReceiver, status, wait_for
from support.memory_journal import MemoryJournal
from support.messages import endpoint, event
from webhooks.deliver import DeliveryContext, Worker
from webhooks.errors import JournalUnavailable
from webhooks.journal import SqliteJournal, State
from webhooks.segment import Clients
from webhooks.settings import SegmentSettings, WorkerSettings


def test_events_that_arrive_while_it_runs_are_delivered(bench: MemoryBench, running, eventually) -> None:
    worker = bench.worker(settings={"batch": 10})
    running(worker)
    bench.orders(35)
    eventually(lambda: bench.states() == {State.DELIVERED: 35})
    bench.orders(5, first=36)
    worker.wake()
    eventually(lambda: bench.states() == {State.DELIVERED: 40})


def test_an_idle_worker_is_woken(bench: MemoryBench, running, eventually) -> None:
    worker = bench.worker(settings={"poll": timedelta(seconds=60)})
    running(worker)
    eventually(lambda: "claim" in bench.journal.calls)
    bench.orders(1)
    worker.wake()
    eventually(lambda: bench.states() == {State.DELIVERED: 1})


def test_an_idle_worker_is_woken_by_another_process_without_a_poll(
    server: FaultyReceiver, running, eventually, tmp_path: Path
) -> None:
    journal, other = (SqliteJournal(tmp_path / "j.db") for _ in range(2))
    bench = Bench(server, journal)
    worker = bench.worker(settings={"poll": timedelta(hours=1)})
    end = running(worker)
    for number in range(1, 4):
        other.append([event(number)], now=bench.clock())
        eventually(lambda number=number: bench.states() == {State.DELIVERED: number})
    end()
    worker.close()
    bench.workers.clear()
    for each_journal in (journal, other):
        each_journal.close()


def test_events_that_arrive_while_a_worker_lingers_are_claimed_together(
    bench: MemoryBench, running, eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = bench.worker(settings={"poll": timedelta(hours=1)})
    lingered = []

    def linger(claimed):
        lingered.append(claimed)
        if len(lingered) == 1:
            bench.orders(3, first=2)  # without `wake`
        return 0.0

    monkeypatch.setattr(type(worker.poller), "linger", lambda _, claimed: linger(claimed))
    bench.orders(1)
    running(worker)
    eventually(lambda: bench.states() == {State.DELIVERED: 4})
    assert lingered == [1, 3]


def test_a_worker_lingers_longer_the_fuller_its_claims_and_not_after_a_full_one(bench: MemoryBench) -> None:
    linger = bench.worker(settings={"batch": 100}).poller.linger
    assert 0.01 < linger(1) < linger(50) < linger(99) < 0.1
    assert linger(100) == 0


def test_claims_continue_while_batches_are_sent_up_to_a_limit(bench: MemoryBench, running, eventually) -> None:
    gate = threading.Event()
    bench.server.always = wait_for(gate)
    bench.orders(100)
    worker = bench.worker(settings={"batch": 5}, segment={"in_flight": 2})
    running(worker)
    eventually(lambda: worker.queues.of("").busy == 4)
    bench.server.wait_for_requests(2)
    assert worker.counts["claimed"] == 20
    gate.set()
    eventually(lambda: bench.states() == {State.DELIVERED: 100})


def test_a_batch_that_ends_during_the_capacity_check_wakes_the_worker(
    bench: MemoryBench, running, eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.orders(1)
    worker = bench.worker(settings={"poll": timedelta(seconds=60)})
    can_send = vars(type(worker.dispatcher))["can_send"]
    full = [True]

    def end_of_a_batch(dispatcher):
        if not full:
            return can_send.fget(dispatcher)
        full.clear()
        worker.signals.batch_finished()
        return False

    monkeypatch.setattr(type(worker.dispatcher), "can_send", property(end_of_a_batch))
    running(worker)
    eventually(lambda: bench.states() == {State.DELIVERED: 1})


def test_a_stop_just_before_the_signals_are_cleared_is_not_missed(
    bench: MemoryBench, running, eventually, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = bench.worker(settings={"poll": timedelta(seconds=60)})
    clear = worker.signals.clear

    def stop_and_clear():
        worker.stop()
        clear()

    monkeypatch.setattr(worker.signals, "clear", stop_and_clear)
    running(worker)
    eventually(lambda: "worker:w" in bench.journal.notes())


def test_on_stop_batches_in_flight_finish_and_other_events_are_released(bench: MemoryBench, running) -> None:
    gate = threading.Event()
    bench.server.always = wait_for(gate)
    bench.orders(30)
    worker = bench.worker(settings={"batch": 5}, segment={"in_flight": 1})
    stop = running(worker)
    bench.server.wait_for_requests(1)
    threading.Timer(0.1, gate.set).start()
    stop()
    assert bench.states() == {State.DELIVERED: 5, State.PENDING: 25}
    waiting = [row for row in bench.journal.rows() if row.state is State.PENDING]
    assert all(row.attempts == 0 and row.leased_until is None for row in waiting)
    assert bench.journal.notes()["worker:w"][1]["delivered"] == 5


def test_a_request_longer_than_the_grace_period_is_released_and_not_settled(
    bench: MemoryBench, running, eventually
) -> None:
    gate = threading.Event()
    bench.server.always = wait_for(gate)
    bench.orders(3)
    worker = bench.worker(settings={"grace": timedelta(seconds=0.2)})
    stop = running(worker)
    bench.server.wait_for_requests(1)
    stop()
    row = bench.row(1)
    assert (row.state, row.attempts, row.leased_until) == (State.PENDING, 0, None)
    assert "shut down" in row.reason
    settled = len(bench.journal.settled)
    gate.set()
    eventually(lambda: len(bench.server.ids) == 3)
    eventually(lambda: not any(thread.name.startswith("segment-") for thread in threading.enumerate()))
    assert len(bench.journal.settled) == settled
    assert worker.counts["handed_back"] == 3


def test_stop_interrupts_the_wait_for_the_rate(bench: MemoryBench, running, eventually) -> None:
    bench.orders(30)
    worker = bench.worker(settings={"batch": 10}, segment={"rate": 1.0, "in_flight": 1})
    stop = running(worker)
    eventually(lambda: worker.counts.get("claimed"))
    stop()
    assert not any(row.attempts or row.leased_until for row in bench.journal.rows())


def test_the_worker_survives_an_unavailable_journal(
    bench: MemoryBench, running, eventually, caplog: pytest.LogCaptureFixture
) -> None:
    worker = bench.worker(chance=lambda: 0.0)
    bench.journal.away = True
    running(worker)
    eventually(lambda: caplog.text.count("the journal is unavailable") >= 2)
    bench.journal.away = False
    bench.orders(3)
    eventually(lambda: bench.states() == {State.DELIVERED: 3})
    assert worker.poller.failures == 0


def test_deliveries_during_a_journal_outage_are_settled_after_it(
    bench: MemoryBench, running, eventually, caplog: pytest.LogCaptureFixture
) -> None:
    gate = threading.Event()
    bench.server.plan.append(wait_for(gate))
    worker = bench.worker(chance=lambda: 0.0)
    running(worker)
    bench.orders(3)
    bench.server.wait_for_requests(1)
    bench.journal.away = True
    gate.set()
    eventually(lambda: "not settled yet" in caplog.text)
    bench.journal.away = False
    eventually(lambda: bench.states() == {State.DELIVERED: 3})
    assert len(bench.server.requests) == 1


def test_a_failed_cycle_is_logged_and_retried_after_a_pause(
    bench: MemoryBench, running, eventually, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = bench.worker(chance=lambda: 0.0)
    claim = bench.journal.claim
    monkeypatch.setattr(bench.journal, "claim", lambda *_, **__: 1 / 0)
    running(worker)
    eventually(lambda: caplog.text.count("a cycle failed") >= 2)
    monkeypatch.setattr(bench.journal, "claim", claim)
    bench.orders(1)
    eventually(lambda: bench.states() == {State.DELIVERED: 1})


def test_the_pause_after_failures_grows_to_ten_seconds(bench: MemoryBench) -> None:
    worker = bench.worker(chance=lambda: 1.0)
    pauses = []
    for failures in (0, 1, 2, 3, 4, 5, 50):
        worker.poller.failures = failures
        pauses.append(worker.poller.failure_pause())
    assert pauses == [0, 1, 2, 4, 8, 10, 10]


def test_an_unavailable_journal_does_not_delay_the_shutdown(
    bench: MemoryBench, running, caplog: pytest.LogCaptureFixture
) -> None:
    gate = threading.Event()
    bench.server.plan.append(wait_for(gate))
    bench.orders(1)
    worker = bench.worker(settings={"grace": timedelta(seconds=0.1)})
    stop = running(worker)
    bench.server.wait_for_requests(1)
    bench.journal.away = True
    stop()
    assert "the leases will expire" in caplog.text
    gate.set()


@pytest.mark.parametrize("failures", [1, 2])
def test_an_unexpected_error_in_settle_does_not_end_the_thread(
    bench: MemoryBench,
    running,
    eventually,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    failures: int,
) -> None:
    settle = bench.journal.settle
    failed: list[int] = []

    def fail(*args, **kwargs):
        if len(failed) < failures and threading.current_thread().name.startswith("segment-"):
            failed.append(1)
            raise RuntimeError("a bug of the store")
        return settle(*args, **kwargs)

    monkeypatch.setattr(bench.journal, "settle", fail)
    worker = bench.worker(segment={"in_flight": 1})
    bench.orders(1)
    worker.poller.claim_and_dispatch()
    eventually(lambda: caplog.text.count("a batch was not settled") == failures)
    running(worker)
    eventually(lambda: bench.states() == {State.DELIVERED: 1})
    bench.orders(1, first=2)
    eventually(lambda: bench.states() == {State.DELIVERED: 2})


def test_a_batch_whose_results_cannot_be_recorded_returns_to_the_journal(
    bench: MemoryBench, running, eventually, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its claims would stay open, and their leases be renewed for as long as the worker runs."""
    worker = bench.worker(segment={"in_flight": 1})
    record = worker.poller.queues.of("")._sender._record
    failed: list[int] = []

    def fail_once(active, results):
        if not failed:
            failed.append(1)
            raise RuntimeError("a bug of ours")
        return record(active, results)

    monkeypatch.setattr(worker.poller.queues.of("")._sender, "_record", fail_once)
    bench.orders(2)
    running(worker)
    eventually(lambda: bench.row(1).attempts == bench.row(2).attempts == 1)
    assert "a batch was not settled" in caplog.text
    assert all(
        claimed.due_at is not None and claimed.due_at > bench.clock() for claimed in (bench.row(1), bench.row(2))
    )
    bench.clock.pass_(seconds=60)  # not at once: the bug may come again
    eventually(lambda: bench.states() == {State.DELIVERED: 2})
    assert bench.row(1).attempts == bench.row(2).attempts == 2


def test_a_send_right_after_the_breaker_closed_gives_a_reason(bench: MemoryBench) -> None:
    """Without one the event would count as not tried yet."""
    worker = bench.worker()
    breaker = worker.poller.queues.of("").client.breaker
    bench.orders(1)
    breaker.hold("401")
    breaker.reason = ""
    (claim,) = worker.poller.leases.claim(1)
    settlement = worker.poller.dispatcher._blocked(claim, worker.poller.queues.of(""))
    assert settlement is not None
    assert settlement.reason == "Segment could not be reached a moment ago"


def test_leases_are_renewed_while_a_request_is_slow(bench: MemoryBench, running, eventually) -> None:
    gate = threading.Event()
    bench.server.plan.append(wait_for(gate))
    bench.orders(1)
    worker = bench.worker(settings={"lease": timedelta(seconds=0.03)})
    running(worker)
    bench.server.wait_for_requests(1)
    for _ in range(3):
        before = bench.journal.calls.count("renew")
        eventually(lambda before=before: bench.journal.calls.count("renew") > before)
    gate.set()
    eventually(lambda: bench.states() == {State.DELIVERED: 1})


def test_a_failed_lease_renewal_is_retried(
    bench: MemoryBench, running, eventually, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    bench.server.plan.append(wait_for(gate))
    bench.orders(1)

    def unavailable(*_, **__):
        raise JournalUnavailable("busy")

    monkeypatch.setattr(bench.journal, "renew", unavailable)
    worker = bench.worker(settings={"lease": timedelta(seconds=0.03)})
    running(worker)
    eventually(lambda: caplog.text.count("leases not renewed") >= 2)
    gate.set()
    eventually(lambda: bench.states() == {State.DELIVERED: 1})


def test_an_event_whose_lease_is_lost_in_flight_is_not_settled(
    bench: MemoryBench, running, eventually, caplog: pytest.LogCaptureFixture
) -> None:
    gate = threading.Event()
    bench.server.plan.append(wait_for(gate))
    bench.orders(2)
    worker = bench.worker(settings={"lease": timedelta(seconds=0.03)})
    running(worker)
    bench.server.wait_for_requests(1)
    bench.journal.steal(1)
    eventually(lambda: worker.counts.get("lost"))
    gate.set()
    eventually(lambda: bench.row(2).state is State.DELIVERED)
    assert bench.row(1).state is State.PENDING
    assert [settlement.claim.seq for settlement in bench.journal.settled] == [2]


def test_a_segment_outage_loses_nothing_and_the_breaker_limits_requests(
    bench: MemoryBench, running, eventually
) -> None:
    bench.server.always = status(502)
    bench.orders(200)
    worker = bench.worker(settings={"batch": 20}, chance=lambda: 0.0)
    running(worker)
    client = bench.clients.of()
    eventually(lambda: client.breaker.state == "open")
    requests = len(bench.server.requests)
    assert requests <= 5 + 2 * 4
    bench.server.always = None
    client.breaker._until = 0.0

    def all_delivered_a_minute_later():
        bench.clock.pass_(seconds=60)
        return bench.states() == {State.DELIVERED: 200}

    eventually(all_delivered_a_minute_later)
    assert set(bench.server.ids) == {message["messageId"] for message in bench.server.receiver.received}
    assert len(set(bench.server.ids)) == 200


def test_old_events_are_pruned_and_the_heartbeat_is_written(bench: MemoryBench) -> None:
    bench.orders(3)
    worker = bench.worker()
    worker.run_once()
    bench.clock.pass_(days=8)
    bench.orders(1, first=4)
    worker.housekeeping.run_due()
    assert bench.states() == {State.PENDING: 1}
    at, heartbeat = bench.journal.notes()["worker:w"]
    assert at == bench.clock()
    assert (heartbeat["delivered"], heartbeat["open"], heartbeat["keys"]) == (
        3,
        0,
        {bench.clients.of().fingerprint: "closed"},
    )
    calls = len(bench.journal.calls)
    worker.housekeeping.run_due()
    assert len(bench.journal.calls) == calls


def test_pruning_continues_while_there_are_more_old_events(bench: MemoryBench, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = bench.worker()
    left = [5000, 5000, 10]
    monkeypatch.setattr(bench.journal, "prune", lambda *_, **__: left.pop(0))
    for _ in range(5):
        worker.housekeeping.run_due()
    assert left == []


def test_the_worker_name_is_host_and_process_id() -> None:
    context = DeliveryContext(journal=MemoryJournal(), endpoints={}, clients=Clients(SegmentSettings()), namespace="n")
    worker = Worker(context, WorkerSettings())
    assert worker.name == f"{socket.gethostname()}-{os.getpid()}"
    worker.close()


def test_a_hanging_write_key_does_not_delay_another(bench: MemoryBench, running, eventually) -> None:
    bench.endpoints |= {"shop2": endpoint("shop2", write_key="other")}
    gate = threading.Event()
    accept = bench.server.always
    assert accept is None

    def only_wk_hangs(handler, request):
        if request.key == "wk":
            gate.wait(30)
        handler.accept(request)

    bench.server.always = only_wk_hangs
    worker = bench.worker(settings={"batch": 4}, segment={"in_flight": 1})
    running(worker)
    for number in range(1, 41):
        bench.append(event(number, source="shop" if number % 2 else "shop2"))
    numbers = range(2, 41, 2)
    eventually(lambda: all(bench.row(number, "shop2").state is State.DELIVERED for number in numbers))
    gate.set()

    def all_delivered_a_second_later():
        bench.clock.pass_(seconds=1)
        return bench.states() == {State.DELIVERED: 40}

    eventually(all_delivered_a_second_later)


def test_the_heartbeat_reports_a_failing_segment_until_it_accepts(bench: MemoryBench, running, eventually) -> None:
    bench.server.always = status(503)
    bench.orders(1)
    worker = bench.worker()
    stop = running(worker)
    eventually(lambda: worker.housekeeping.heartbeat().failing)
    (failure,) = worker.housekeeping.heartbeat().failing.values()
    assert "503" in failure.reason
    assert failure.seconds >= 0
    bench.server.always = status(200)
    eventually(lambda: bench.journal.rows()[0].attempts == 1)
    bench.clock.pass_(hours=1)
    worker.wake()
    eventually(lambda: bench.states() == {State.DELIVERED: 1})
    assert worker.housekeeping.heartbeat().failing == {}
    stop()
    assert bench.journal.notes()["worker:w"][1]["failing"] == {}
