"""What a worker counts."""

import threading

import pytest

from faulty_receiver import reset, status
from messages import endpoint, event
from webhooks.deliver import Worker, metered
from webhooks.monitoring.metrics import Meter
from webhooks.settings import SegmentSettings, WorkerSettings


@pytest.fixture
def meter():
    return Meter()


@pytest.fixture
def worker(bench, meter):
    made = bench.worker(meter=meter)
    made._clients = metered(SegmentSettings(write_key="wk", url=bench.server.url, rate=0, connect_timeout=1.0), meter)
    return made


def told(meter):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in meter.registry.collect() for sample in family.samples if sample.value and "_created" not in sample.name
    }  # fmt: skip


def test_events_are_counted_by_what_became_of_them(bench, worker, meter):
    bench.append(
        event(1), event(2, '{"parts": 3}'), event(3, type="skipped"), event(4, type="broken"), event(5, type="nobody")
    )
    worker.run_once()
    seen = told(meter)
    outcomes = {name[2]: value for name, value in seen.items() if name[0] == "segue_events_translated_total"}
    assert outcomes == {"translated": 2, "ignored": 1, "broken": 1, "unsupported": 1}
    assert seen["segue_events_delivered_total", "shop"] == 2
    assert seen["segue_events_dead_total", "shop"] == 1
    assert (seen["segue_batch_messages_count",], seen["segue_batch_messages_sum",]) == (1, 4)
    assert seen["segue_segment_requests_total", "accepted"] == 1
    assert seen["segue_segment_request_seconds_count",] == 1


def test_the_latency_is_from_received_to_delivered(bench, worker, meter):
    bench.append(event(1))
    bench.clock.pass_(seconds=42)
    worker.run_once()
    waited = bench.clock.now - event(1).received_at
    assert told(meter)["segue_delivery_seconds_sum", "shop"] == waited.total_seconds()


@pytest.mark.parametrize(
    ("fault", "why", "answer"),
    [
        (status(503), "server", "retry"),
        (status(429, Retry_After="9"), "throttled", "retry"),
        (status(401), "held", "config"),
        (reset, "unreachable", "unreachable"),
    ],
)
def test_what_is_put_off_is_counted_by_its_class(bench, worker, meter, fault, why, answer):
    bench.server.plan.append(fault)
    bench.append(event(1), event(2))
    worker.run_once()
    seen = told(meter)
    assert seen["segue_events_retried_total", "shop", why] == 2
    assert seen["segue_segment_requests_total", answer] == 1
    assert ("segue_events_delivered_total", "shop") not in seen


def test_an_event_without_an_endpoint_a_crowd_and_a_bug_are_classes_too(bench, worker, meter, monkeypatch):
    bench.append(event(1, source="gone"))
    worker.run_once()
    assert told(meter)["segue_events_retried_total", "gone", "no_endpoint"] == 1
    bench.append(event(2))

    def bug(claims):
        raise RuntimeError("a bug")

    monkeypatch.setattr(worker, "_dispatch", bug)
    with pytest.raises(RuntimeError):
        worker.run_once()
    assert told(meter)["segue_events_retried_total", "shop", "failed"] == 1


def test_what_a_full_lane_hands_back_is_counted_as_crowded(bench, meter, running, eventually):
    gate = threading.Event()
    for _ in range(8):
        bench.server.plan.append(lambda handler, request: (gate.wait(30), handler.accept(request)))
    bench.endpoints |= {"other": endpoint("other", write_key="free")}
    worker = bench.worker(meter=meter, settings={"batch": 1}, segment={"in_flight": 1, "write_key": "wk"})
    running(worker)
    bench.orders(6)
    eventually(lambda: told(meter).get(("segue_events_retried_total", "shop", "crowded"), 0) > 0)
    gate.set()
    eventually(lambda: told(meter).get(("segue_events_delivered_total", "shop"), 0) > 0)


def test_a_lost_lease_is_counted_and_its_event_is_not(bench, worker, meter):
    bench.append(event(1), event(2))
    bench.server.plan.append(lambda handler, request: (bench.journal.steal(1), handler.accept(request)))
    worker.run_once()
    seen = told(meter)
    assert seen["segue_leases_lost_total",] == 1
    assert seen["segue_events_delivered_total", "shop"] == 1


def test_a_worker_that_is_given_no_meter_counts_for_itself(bench):
    settings = WorkerSettings()
    worker = Worker(
        bench.journal, {}, metered(SegmentSettings(write_key="wk", url="http://127.0.0.1:9"), Meter()), settings,
        namespace="n",
    )  # fmt: skip
    assert worker.run_once() == 0
    worker.close()
