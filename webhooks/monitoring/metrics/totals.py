"""The counts of all processes, stored in the journal: it is all they share, on one machine or on many.

Each process adds its new counts in one transaction. So a total never goes backwards, and a restart doubles nothing. A
process that is killed loses the counts of its last seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Final, Protocol

import msgspec
from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from webhooks.journal.protocol import Counters, Store
from webhooks.monitoring.metrics.meter import Meter

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_LABELS: Final = msgspec.json.Decoder(dict[str, str])


class CountedJournal(Counters, Store, Protocol):
    """What `Totals` uses of the journal."""


class Totals:
    """`flush` adds this process's new counts to the journal; `read` returns the totals."""

    def __init__(self, meter: Meter, journal: CountedJournal) -> None:
        self._meter = meter
        self._journal = journal
        self._flushed: dict[str, float] = {}
        self._lock = threading.Lock()

    def flush(self) -> None:
        """Add the new counts. If that raises `JournalUnavailable`, a later call adds them."""
        with self._lock:
            self._sample()
            amounts: dict[str, float] = {}
            marks: dict[str, float] = {}
            for metric in self._meter.registry.collect():
                new, unset = (marks, 0.0) if metric.type == "gauge" else (amounts, None)  # a counter starts at 0
                for sample in metric.samples:
                    key = _key(sample)
                    if not sample.name.endswith("_created") and sample.value != self._flushed.get(key, unset):
                        new[key] = sample.value
            if amounts or marks:
                added = {key: value - self._flushed.get(key, 0.0) for key, value in amounts.items()}
                self._journal.tally(added, marks=marks)
                self._flushed |= amounts | marks

    def read(self) -> Iterator[Metric]:
        """Yield every series of all processes, in order of name and labels."""
        totals = self._journal.tallies()
        for family in self._meter.registry.collect():  # the journal may have series of another version
            metric = Metric(family.name, family.documentation, family.type)
            samples = [Sample(name, *entry) for name in _sample_names(family) for entry in labelled(totals, name)]
            metric.samples = sorted(samples, key=_order)
            yield metric

    def _sample(self) -> None:
        """Move the journal's commit samples into the meter."""
        samples = self._journal.stats.samples
        for _ in range(len(samples)):
            events, seconds = samples.popleft()
            self._meter.group.observe(events)
            self._meter.commit.observe(seconds)


def labelled(tallies: Mapping[str, float], name: str) -> Iterator[tuple[dict[str, str], float]]:
    """Yield every label set of one series in the journal's totals, with its value."""
    for key, value in tallies.items():
        if key.startswith(f"{name} "):
            yield _LABELS.decode(key.partition(" ")[2]), value


def _key(sample: Sample) -> str:
    return f"{sample.name} {_encode(sample.labels).decode()}"


def _sample_names(family: Metric) -> tuple[str, ...]:
    tails = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
    return tuple(family.name + tail for tail in tails)


def _order(sample: Sample) -> tuple[object, ...]:
    """Return a sort key: a histogram's buckets by their bounds, then its count and sum."""
    labels = dict(sample.labels)
    bound = float(labels.pop("le", "inf"))
    return sorted(labels.items()), not sample.name.endswith("_bucket"), bound, sample.name
