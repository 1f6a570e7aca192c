"""Claim, translate, deliver, settle: the outcome of each event."""

import json
import logging
from datetime import timedelta
from types import MethodType

import pytest

from support.delivery_bench import MemoryBench
from support.faulty_receiver import hang, lose_reply, reset, status
from support.messages import endpoint, event
from webhooks.journal import State


def test_an_event_is_delivered_if_all_its_messages_were_accepted(bench: MemoryBench) -> None:
    bench.append(event(1, '{"parts": 3}'))
    worker = bench.worker()
    assert worker.run_once() == 1
    assert bench.row(1).state is State.DELIVERED
    assert len(set(bench.server.ids)) == 3
    assert bench.server.requests[0].key == "wk"
    assert worker.counts == {"claimed": 1, "delivered": 1}


@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING])
def test_a_test_mode_event_is_logged_with_the_setting_that_delivers_it(
    bench: MemoryBench, caplog: pytest.LogCaptureFixture, level
) -> None:
    caplog.set_level(level, logger="webhooks.events")
    bench.append(event(1, type="test_mode"), event(2, type="test_mode"), event(3, type="skipped"))
    bench.worker().run_once()  # one warning an hour for each source; the second event is shown as any ignored one
    (record,) = [record for record in caplog.records if record.levelno == logging.WARNING]
    assert (record.message, vars(record)["key"]) == ("ignored", bench.row(1).event.id)
    assert "set SEGUE_SHOP_ENVIRONMENT=both" in vars(record)["detail"]


def test_money_is_delivered_to_the_last_digit(bench: MemoryBench) -> None:
    bench.append(event(1, '{"total": "900719925474099.10"}'), event(2, '{"total": "1234567890123456789.10"}'))
    bench.worker().run_once()
    assert b'"total":900719925474099.10' in bench.server.requests[0].raw
    assert b'"total":"1234567890123456789.10"' in bench.server.requests[0].raw, "no double holds it, so it is a text"


def test_messages_are_sent_in_order_of_arrival(bench: MemoryBench) -> None:
    bench.orders(500)
    bench.worker(settings={"batch": 500}).run_once()
    sent = [message["context"]["webhook"]["id"] for message in bench.server.requests[0].batch]
    assert sent == [f"e{number}" for number in range(1, 501)]


@pytest.mark.parametrize(
    ("type_", "state", "reason"),
    [
        ("skipped", State.IGNORED, "a draft means nothing"),
        ("unknown", State.UNSUPPORTED, "has no translation"),
        ("broken", State.DEAD, "a bug of the translator"),
        ("surrogate", State.DEAD, "UnicodeEncodeError"),
    ],
)
def test_an_event_without_messages_is_settled_with_its_reason(bench: MemoryBench, type_, state, reason) -> None:
    bench.append(event(1, type=type_))
    bench.worker().run_once()
    assert bench.row(1).state is state
    assert reason in bench.row(1).reason
    assert bench.server.requests == []


def test_a_message_that_segment_would_drop_makes_its_event_dead(bench: MemoryBench) -> None:
    bench.append(event(1, '{"user": ""}'))
    bench.worker().run_once()
    assert bench.row(1).state is State.DEAD
    assert "neither userId nor anonymousId" in bench.row(1).reason
    assert bench.server.requests == []


def test_a_too_large_message_is_shortened_and_delivered(bench: MemoryBench) -> None:
    bench.append(event(1, json.dumps({"note": "x" * 33_000, "total": "19.90"})))
    bench.worker().run_once()
    (sent,) = bench.server.receiver.received
    assert sent["properties"]["note"] == "x" * 999 + "…"
    assert sent["context"]["webhook"]["cut"] == ["properties.note"]
    assert bench.row(1).state is State.DELIVERED


def test_other_messages_of_a_dead_event_are_still_delivered(bench: MemoryBench) -> None:
    bench.append(event(1, type="half"))
    bench.worker().run_once()
    assert [message["event"] for message in bench.server.receiver.received] == ["Order Updated"]
    assert bench.row(1).state is State.DEAD
    assert "over Segment's 32000" in bench.row(1).reason
    assert "shop-order-completed-" in bench.row(1).reason


def test_a_poison_message_makes_only_its_own_event_dead(bench: MemoryBench, caplog: pytest.LogCaptureFixture) -> None:
    bench.append(event(1, '{"parts": 3}'), event(2), event(3))
    worker = bench.worker()
    bench.server.plan.append(status(401))
    worker.run_once()
    poison = bench.server.requests[0].ids[1]
    bench.server.poison = {poison}
    bench.clock.pass_(seconds=60)
    bench.clients.of().breaker.succeed()
    worker.run_once()
    dead = bench.row(1)
    assert (dead.state, dead.reason.partition(":")[0]) == (State.DEAD, poison)
    assert "malformed" in dead.reason
    assert "refused, kept as dead letters" in caplog.text
    assert bench.row(2).state is bench.row(3).state is State.DELIVERED
    assert len(bench.server.ids) == 4


