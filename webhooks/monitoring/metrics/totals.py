"""What all processes have counted, kept in the journal: they share nothing else, on one machine or on many.

Each process adds what it counted since the last time, in one transaction. So a total never goes backwards and nothing
is doubled when a process starts again; one that is killed takes what it counted in its last seconds with it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Final

import msgspec
from prometheus_client.core import Metric
from prometheus_client.samples import Sample

from webhooks.journal import Journal
from webhooks.monitoring.metrics.meter import Meter

_encode: Final = msgspec.json.Encoder(order="deterministic").encode
_LABELS: Final = msgspec.json.Decoder(dict[str, str])


class Totals:
    """`flush` adds what this process counted to what the journal keeps; `read` gives all of it."""

    def __init__(self, meter: Meter, journal: Journal) -> None:
        self._meter = meter
        self._journal = journal
        self._told: dict[str, float] = {}
        self._lock = threading.Lock()

    def flush(self) -> None:
        """Add what is new. `JournalUnavailable` where the journal is away; it is added another time then."""
        with self._lock:
            self._sample()
            amounts: dict[str, float] = {}
            marks: dict[str, float] = {}
            for metric in self._meter.registry.collect():
                new, unset = (marks, 0.0) if metric.type == "gauge" else (amounts, None)  # a counter begins with its 0
                for sample in metric.samples:
                    key = _key(sample)
                    if not sample.name.endswith("_created") and sample.value != self._told.get(key, unset):
                        new[key] = sample.value
            if amounts or marks:
                added = {key: value - self._told.get(key, 0.0) for key, value in amounts.items()}
                self._journal.tally(added, marks=marks)
                self._told |= amounts | marks

    def read(self) -> Iterator[Metric]:
        """Every series of all processes, in order of name and labels."""
        kept = self._journal.tallies()
        for family in self._meter.registry.collect():  # another version may have counted what this one does not know
            metric = Metric(family.name, family.documentation, family.type)
            found = [Sample(name, *told) for name in _sample_names(family) for told in labelled(kept, name)]
            metric.samples = sorted(found, key=_order)
            yield metric

    def _sample(self) -> None:
        """Take the journal's samples of its commits away, and count them."""
        samples = self._journal.stats.samples
        for _ in range(len(samples)):
            events, seconds = samples.popleft()
            self._meter.group.observe(events)
            self._meter.commit.observe(seconds)


def labelled(tallies: Mapping[str, float], name: str) -> Iterator[tuple[dict[str, str], float]]:
    """Every label set of one series among the journal's tallies, with its value."""
    for key, value in tallies.items():
        if key.startswith(f"{name} "):
            yield _LABELS.decode(key.partition(" ")[2]), value


def _key(sample: Sample) -> str:
    return f"{sample.name} {_encode(sample.labels).decode()}"


def _sample_names(family: Metric) -> tuple[str, ...]:
    tails = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
    return tuple(family.name + tail for tail in tails)


def _order(sample: Sample) -> tuple[object, ...]:
    """A histogram's buckets stand together, in order of their bounds, before its count and sum."""
    labels = dict(sample.labels)
    bound = float(labels.pop("le", "inf"))
    return sorted(labels.items()), not sample.name.endswith("_bucket"), bound, sample.name
