"""The composition root: what a process is built from, and that nothing else builds it."""

import ast
import importlib
import logging
import os
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest

from support.acme import NOW, SECRET, body, make_source, signed
from support.events import event
from support.faulty_receiver import FaultyReceiver
from support.processes import SECRET as ACME_SECRET
from support.processes import environment
from webhooks.errors import JournalError, SettingsError, UnknownName
from webhooks.journal import SqliteJournal, State, is_absent, open_journal
from webhooks.journal.notes import WORKERS
from webhooks.monitoring.periodic_jobs import PeriodicJobs
from webhooks.monitoring.tracing import Tracer
from webhooks.runtime import Runtime, Service
from webhooks.segment import fingerprint
from webhooks.settings import EndpointSettings, SegmentSettings, Settings, WorkerSettings, variables
from webhooks.sources.plugins import Registry

ROOT = Path(__file__).parent.parent


@pytest.fixture
def environ(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run in a folder with a segue.toml, and with no other variable than those of the test."""
    monkeypatch.chdir(tmp_path)
    for name in set(os.environ) - set(variables()):
        monkeypatch.delenv(name)
    for name, value in environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return monkeypatch


def runtime(tmp_path, *, namespace="", write_key="wk", endpoints=None, **more):
    source = make_source()
    acme = EndpointSettings(name="acme", source="acme", secrets=(SECRET,))
    settings = Settings(
        database=f"sqlite:///{tmp_path}/segue.db", endpoints={"acme": acme} if endpoints is None else endpoints,
        namespace=namespace or "default", namespace_known=bool(namespace),
        segment=more.pop("segment", SegmentSettings(write_key=write_key)), **more,
    )  # fmt: skip
    registry = Registry((), {"acme": source, "other": type(source)("other", scheme=source.schemes)})
    return Runtime(settings, registry, clock=lambda: NOW)


# loading


def test_load_reads_plugins_and_settings_and_binds_the_endpoints(environ) -> None:
    loaded = Runtime.load()
    assert {"stripe", "acme"} <= set(loaded.sources)
    assert "acme" not in loaded.registry.sources, "it is described in segue.toml"
    assert loaded.open == ["acme"]
    assert loaded.endpoints["acme"].secrets == (ACME_SECRET,)
    assert loaded.namespace == loaded.settings.namespace
    assert loaded.origins["web.processes"][1] == "WEB_CONCURRENCY"


def test_load_raises_every_fault_and_load_or_default_ignores_them(environ) -> None:
    environ.setenv("PORT", "none")
    environ.setenv("SEGUE_LOG_LEVEL", "loud")
    with pytest.raises(SettingsError) as caught:
        Runtime.load()
    assert len(caught.value.faults) == 2
    default = Runtime.load_or_default(clock=lambda: NOW)
    assert (default.settings, default.endpoints, default.clock()) == (Settings(), {}, NOW)
    assert "stripe" in default.sources
    environ.undo()
    assert Runtime.load_or_default().clock().tzinfo is not None


def test_an_endpoint_is_configured_or_a_source_with_no_settings(tmp_path: Path) -> None:
    known = runtime(tmp_path)
    assert known.endpoint("acme") is known.endpoints["acme"]
    alone = known.endpoint("other")
    assert (alone.name, alone.source, alone.secrets) == ("other", known.sources["other"], ())
    with pytest.raises(UnknownName, match="No source or endpoint is called 'othr'") as caught:
        known.endpoint("othr")
    assert caught.value.hint.startswith("Did you mean other?")
    assert known.names == {"acme", "other"}


def test_write_key_fingerprints_are_those_of_all_configured_keys(tmp_path: Path) -> None:
    own = {
        name: EndpointSettings(name=name, source="acme", secrets=(SECRET,), write_key=key)
        for name, key in (("a", ""), ("b", "own"), ("c", "own"))
    }
    assert runtime(tmp_path, endpoints=own).write_key_fingerprints == sorted([fingerprint("wk"), fingerprint("own")])
    assert runtime(tmp_path, write_key="").write_key_fingerprints == []


# journal, clients, meter, tracer


def test_open_journal_takes_the_namespace_and_refuses_another(tmp_path: Path) -> None:
    runtime(tmp_path, namespace="shop-eu").open_journal().close()
    other = runtime(tmp_path, namespace="shop-us")
    with pytest.raises(SettingsError, match="shop-eu"):
        other.open_journal()
    other.open_journal(take_namespace=False).close()


def test_open_existing_creates_nothing_and_opens_another_journal_by_url(tmp_path: Path) -> None:
    installation = runtime(tmp_path)
    absent = installation.open_existing()
    assert is_absent(absent)
    assert not (tmp_path / "segue.db").exists()
    url = f"sqlite:///{tmp_path}/other.db"
    open_journal(url).close()
    other = installation.open_existing(url, change=True)
    other.append([event("e1")], now=NOW)
    other.close()
    reader = installation.open_existing(url)
    assert reader.count() == 1
    with pytest.raises(JournalError, match="only for reading"):
        reader.append([event("e1")], now=NOW)
    reader.close()


def test_a_process_has_one_meter_one_tracer_and_one_set_of_clients(tmp_path: Path) -> None:
    one = runtime(tmp_path)
    assert one.meter is one.meter
    assert one.tracer is one.tracer
    assert type(one.tracer) is Tracer
    assert one.clients is one.clients
    assert one.clients.of().fingerprint == fingerprint("wk")
    assert runtime(tmp_path).meter is not one.meter


# services


def test_the_web_service_serves_and_adds_its_counters_at_the_end(tmp_path: Path) -> None:
    web = runtime(tmp_path)
    closed = []
    web.tracer.close = lambda: closed.append("tracer")
    service = web.web_service()
    with service.running():
        assert service.app.test_client().get("/readyz").status_code == 200
        answer = service.app.test_client().post("/webhooks/acme", data=body(), headers=signed(body()))
        assert answer.get_json()["status"] == "accepted"
    journal = service.app.extensions["segue"].journal
    (row,) = journal.rows()
    assert (row.state, row.event.received_at) == (State.PENDING, NOW)
    assert any(key.startswith("segue_webhooks_received") for key in map(str, journal.tallies()))
    assert closed == ["tracer"]
    journal.close()


def test_the_web_service_uses_the_journal_that_it_is_given(tmp_path: Path) -> None:
    journal = open_journal(f"sqlite:///{tmp_path}/own.db")
    service = runtime(tmp_path).web_service(journal)
    assert service.app.extensions["segue"].journal is journal
    assert not (tmp_path / "segue.db").exists()
    journal.close()


def test_the_worker_service_delivers_and_closes_the_journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "*")
    closed = []
    close = SqliteJournal.close

    def close_and_count(journal):
        closed.append(journal)
        close(journal)

    monkeypatch.setattr(SqliteJournal, "close", close_and_count)
    with FaultyReceiver() as server:
        installation = runtime(
            tmp_path, segment=SegmentSettings(write_key="wk", url=server.url, rate=0),
            worker=WorkerSettings(poll=timedelta(milliseconds=5)),
        )  # fmt: skip
        journal = installation.open_journal()
        journal.append([event("e1", source="acme", type="thing.done", raw=body())], now=NOW)
        service = installation.worker_service()

        def stop_after_a_request():
            server.wait_for_requests(1)
            service.worker.stop()

        threading.Timer(0.1, stop_after_a_request).start()
        with service.running():
            service.worker.run()
        assert len(server.ids) == 1
    assert [row.state for row in journal.rows()] == [State.DELIVERED]
    ((at, heartbeat),) = WORKERS.read(journal.notes()).values()
    assert (at, heartbeat.delivered) == (NOW, 1)
    assert any(key.startswith("segue_events_delivered") for key in map(str, journal.tallies()))
    assert len(closed) == 1
    journal.close()


def test_a_service_stops_its_jobs_before_it_closes_what_they_use() -> None:
    order = []

    class Job(PeriodicJobs):
        def __init__(self, name):
            super().__init__({})
            self.name = name

        def __enter__(self):
            order.append(f"start {self.name}")
            return self

        def __exit__(self, *_):
            order.append(f"stop {self.name}")

    service = Service(
        jobs=(Job("counting"), Job("watching")),
        at_end=(lambda: order.append("tracer"), lambda: order.append("journal")),
    )
    with pytest.raises(ZeroDivisionError), service.running():
        order.append("main")
        _ = 1 / 0
    expected = ["start counting", "start watching", "main", "stop watching", "stop counting", "tracer", "journal"]
    assert order == expected


# gunicorn


@pytest.fixture
def gunicorn_conf(environ):
    sys.modules.pop("webhooks.cli.gunicorn_conf", None)
    yield importlib.import_module("webhooks.cli.gunicorn_conf")
    sys.modules.pop("webhooks.cli.gunicorn_conf", None)


def test_gunicorn_runs_the_application_and_its_jobs_until_the_process_ends(gunicorn_conf, tmp_path: Path) -> None:
    assert (gunicorn_conf.workers, gunicorn_conf.bind) == (1, "127.0.0.1:8000")
    app = gunicorn_conf.create_app(lambda: NOW)
    handler = app.extensions["segue"]
    assert (handler.clock(), sorted(handler.endpoints)) == (NOW, ["acme"])
    assert app.test_client().post("/webhooks/acme", data=b"{}").status_code == 401
    assert [thread.name for thread in threading.enumerate()].count("periodic-jobs") == 2
    gunicorn_conf.worker_exit(None, None)
    assert "periodic-jobs" not in [thread.name for thread in threading.enumerate()]
    assert handler.journal.tallies()
    handler.journal.close()


def test_a_reload_applies_to_new_processes_and_keeps_the_settings_if_the_new_ones_are_wrong(
    gunicorn_conf, environ, caplog: pytest.LogCaptureFixture
) -> None:
    environ.setenv("SEGUE_ACME_PUBLIC_URL", "https://hooks.example.com/acme")
    gunicorn_conf.on_reload(None)
    environ.setenv("PORT", "none")
    with caplog.at_level(logging.ERROR):
        gunicorn_conf.on_reload(None)
    assert "the settings were not loaded again" in caplog.text
    handler = gunicorn_conf.create_app().extensions["segue"]
    assert handler.endpoints["acme"].public_url == "https://hooks.example.com/acme"
    gunicorn_conf.worker_exit(None, None)
    handler.journal.close()


# the only place


COMPOSING = {
    "webhooks.journal": {"open_journal", "open_existing"},
    "webhooks.journal.open": {"open_journal", "open_existing"},
    "webhooks.settings": {"load", "load_with_origins"},
    "webhooks.settings.loader": {"load", "load_with_origins"},
    "webhooks.sources": {"plugins"},
    "webhooks.sources.plugins": {"load"},
    "webhooks.sources.endpoints": {"bind"},
    "webhooks.monitoring.tracing": {"open_tracer"},
    "webhooks.monitoring.alerts": {"AlertWatcher"},
    "webhooks.deliver": {"metered", "Worker", "DeliveryContext"},
    "webhooks.web.app": {"create_app"},
}


def composing(path):
    """Yield what a module imports to build a process from."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module in COMPOSING:
            yield from (alias.name for alias in node.names if alias.name in COMPOSING[node.module])


def test_only_the_runtime_loads_settings_opens_journals_and_builds_services() -> None:
    builders = {
        path.relative_to(ROOT / "webhooks").as_posix(): sorted(names)
        for path in (ROOT / "webhooks").rglob("*.py")
        if (names := set(composing(path))) and path.name != "__init__.py"
    }
    assert set(builders) == {"runtime.py"}
    assert {"open_journal", "open_existing", "load_with_origins", "bind", "Worker"} <= set(builders["runtime.py"])


def loaded_by(code):
    done = subprocess.run(
        [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_the_runtime_imports_nothing_that_a_process_does_not_use() -> None:
    heavy = {"flask", "requests", "prometheus_client", "sqlite3", "psycopg", "cryptography", "gevent", "click"}
    modules = loaded_by("import webhooks.runtime")
    assert not modules & heavy
    assert not [name for name in modules if name.startswith(("webhooks.web", "webhooks.deliver", "webhooks.journal"))]


def test_segue_help_does_not_load_the_runtime() -> None:
    code = (
        "from click.testing import CliRunner\nfrom webhooks.cli.main import main\nCliRunner().invoke(main, ['--help'])"
    )
    modules = loaded_by(code)
    assert "click" in modules
    assert not modules & {"webhooks.runtime", "webhooks.sources.plugins", "requests"}


def test_a_web_process_does_not_load_requests(tmp_path: Path) -> None:
    environment = {"SEGUE_DATABASE": f"sqlite:///{tmp_path}/segue.db", "SEGMENT_WRITE_KEY": "k"}
    modules = loaded_by(
        f"import os\nos.environ.update({environment!r})\nfrom webhooks.runtime import Runtime\n"
        "Runtime.load().web_service()"
    )
    assert {"webhooks.web.app", "webhooks.segment.client"} <= modules
    assert not modules & {"requests", "urllib3"}
