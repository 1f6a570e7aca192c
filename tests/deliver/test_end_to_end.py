"""The worker over the real journal, as it runs in production."""

import random
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.delivery_bench import Bench, Clock
from support.faulty_receiver import FaultyReceiver, lose_reply, reset, status, truncate
from support.messages import endpoint
from webhooks.journal import AuditContext, ChangeResult, State, open_journal


class RealClock(Clock):
    def __call__(self):
        return datetime.now(UTC)


@pytest.fixture
def real(server: FaultyReceiver, tmp_path: Path):
    journal = open_journal(f"sqlite:///{tmp_path}/segue.db")
    bench = Bench(server, journal=journal)
    bench.clock = RealClock()
    yield bench
    for worker in bench.workers:
        worker.close()
    journal.close()


def test_two_workers_deliver_all_despite_faults_and_keep_message_ids(real, running, eventually) -> None:
    rng = random.Random(7)
    faults = [reset, lose_reply, truncate, status(503), status(429, Retry_After="1")]
    real.server.plan.extend(rng.choice([*faults, *[None] * 6]) or real_accept for _ in range(40))
    real.endpoints |= {"shop2": endpoint("shop2", write_key="other")}
    real.orders(300, '{"parts": 2}')
    settings = {"batch": 25}
    for name in ("a", "b"):
        running(real.worker(settings=settings, name=name, chance=lambda: 0.05))
    eventually(lambda: real.states() == {State.DELIVERED: 300}, "the backlog did not drain")
    sent: dict[str, set[str]] = {}
    for message in real.server.receiver.received:
        sent.setdefault(message["context"]["webhook"]["id"], set()).add(message["messageId"])
    assert len(sent) == 300
    assert {len(ids) for ids in sent.values()} == {2}


def real_accept(handler, request):
    handler.accept(request)


def test_another_worker_delivers_what_a_stopped_worker_released(real, running, eventually) -> None:
    gate = threading.Event()
    real.server.plan.append(lambda handler, request: (gate.wait(30), handler.drop()))
    real.orders(20)
    stop = running(real.worker(settings={"grace": timedelta(seconds=0.1)}))
    real.server.wait_for_requests(1)
    stop()
    assert {(row.state, row.attempts, row.leased_until) for row in real.journal.rows()} == {(State.PENDING, 0, None)}
    gate.set()
    running(real.worker(name="next"))
    eventually(lambda: real.states() == {State.DELIVERED: 20})


def test_replay_keeps_message_ids_and_replay_as_new_changes_them(real) -> None:
    real.orders(3)
    worker = real.worker()
    by = AuditContext(actor="ann", reason="the destination lost them")
    for as_new in (False, True, True):
        worker.run_once()
        assert real.journal.replay(real.journal.seqs(), by=by, as_new=as_new, now=real.clock()) == ChangeResult(3, 0)
    worker.run_once()
    assert real.states() == {State.DELIVERED: 3}
    sent = [message["messageId"] for message in real.server.receiver.received]
    first, again, new, newer = (sent[start : start + 3] for start in range(0, 12, 3))
    assert first == again
    assert len({*first, *new, *newer}) == 9


def test_an_event_dropped_during_delivery_is_not_settled_by_its_worker(real, running, eventually) -> None:
    gate = threading.Event()
    real.server.plan.append(lambda handler, request: (gate.wait(30), handler.accept(request)))
    real.orders(2)
    worker = real.worker()
    running(worker)
    real.server.wait_for_requests(1)
    real.journal.drop(real.journal.seqs()[:1], by=AuditContext(actor="ann", reason="why"), now=real.clock())
    gate.set()
    eventually(lambda: real.states() == {State.DELIVERED: 1, State.DROPPED: 1})
    assert worker.counts["lost"] == 1
