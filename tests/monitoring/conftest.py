"""A scrape with every series."""

import shutil
from pathlib import Path

import pytest

from support.events import NOW
from webhooks.journal import SqliteJournal
from webhooks.monitoring.metrics import Exposition, Meter, SilenceTracker, SnapshotTaker, Totals


@pytest.fixture(scope="session")
def promtool():
    """Prometheus' own checker, if it is installed (Debian package: prometheus)."""
    path = shutil.which("promtool")
    if path is None:
        pytest.skip("promtool is not installed")
    return path


@pytest.fixture
def exposition(tmp_path: Path):
    """An exposition with one sample of each labelled series."""
    journal = SqliteJournal(tmp_path / "j.db")
    meter = Meter()
    for family in vars(meter).values():
        if getattr(family, "_labelnames", ()):
            child = family.labels(*["acme"] * len(family._labelnames))
            (child.inc if hasattr(child, "inc") else child.observe)(1)
    snapshots = SnapshotTaker(journal, f"sqlite:///{tmp_path}/j.db", keys=["abc"], clock=lambda: NOW)
    snapshots.take()
    journal.note("worker:w", {}, now=NOW)
    totals = Totals(meter, journal)
    totals.flush()
    silence = SilenceTracker(journal, clock=lambda: NOW)
    silence.learn()
    yield Exposition(totals, snapshots, silence, journal, sources=["acme"], clock=lambda: NOW)
    journal.close()


@pytest.fixture
def exported(exposition):
    """Names, kinds and labels of the series in a scrape."""
    from prometheus_client.parser import text_string_to_metric_families as parse

    series = {}
    for family in parse(exposition.render()[0].decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert family.samples, f"{name} shows nothing"
        series[name] = (family.type, frozenset().union(*(sample.labels for sample in family.samples)) - {"le"})
    return series
