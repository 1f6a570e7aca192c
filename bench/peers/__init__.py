"""Servers that Segue's ingest is compared with, and how each is started."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench import database
from bench.install import NODE_MODULES
from bench.payloads import PATH, SECRET
from bench.peers.python_apps import create_table
from bench.processes import ProcessTree, free_port, running

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
BARE = "bare Flask"
SEGUE_APP = "webhooks.cli.gunicorn_conf:create_app()"
SEGUE_SETTINGS = ("--config", "python:webhooks.cli.gunicorn_conf")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a server runs: its folder, its port, how many processes, and a database of PostgreSQL if it needs one."""

    folder: Path
    port: int
    processes: int
    postgres: str = ""
    library: Path | None = None


@dataclass(frozen=True, slots=True)
class Command:
    """A process to start. One with a `port` is waited for."""

    words: Sequence[str]
    environment: Mapping[str, str] = field(default_factory=dict)
    port: int = 0
    counted: bool = True
    """Whether its processor time and fsyncs are the server's: those of a stand-in for Segment are not."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A server. `needs` are names of `bench.install`."""

    name: str
    commands: Callable[[Place], list[Command]]
    durable: str
    verifies: str
    needs: tuple[str, ...] = ()
    path: str = PATH
    note: str = ""


@dataclass(frozen=True, slots=True)
class Server:
    """A server that runs."""

    port: int
    trees: Sequence[ProcessTree]

    def cpu_seconds(self) -> float:
        """Return the processor time so far."""
        return sum(tree.cpu_seconds() for tree in self.trees)

    def fsyncs(self) -> int:
        """Return the fsyncs so far."""
        return sum(tree.fsyncs for tree in self.trees)


def _gunicorn(place: Place, app: str, *settings: str, **environment: str) -> list[Command]:
    words = [sys.executable, "-m", "gunicorn", app, *settings]
    return [Command(words, {**segue_environment(place), "PYTHONPATH": str(ROOT), **environment}, place.port)]


def segue_environment(place: Place) -> dict[str, str]:
    """Return the settings of Segue on a SQLite file in the place's folder, or on its database."""
    return {
        "PORT": str(place.port), "SEGUE_HOST": "127.0.0.1", "WEB_CONCURRENCY": str(place.processes),
        "SEGUE_DATABASE": place.postgres or f"sqlite:///{place.folder}/segue.db",
        "STRIPE_WEBHOOK_SECRET": SECRET, "SEGMENT_WRITE_KEY": "wk_bench",
    }  # fmt: skip


def _plain(place: Place, app: str) -> list[Command]:
    bind = f"127.0.0.1:{place.port}"
    return _gunicorn(place, app, "-k", "gevent", "-w", str(place.processes), "-b", bind, "--keep-alive", "95")


def segue(place: Place) -> list[Command]:
    """Return Segue's web processes."""
    return _gunicorn(place, SEGUE_APP, *SEGUE_SETTINGS)


def _slow_segue(place: Place) -> list[Command]:
    return _gunicorn(place, SEGUE_APP, *SEGUE_SETTINGS, LD_PRELOAD=str(place.library), SLOW_FSYNC_MS="2")


def _express(store: str, place: Place, processes: int = 0) -> list[Command]:
    redis, sink = free_port(), free_port()
    environment = {
        "PORT": str(place.port), "PROCESSES": str(processes or place.processes), "FOLDER": str(place.folder),
        "REDIS_PORT": str(redis), "SEGMENT_URL": f"http://127.0.0.1:{sink}", "NODE_PATH": str(NODE_MODULES),
        "NODE_ENV": "production",
    }  # fmt: skip
    before = []
    if store == "bull":
        words = ["redis-server", "--port", str(redis), "--bind", "127.0.0.1", "--dir", str(place.folder), "--save", ""]
        before = [Command([*words, "--appendonly", "yes", "--appendfsync", "always"], port=redis)]
    if store == "analytics":
        before = [Command(["node", str(HERE / "node/sink.js")], {"PORT": str(sink)}, sink, counted=False)]
    return [*before, Command(["node", str(HERE / "node/serve.js"), store], environment, place.port)]


