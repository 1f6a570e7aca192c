"""Totals of several processes never go backwards and are never doubled by a restart."""

import math
import threading
from contextlib import nullcontext
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.samples import Sample

from support.events import NOW, event
from support.memory_journal import MemoryJournal
from webhooks.errors import JournalUnavailable
from webhooks.monitoring.metrics import Meter, Totals


def process(journal):
    meter = Meter()
    return meter, Totals(meter, journal)


def read(totals):
    return {(s.name, *sorted(s.labels.items())): s.value for metric in totals.read() for s in metric.samples}


def received(totals, source="acme"):
    return read(totals).get(("segue_webhooks_received_total", ("source", source)))


def test_the_counts_of_several_processes_are_added() -> None:
    journal = MemoryJournal()
    (one, first), (two, second) = process(journal), process(journal)
    one.endpoint("acme").received.inc(2)
    two.endpoint("acme").received.inc(3)
    two.endpoint("other").received.inc()
    first.flush()
    assert received(second) == 2
    second.flush()
    assert (received(first), received(first, "other")) == (5, 1)
    first.flush()
    second.flush()
    assert received(first) == 5


def test_a_restarted_process_continues_from_the_totals() -> None:
    journal = MemoryJournal()
    for _ in range(3):
        meter, totals = process(journal)
        meter.endpoint("acme").received.inc()
        totals.flush()
    assert received(totals) == 3


def test_a_journal_outage_loses_and_doubles_no_counts() -> None:
    journal = MemoryJournal()
    meter, totals = process(journal)
    meter.endpoint("acme").received.inc()
    journal.away = True
    for _ in range(2):
        with pytest.raises(JournalUnavailable):
            totals.flush()
        meter.endpoint("acme").received.inc()
    journal.away = False
    totals.flush()
    assert received(totals) == 3


def test_counters_start_at_zero_and_gauges_do_not() -> None:
    meter, totals = process(MemoryJournal())
    meter.endpoint("acme")
    totals.flush()
    samples = read(totals)
    assert samples[("segue_leases_lost_total",)] == 0
    assert samples[("segue_events_journalled_total", ("source", "acme"))] == 0
    assert not any(name == "segue_source_last_event_timestamp_seconds" for name, *_ in samples)


def test_the_last_event_time_is_the_latest_of_all_processes() -> None:
    journal = MemoryJournal()
    (one, first), (two, second) = process(journal), process(journal)
    one.endpoint("acme").last.set(2000)
    two.endpoint("acme").last.set(1000)
    first.flush()
    second.flush()
    assert read(first)[("segue_source_last_event_timestamp_seconds", ("source", "acme"))] == 2000


def test_a_histogram_keeps_all_its_buckets_in_order() -> None:
    journal = MemoryJournal()
    for seconds in (0.2, 40.0, 1e9):
        meter, totals = process(journal)
        meter.latency.labels("acme").observe(seconds)
        totals.flush()
    (family,) = [metric for metric in totals.read() if metric.name == "segue_delivery_seconds"]
    buckets = [(float(s.labels["le"]), s.value) for s in family.samples if s.name.endswith("_bucket")]
    assert [bound for bound, _ in buckets] == sorted(bound for bound, _ in buckets)
    assert len(buckets) == 15
    assert dict(buckets)[0.1] == 0
    assert dict(buckets)[60.0] == 2
    assert dict(buckets)[math.inf] == 3
    assert [(s.name, s.value) for s in family.samples[15:]] == [
        ("segue_delivery_seconds_count", 3), ("segue_delivery_seconds_sum", 1e9 + 40.2),
    ]  # fmt: skip


def test_series_of_another_version_are_ignored() -> None:
    journal = MemoryJournal()
    journal.tally({'segue_of_tomorrow_total {"source":"acme"}': 4})
    _, totals = process(journal)
    assert not any(isinstance(s, Sample) and "tomorrow" in s.name for metric in totals.read() for s in metric.samples)


def test_commits_are_counted_with_their_group_size() -> None:
    journal = MemoryJournal()
    journal.stats.samples.extend([(1, 0.001), (40, 0.02)])
    _, totals = process(journal)
    totals.flush()
    samples = read(totals)
    assert (samples[("segue_journal_group_events_sum",)], samples[("segue_journal_group_events_count",)]) == (41, 2)
    assert samples[("segue_journal_commit_seconds_count",)] == 2
    assert not journal.stats.samples


def test_concurrent_counts_and_flushes_lose_nothing() -> None:
    journal = MemoryJournal()
    meter, totals = process(journal)

    def count():
        for _ in range(500):
            meter.endpoint("acme").received.inc()
            meter.answered.observe(0.1)
            totals.flush() if _ % 50 == 0 else None

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    totals.flush()
    assert received(totals) == 2000
    assert read(totals)[("segue_webhook_seconds_count",)] == 2000


STEP = st.tuples(st.sampled_from(["count", "count", "flush", "kill", "outage", "end of outage"]), st.integers(0, 2))


@settings(max_examples=60, deadline=None)
@given(st.lists(STEP, max_size=40))
def test_a_total_is_the_sum_of_flushed_counts_and_never_falls(steps) -> None:
    journal = MemoryJournal()
    processes = [process(journal) for _ in range(3)]
    unflushed, flushed, shown = [0, 0, 0], 0, 0.0
    for step, index in steps:
        meter, totals = processes[index]
        if step == "count":
            meter.endpoint("acme").received.inc()
            unflushed[index] += 1
        elif step == "flush" and not journal.away:
            totals.flush()
            flushed += unflushed[index]
            unflushed[index] = 0
        elif step == "flush":
            with pytest.raises(JournalUnavailable) if unflushed[index] or not totals._flushed else nullcontext():
                totals.flush()
        elif step == "kill":
            processes[index], unflushed[index] = process(journal), 0
        else:
            journal.away = step == "outage"
        if not journal.away:
            now = received(processes[0][1]) or 0.0
            assert now == flushed >= shown
            shown = now


def test_totals_over_sqlite(tmp_path: Path) -> None:
    from webhooks.journal import SqliteJournal

    journal = SqliteJournal(tmp_path / "j.db")
    meter, totals = process(journal)
    meter.endpoint("acme").received.inc()
    journal.append([event("a"), event("b")], now=NOW)
    totals.flush()
    samples = read(totals)
    assert samples[("segue_journal_group_events_sum",)] == 2
    assert received(totals) == 1
    journal.close()
