"""Render one scrape in the text format of Prometheus: the totals of all processes and the last snapshot.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from webhooks.journal.notes import WORKERS, WRITE_KEY_HOLDS, WriteKeyHold
from webhooks.journal.protocol import Notes, StoredNotes
from webhooks.monitoring.metrics.totals import Totals
from webhooks.monitoring.silence import SilenceTracker
from webhooks.monitoring.snapshot import JournalSnapshot, SnapshotTaker

ALIVE: Final = timedelta(seconds=60)
"""A worker writes its heartbeat every ten seconds."""
_WEB: Final = ("segue_webhooks_received", "segue_events_journalled", "segue_events_duplicate")
_WORKER: Final = ("segue_events_delivered", "segue_events_dead")


class Exposition:
    """`sources` are the configured endpoints: their counters are shown as 0 before they first count."""

    def __init__(
        self,
        totals: Totals,
        snapshots: SnapshotTaker,
        silence: SilenceTracker,
        journal: Notes,
        *,
        sources: Collection[str],
        clock: Callable[[], datetime],
    ) -> None:
        self._totals = totals
        self._snapshots = snapshots
        self._silence = silence
        self._journal = journal
        self._sources = tuple(sources)
        self._clock = clock

    def render(self, accept: str = "") -> tuple[bytes, str]:
        """Return the text and its content type. Raise `JournalUnavailable` if the journal is unavailable."""
        self._totals.flush()
        metrics = [*self._counters(), *self._gauges()]
        registry = CollectorRegistry()
        registry.register(_MetricList(metrics))
        encode, content_type = choose_encoder(accept)
        return encode(registry), content_type

    def _counters(self) -> Iterator[Metric]:
        for metric in self._totals.read():
            if metric.name in {*_WEB, *_WORKER}:
                present = {sample.labels["source"] for sample in metric.samples}
                for source in sorted({*self._sources} - present):
                    metric.add_sample(f"{metric.name}_total", {"source": source}, 0.0)
            yield metric

    def _gauges(self) -> Iterator[Metric]:
        now = self._clock()
        snapshot = self._snapshots.latest()
        yield from _journal(snapshot, now, self._sources)
        yield from _workers(self._journal.notes(), snapshot, now)
        limits = {source: limit for source, (_, limit) in self._silence.limits().items() if source in self._sources}
        yield gauge(
            "segue_source_silence_limit_seconds", "The longest silence that is still usual for a source.",
            [({"source": source}, limit) for source, limit in sorted(limits.items())],
        )  # fmt: skip
        build = {"version": version("segue"), "python": platform.python_version()}
        yield gauge("segue_build_info", "The running version.", [(build, 1.0)])


class _MetricList(Collector):
    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def gauge(name: str, documentation: str, samples: Iterable[tuple[Mapping[str, str], float]]) -> Metric:
    """Return a gauge with these samples."""
    family = GaugeMetricFamily(name, documentation)
    for labels, value in samples:
        family.add_sample(name, dict(labels), value)
    return family


def _journal(snapshot: JournalSnapshot, now: datetime, sources: Collection[str]) -> Iterator[Metric]:
    states: dict[str, Mapping[str, int]] = {source: {"pending": 0, "dead": 0} for source in sources}
    for source, by in snapshot.states.items():
        states[source] = {**states.get(source, {}), **by}
    yield gauge(
        "segue_journal_events", "Events in the journal, by state; pending is the backlog.",
        [({"source": source, "state": state}, n) for source, by in states.items() for state, n in by.items()],
    )  # fmt: skip
    ages = {
        source: (now - snapshot.oldest[source]).total_seconds() if source in snapshot.oldest else 0.0
        for source in states
    }
    yield gauge(
        "segue_backlog_oldest_seconds", "Age of the oldest pending event; 0 if there is none.",
        [({"source": source}, max(0.0, age)) for source, age in ages.items()],
    )  # fmt: skip
    yield gauge("segue_journal_size_bytes", "Size of the journal on disk.", [({}, snapshot.size)])
    disk = (
        []
        if snapshot.disk is None
        else [("free", "Free bytes", snapshot.disk[0]), ("size", "Total bytes", snapshot.disk[1])]
    )
    for name, label, value in disk:
        yield gauge(f"segue_disk_{name}_bytes", f"{label} on the journal's disk.", [({}, value)])
    yield gauge(
        "segue_survey_age_seconds", "Age of the gauges of the journal.", [({}, (now - snapshot.at).total_seconds())]
    )


def _workers(notes: StoredNotes, snapshot: JournalSnapshot, now: datetime) -> Iterator[Metric]:
    ages = [now - at for at, _ in WORKERS.read(notes).values()]
    yield gauge(
        "segue_workers", "Workers with a heartbeat in the last minute.", [({}, sum(age < ALIVE for age in ages))]
    )
    if ages:
        youngest = max(0.0, min(ages).total_seconds())
        yield gauge("segue_worker_heartbeat_age_seconds", "Age of the newest worker heartbeat.", [({}, youngest)])
    holds = {key: WRITE_KEY_HOLDS.of(key).read(notes) or WriteKeyHold() for key in snapshot.keys}
    yield gauge(
        "segue_write_key_held", "1 if Segment refuses a write key and its events wait.",
        [({"write_key": key}, float(hold.held)) for key, hold in holds.items()],
    )  # fmt: skip
