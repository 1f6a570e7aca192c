"""The metrics of a worker."""

import threading

import pytest

from support.delivery_bench import MemoryBench
from support.faulty_receiver import reset, status, wait_for
from support.messages import endpoint, event
from webhooks.deliver import DeliveryContext, Worker, metered
from webhooks.monitoring.metrics import Meter
from webhooks.settings import SegmentSettings, WorkerSettings


@pytest.fixture
def meter():
    return Meter()


@pytest.fixture
def worker(bench: MemoryBench, meter):
    return bench.worker(clients=lambda settings: metered(settings, meter), meter=meter)


def samples(meter):
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in meter.registry.collect() for sample in family.samples if sample.value and "_created" not in sample.name
    }  # fmt: skip


def test_events_are_counted_by_outcome(bench: MemoryBench, worker, meter) -> None:
    bench.append(
        event(1), event(2, '{"parts": 3}'), event(3, type="skipped"), event(4, type="broken"), event(5, type="unknown")
    )
    worker.run_once()
    counts = samples(meter)
    outcomes = {name[2]: value for name, value in counts.items() if name[0] == "segue_events_translated_total"}
    assert outcomes == {"translated": 2, "ignored": 1, "broken": 1, "unsupported": 1}
    assert counts["segue_events_delivered_total", "shop"] == 2
    assert counts["segue_events_dead_total", "shop"] == 1
    assert (counts["segue_batch_messages_count",], counts["segue_batch_messages_sum",]) == (1, 4)
    assert counts["segue_segment_requests_total", "accepted"] == 1
    assert counts["segue_segment_request_seconds_count",] == 1


def test_latency_is_measured_from_received_to_delivered(bench: MemoryBench, worker, meter) -> None:
    bench.append(event(1))
    bench.clock.pass_(seconds=42)
    worker.run_once()
    waited = bench.clock.now - event(1).received_at
    assert samples(meter)["segue_delivery_seconds_sum", "shop"] == waited.total_seconds()


@pytest.mark.parametrize(
    ("fault", "reason", "response"),
    [
        (status(503), "server", "retry"),
        (status(429, Retry_After="9"), "throttled", "retry"),
        (status(401), "held", "config"),
        (reset, "unreachable", "unreachable"),
    ],
)
def test_postponed_events_are_counted_by_retry_reason(
    bench: MemoryBench, worker, meter, fault, reason, response
) -> None:
    bench.server.plan.append(fault)
    bench.append(event(1), event(2))
    worker.run_once()
    counts = samples(meter)
    assert counts["segue_events_retried_total", "shop", reason] == 2
    assert counts["segue_segment_requests_total", response] == 1
    assert ("segue_events_delivered_total", "shop") not in counts


def test_missing_endpoint_and_worker_bug_are_retry_reasons(
    bench: MemoryBench, worker, meter, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.append(event(1, source="gone"))
    worker.run_once()
    assert samples(meter)["segue_events_retried_total", "gone", "no_endpoint"] == 1
    bench.append(event(2))

    def bug(claims):
        raise RuntimeError("a bug")

    monkeypatch.setattr(worker.dispatcher, "dispatch", bug)
    with pytest.raises(RuntimeError):
        worker.run_once()
    assert samples(meter)["segue_events_retried_total", "shop", "failed"] == 1


def test_events_released_by_a_full_queue_are_counted_as_crowded(bench: MemoryBench, meter, running, eventually) -> None:
    gate = threading.Event()
    for _ in range(8):
        bench.server.plan.append(wait_for(gate))
    bench.endpoints |= {"other": endpoint("other", write_key="free")}
    worker = bench.worker(meter=meter, settings={"batch": 1}, segment={"in_flight": 1, "write_key": "wk"})
    running(worker)
    bench.orders(6)
    eventually(lambda: samples(meter).get(("segue_events_retried_total", "shop", "crowded"), 0) > 0)
    gate.set()
    eventually(lambda: samples(meter).get(("segue_events_delivered_total", "shop"), 0) > 0)


def test_a_lost_lease_is_counted_and_its_event_is_not_counted_as_delivered(bench: MemoryBench, worker, meter) -> None:
    bench.append(event(1), event(2))

    def steal_and_accept(handler, request):
        bench.journal.steal(1)
        handler.accept(request)

    bench.server.plan.append(steal_and_accept)
    worker.run_once()
    counts = samples(meter)
    assert counts["segue_leases_lost_total",] == 1
    assert counts["segue_events_delivered_total", "shop"] == 1


def test_a_worker_without_a_meter_makes_its_own(bench: MemoryBench) -> None:
    clients = metered(SegmentSettings(write_key="wk", url="http://127.0.0.1:9"), Meter())
    context = DeliveryContext(journal=bench.journal, endpoints={}, clients=clients, namespace="n")
    worker = Worker(context, WorkerSettings())
    assert worker.run_once() == 0
    worker.close()