@pytest.mark.parametrize("fault", [reset, lose_reply, hang, status(503), status(429)])
def test_a_temporary_failure_is_retried_with_backoff_and_the_same_ids(
    bench: MemoryBench, fault, caplog: pytest.LogCaptureFixture
) -> None:
    bench.orders(2)
    bench.server.plan.append(fault)
    worker = bench.worker(segment={"read_timeout": 0.2 if fault is hang else 10.0}, chance=lambda: 1.0)
    worker.run_once()
    row = bench.row(1)
    assert (row.state, row.attempts, row.due_at) == (State.PENDING, 1, bench.clock() + timedelta(seconds=0.5))
    assert "postponed, nothing is lost" in caplog.text
    assert worker.run_once() == 0
    bench.clock.pass_(seconds=1)
    worker.run_once()
    assert bench.states() == {State.DELIVERED: 2}
    assert bench.server.requests[0].ids == bench.server.requests[1].ids
    assert bench.server.requests[1].headers["x-retry-count"] == "1"
    assert set(bench.server.ids) == set(bench.server.requests[0].ids)


def test_retry_after_is_obeyed_and_counts_no_attempt(bench: MemoryBench) -> None:
    bench.orders(1)
    bench.server.plan.append(status(429, Retry_After="7"))
    bench.worker().run_once()
    row = bench.row(1)
    assert (row.state, row.attempts, row.due_at) == (State.PENDING, 0, bench.clock() + timedelta(seconds=7))


