"""Everything that a scrape can show."""

import shutil

import pytest

from events import NOW
from webhooks.journal import SqliteJournal
from webhooks.monitoring.metrics import Exposition, Meter, SilenceTracker, SnapshotTaker, Totals


@pytest.fixture(scope="session")
def promtool():
    """Prometheus' own checker, where it is installed (Debian: the package prometheus)."""
    found = shutil.which("promtool")
    if found is None:
        pytest.skip("promtool is not installed")
    return found


@pytest.fixture
def exposition(tmp_path):
    """Everything that can be told, with one sample of each labelled series."""
    journal = SqliteJournal(tmp_path / "j.db")
    meter = Meter()
    for family in vars(meter).values():
        if getattr(family, "_labelnames", ()):
            child = family.labels(*["acme"] * len(family._labelnames))
            getattr(child, "inc", getattr(child, "observe", None))(1)
    survey = SnapshotTaker(journal, f"sqlite:///{tmp_path}/j.db", keys=["abc"], clock=lambda: NOW)
    survey.take()
    journal.note("worker:w", {}, now=NOW)
    totals = Totals(meter, journal)
    totals.flush()
    pulse = SilenceTracker(journal, clock=lambda: NOW)
    pulse.listen()
    yield Exposition(totals, survey, pulse, journal, sources=["acme"], clock=lambda: NOW)
    journal.close()


@pytest.fixture
def exported(exposition):
    """Names, kinds and labels, as a scrape shows them."""
    from prometheus_client.parser import text_string_to_metric_families as parse

    found = {}
    for family in parse(exposition.render()[0].decode()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert family.samples, f"{name} shows nothing"
        found[name] = (family.type, frozenset().union(*(sample.labels for sample in family.samples)) - {"le"})
    return found