def _hookspool(place: Place) -> list[Command]:
    config = (
        f'[intake]\nlisten = "127.0.0.1:{place.port}"\n[limits]\nmin_free_bytes = 1\n'
        '[sources.stripe]\nmodule = "bench.peers.hookspool_stripe"\n'
        'secrets = { signing = { env = "STRIPE_WEBHOOK_SECRET" } }\naction = "out"\n'
        f'[destinations.out]\ntype = "http"\nurl = "http://127.0.0.1:{free_port()}/"\nallow_insecure = true\n'
        'secret = { env = "STRIPE_WEBHOOK_SECRET" }\n'
    )
    (place.folder / "config.toml").write_text(config)
    environment = {
        "HOOKSPOOL_HOME": str(place.folder), "PYTHONPATH": str(ROOT), "STRIPE_WEBHOOK_SECRET": SECRET,
        "HOOKSPOOL_ALERT_DRY": "1",
    }  # fmt: skip
    words = [sys.executable, "-m", "hookspool"]
    return [Command([*words, "migrate"], environment), Command([*words, "intake"], environment, place.port)]


NODE = ("node", "npm packages")
ON_POSTGRES = ("Segue on PostgreSQL", "Flask, an INSERT a request on PostgreSQL")
PEERS = (
    Peer(BARE, lambda place: _plain(place, "bench.peers.python_apps:bare_flask()"), "no", "no"),
    Peer(
        "bare Flask, Segue's settings",
        lambda place: _gunicorn(place, "bench.peers.python_apps:bare_flask()", *SEGUE_SETTINGS), "no", "no",
    ),
    Peer("bare WSGI", lambda place: _plain(place, "bench.peers.python_apps:bare_wsgi"), "no", "no"),
    Peer("Segue", segue, "yes", "yes"),
    Peer("Segue, +2 ms a fsync", _slow_segue, "yes", "yes", ("gcc",)),
    Peer(ON_POSTGRES[0], segue, "yes", "yes", ("postgresql",)),
    Peer(
        ON_POSTGRES[1], lambda place: _plain(place, "bench.peers.python_apps:insert()"), "yes", "no", ("postgresql",)
    ),
    Peer("Express + Bull on Redis", lambda place: _express("bull", place), "yes", "yes", (*NODE, "redis-server")),
    Peer("Express + analytics-node", lambda place: _express("analytics", place), "no", "yes", NODE),
    Peer("Express + analytics-node, one process", lambda place: _express("analytics", place, 1), "no", "yes", NODE),
    Peer("Express + SQLite, a commit a request", lambda place: _express("sqlite", place), "yes", "yes", NODE),
    Peer("Express + SQLite, group commit", lambda place: _express("sqlite-group", place), "yes", "yes", NODE),
    Peer("hookspool", _hookspool, "yes", "yes", ("hookspool",), "/hooks/stripe"),
)  # fmt: skip
"""Bare Flask and bare WSGI have gunicorn's plain settings, with two gevent workers and keep-alive."""


@contextmanager
def serving(
    peer: Peer, folder: Path, *, processes: int, postgres: str = "", library: Path | None = None, trace: bool = False
) -> Iterator[Server]:
    """Run a server in an empty folder until the block ends. `postgres` is the URL of a server of PostgreSQL."""
    with ExitStack() as stack:
        url = ""
        if peer.name in ON_POSTGRES:
            url = stack.enter_context(database.schema(postgres))
        if peer.name == ON_POSTGRES[1]:
            create_table(url)
        place = Place(folder, free_port(), processes, url, library)
        trees = []
        for command in peer.commands(place):
            counted = trace and command.counted and bool(command.port)
            tree = stack.enter_context(
                running(command.words, folder=folder, environment=command.environment, trace=counted)
            )
            if command.port:
                tree.wait_for_port(command.port)
                trees += [tree] if command.counted else []
            else:
                tree.wait_for_end()
        yield Server(place.port, trees)


def versions() -> dict[str, str]:
    """Return the releases of the npm packages that are installed."""
    files = {name: NODE_MODULES / name / "package.json" for name in json.loads(_package())["dependencies"]}
    return {name: json.loads(path.read_text())["version"] for name, path in files.items() if path.exists()}


def _package() -> str:
    return (HERE / "node" / "package.json").read_text()