def test_a_refused_write_key_is_held_and_recovers_without_delaying_others(
    bench: MemoryBench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    bench.endpoints |= {"shop2": endpoint("shop2", write_key="other")}
    bench.server.refused_keys = {"wk"}
    bench.append(event(1), event(2, source="shop2"), event(3))
    worker = bench.worker()
    worker.run_once()
    name = f"hold:{bench.clients.of().fingerprint}"
    assert bench.row(1).state is State.PENDING
    assert bench.row(1).attempts == 0
    assert bench.row(2, "shop2").state is State.DELIVERED
    assert bench.journal.notes()[name][1]["held"] is True
    bench.append(event(4), event(5, source="shop2"))
    worker.run_once()
    assert bench.row(5, "shop2").state is State.DELIVERED
    assert "no such write key" in bench.row(4).reason
    assert [request.key for request in bench.server.requests].count("wk") == 1
    bench.server.refused_keys = set()
    bench.clients.of().breaker._until = 0.0
    bench.clock.pass_(seconds=61)
    worker.run_once()
    assert bench.states() == {State.DELIVERED: 5}
    assert bench.journal.notes()[name][1]["held"] is False
    messages = [record.getMessage() for record in caplog.records if "write key" in record.getMessage()]
    assert messages == ["write key held: nothing is lost", "write key works again"]
    assert '"wk"' not in caplog.text


def test_a_hold_of_an_earlier_process_ends_with_the_first_success(bench: MemoryBench) -> None:
    worker = bench.worker()
    name = f"hold:{bench.clients.of().fingerprint}"
    bench.journal.note(name, {"held": True}, now=bench.clock())
    bench.orders(1)
    worker.run_once()
    assert bench.journal.notes()[name][1]["held"] is False


def test_a_hold_that_could_not_be_stored_is_stored_with_the_next_batch(
    bench: MemoryBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.server.refused_keys = {"wk"}
    worker = bench.worker()
    client = bench.clients.of()
    client.breaker.hold("401")
    bench.journal.away = True
    worker.sender.key_status.report(client)
    bench.journal.away = False
    assert not bench.journal.notes()
    worker.sender.key_status.report(client)
    assert bench.journal.notes()[f"hold:{client.fingerprint}"][1]["held"] is True


def test_while_the_only_write_key_is_held_nothing_is_claimed(bench: MemoryBench) -> None:
    bench.server.refused_keys = {"wk"}
    bench.orders(1)
    worker = bench.worker()
    worker.run_once()
    bench.orders(1, first=2)
    assert worker.run_once() == 0
    assert bench.row(2).attempts == 0
    assert len(bench.server.requests) == 1


def test_without_a_write_key_events_wait(bench: MemoryBench) -> None:
    bench.orders(1)
    bench.worker(segment={"write_key": ""}).run_once()
    row = bench.row(1)
    assert (row.state, row.attempts) == (State.PENDING, 0)
    assert "no write key is configured" in row.reason


def test_an_event_waits_for_an_endpoint_that_is_not_configured(
    bench: MemoryBench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.append(event(1, source="gone"), event(2, source="gone"), event(3))
    bench.worker().run_once()
    row = bench.row(1, "gone")
    assert (row.state, row.attempts, row.due_at) == (State.PENDING, 0, bench.clock() + timedelta(minutes=5))
    assert "'gone'" in row.reason
    assert bench.row(3).state is State.DELIVERED
    assert caplog.text.count("not configured") == 1


def test_an_event_waits_for_its_missing_encryption_key(bench: MemoryBench, caplog: pytest.LogCaptureFixture) -> None:
    bench.append(event(1), event(2), event(3))
    for seq in (1, 2):
        bench.journal.lock(seq, "encrypted with key 0a0b0c0d, which is not configured")
    bench.worker().run_once()
    row = bench.row(1)
    assert (row.state, row.attempts, row.due_at) == (State.PENDING, 0, bench.clock() + timedelta(minutes=5))
    assert row.reason == "encrypted with key 0a0b0c0d, which is not configured"
    assert bench.row(3).state is State.DELIVERED
    assert caplog.text.count("events wait for their encryption key") == 1


def test_events_wait_if_no_endpoint_is_configured(bench: MemoryBench) -> None:
    bench.endpoints.clear()
    bench.append(event(1))
    bench.worker().run_once()
    assert bench.row(1).state is State.PENDING


def test_a_full_queue_releases_events_for_a_second(bench: MemoryBench, eventually) -> None:
    bench.endpoints |= {"shop2": endpoint("shop2", write_key="other")}
    worker = bench.worker(segment={"in_flight": 1, "read_timeout": 5.0}, settings={"batch": 1})
    bench.server.plan.extend([hang])
    bench.orders(3)
    for _ in range(2):
        worker.poller.claim_and_dispatch()
    worker.poller.claim_and_dispatch()
    row = bench.row(3)
    assert (row.state, row.attempts, row.due_at) == (State.PENDING, 0, bench.clock() + timedelta(seconds=1))
    bench.server.closed.set()
    worker.poller.finish(None)


def test_an_event_of_many_batches_is_settled_once(bench: MemoryBench) -> None:
    bench.append(event(1, json.dumps({"parts": 40, "note": "x" * 30_000})), event(2))
    bench.server.plan.extend([status(503)])
    worker = bench.worker()
    worker.run_once()
    assert len(bench.server.requests) > 2
    assert bench.row(1).state is State.PENDING
    assert sorted(settlement.claim.seq for settlement in bench.journal.settled) == [1, 2]
    bench.clock.pass_(seconds=60)
    worker.run_once()
    assert bench.states() == {State.DELIVERED: 2}


def test_a_bug_in_the_client_releases_the_batch(
    bench: MemoryBench, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    bench.orders(2)
    worker = bench.worker()

    def fail(*_, **__):
        raise RuntimeError("a bug")

    monkeypatch.setattr(bench.clients.of(), "send", fail)
    worker.run_once()
    assert (bench.row(1).state, bench.row(1).attempts) == (State.PENDING, 1)
    assert "a bug" in bench.row(1).reason
    assert "Traceback" in caplog.text


def test_a_bug_in_the_dispatch_releases_the_claims(bench: MemoryBench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.orders(3)
    worker = bench.worker()
    monkeypatch.setattr(worker.dispatcher, "_prepare", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        worker.run_once()
    assert bench.states() == {State.PENDING: 3}
    assert bench.row(1).attempts == 1
    due_at = bench.row(1).due_at
    assert due_at is not None
    assert due_at > bench.clock()


def test_an_event_whose_lease_was_lost_is_not_settled(bench: MemoryBench, eventually) -> None:
    bench.orders(2)
    worker = bench.worker()

    def steal_and_accept(handler, request):
        bench.journal.steal(1)
        handler.accept(request)

    bench.server.plan.append(steal_and_accept)
    worker.run_once()
    assert (bench.row(1).state, bench.row(2).state) == (State.PENDING, State.DELIVERED)
    assert worker.counts["lost"] == 1


def test_an_event_whose_lease_was_lost_is_not_sent(bench: MemoryBench) -> None:
    bench.orders(1)
    worker = bench.worker()
    leases = worker.leases
    worker.queues.of("")
    claims = leases.claim(10)
    bench.journal.steal(1)
    leases.renew()
    worker.dispatcher.dispatch(claims)
    worker.poller.finish(None)
    assert bench.server.requests == []
    assert bench.row(1).state is State.PENDING


def test_without_open_claims_no_lease_is_renewed(bench: MemoryBench) -> None:
    bench.worker().leases.renew()
    assert "renew" not in bench.journal.calls


def test_no_part_of_the_worker_holds_a_method_of_another(bench: MemoryBench) -> None:
    worker = bench.worker()
    parts = [
        worker.signals, worker.leases, worker.sender, worker.sender.key_status, worker.queues, worker.queues.of(""),
        worker.dispatcher, worker.housekeeping, worker.poller,
    ]  # fmt: skip
    values = [getattr(part, name) for part in parts for name in getattr(part, "__slots__", None) or vars(part)]
    assert len(values) > 30
    assert [value for value in values if isinstance(value, MethodType)] == []
