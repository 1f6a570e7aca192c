"""Processor time to translate an event: the median over all goldens, each source, and the slowest handlers."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

from bench.context import Context
from bench.job import ROOT, job
from bench.measure import Case, Column, SharedMeasurement, Suite, Values, percentile
from webhooks.sources import plugins
from webhooks.sources.runtime import SourceRuntime
from webhooks.translation.goldens import NAMESPACE, endpoint, find_goldens
from webhooks.translation.translate import Translated, translate

COLUMNS = (
    Column("median", "median us", ",.1f"),
    Column("p90", "p90 us", ",.1f"),
    Column("slowest", "slowest us", ",.1f"),
    Column("slow", "types over 60 us"),
    Column("events", "events"),
)
ALL = "all goldens"
SLOW = 60.0
SHOWN = 12
TRIES = 7
"""The median of so many tries is an event's time; the first, which builds tables, is not among them."""


def suite(context: Context) -> Suite:
    """Return a row for all sources together and one for each."""
    notes: list[str] = []

    def measured() -> Mapping[str, Values]:
        with context.scratch() as folder:
            result = job(measure, folder)
        slow = ", ".join(f"{handler} {time_:.0f}" for handler, time_ in result["slow"][:SHOWN])
        notes[:] = [f"The slowest types, in us: {slow}."]
        return dict(result["rows"])

    shared = SharedMeasurement(measured)
    names = [ALL] if context.options.quick else [ALL, *sorted(plugins.load().sources)]
    cases = [Case(name, partial(shared.row, name)) for name in names]
    return Suite("translate", "Translation", COLUMNS, cases, rate="median", notes=notes)


def measure() -> dict[str, Any]:
    """Return the figures of each source, and the slow types. In a process of its own."""
    every: list[float] = []
    rows: dict[str, dict[str, float]] = {}
    slow: list[tuple[str, float]] = []
    for name, source in plugins.load().sources.items():
        types: dict[str, list[float]] = {}
        for golden in find_goldens(ROOT / "tests" / "golden" / name):
            delivery = golden.delivery(source)
            runtime, at = SourceRuntime(source), endpoint(source, delivery.options)
            if "malformed" in golden.name or runtime.handshake(delivery) is not None:
                continue
            for event in runtime.events(delivery):
                outcome = translate(event, at, namespace=NAMESPACE)
                if isinstance(outcome, Translated):
                    types.setdefault(event.type, []).append(
                        timed(lambda event=event, at=at: translate(event, at, namespace=NAMESPACE))
                    )
        times = [time_ for many in types.values() for time_ in many]
        medians = {type_: statistics.median(many) for type_, many in types.items()}
        over = [(f"{name} {type_}", median) for type_, median in medians.items() if median > SLOW]
        rows[name] = _row(times, len(over))
        slow += over
        every += times
    rows[ALL] = _row(every, len(slow))
    return {"rows": rows, "slow": sorted(slow, key=lambda pair: -pair[1])}


def timed(work: Any) -> float:
    """Return the median of some tries, in microseconds."""
    times = []
    for _ in range(TRIES):
        start = time.process_time()
        work()
        times.append((time.process_time() - start) * 1e6)
    return statistics.median(times)


def _row(times: list[float], slow: int) -> dict[str, float]:
    if not times:
        return {"events": 0}
    return {
        "median": statistics.median(times), "p90": percentile(times, 0.9), "slowest": max(times), "slow": slow,
        "events": len(times),
    }  # fmt: skip
