"""PostgreSQL that is killed, restarted, paused, and fails over to a synchronous standby, under load."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Self
from urllib.parse import urlsplit

import psycopg

from faults.kill import killed_processes
from faults.testbed import Report, Testbed
from support.postgres_server import Server, fresh_database

Say = Callable[[str], None]


def killed_with_postgres(rounds: int, *, seed: int, say: Say) -> Report:
    """Kill processes of Segue and the whole PostgreSQL by SIGKILL at random moments."""
    with Server() as server, fresh_database(server.url()) as url:
        return killed_processes(rounds, seed=seed, database=url, server=server, say=say)


def restarted_and_paused(rounds: int, *, seed: int, say: Say) -> Report:
    """Restart PostgreSQL (fast or immediately) or pause it, again and again."""
    rng = random.Random(seed)
    with (
        Server() as server,
        fresh_database(server.url()) as url,
        Testbed("PostgreSQL restarted and paused", database=url, pause=0.002, SEGUE_LOG_LEVEL="error") as testbed,
    ):
        testbed.send()
        done = []
        for number in range(rounds):
            time.sleep(rng.uniform(0.3, 1.0))
            done.append(rng.choice(["fast restart", "immediate restart", "pause"]))
            say(f"{number + 1}/{rounds}: {done[-1]}, {len(testbed.acked)} acknowledged")
            if done[-1] == "pause":
                server.pause()
                time.sleep(rng.uniform(0.5, 4.0))
                server.resume()
            else:
                server.restart(mode=done[-1].split()[0])
            testbed.service.wait_until_ready()
        testbed.rest()
        return testbed.report(
            detail=f"seed {seed}: " + ", ".join(f"{done.count(what)} {what}s" for what in sorted(set(done)))
        )


def failover(rounds: int, *, seed: int, say: Say) -> Report:
    """Kill the primary; its synchronous standby is promoted and gets a standby of its own. Reported over all rounds."""
    rng = random.Random(seed)
    with contextlib.ExitStack() as stack:
        primary = stack.enter_context(Server())
        url = stack.enter_context(_kept_database(primary))
        name = urlsplit(url).path.removeprefix("/")
        ports = [primary.port]
        standbys = [Standby(primary)]
        stack.enter_context(standbys[0])
        ports.append(standbys[0].port)
        for _ in range(rounds - 1):
            standbys.append(stack.enter_context(Standby.reserved(primary)))
            ports.append(standbys[-1].port)
        hosts = ",".join(f"127.0.0.1:{port}" for port in ports)
        password = urlsplit(primary.url()).password
        many = f"postgresql://postgres:{password}@{hosts}/{name}?target_session_attrs=read-write"
        with Testbed("PostgreSQL fails over", database=many, pause=0.002, SEGUE_LOG_LEVEL="error") as testbed:
            testbed.send()
            for number, standby in enumerate(standbys):
                if number:
                    standby.follow(primary)
                make_synchronous(primary)
                time.sleep(rng.uniform(1.0, 2.0))
                say(f"{number + 1}/{rounds}: the primary dies, {len(testbed.acked)} acknowledged")
                primary.kill()
                standby.promote()
                primary = standby
                testbed.service.wait_until_ready()
            testbed.rest()
            return testbed.report(detail=f"{rounds} failovers to a synchronous standby")


class Standby(Server):
    """A copy of another server that follows its log; `promote` makes it the primary."""

    def __init__(self, primary: Server, *, now: bool = True) -> None:
        self._primary = primary
        self._now = now
        super().__init__()
        self._password = primary._password

    @classmethod
    def reserved(cls, primary: Server) -> Standby:
        """Return a server that has a port; `follow` makes it."""
        return cls(primary, now=False)

    def __enter__(self) -> Self:
        if self._now:
            self.start()
        return self

    def _init(self) -> None:
        if self._now:
            self._copy()

    def follow(self, primary: Server) -> None:
        self._primary = primary
        self._copy()
        self.start()

    def _copy(self) -> None:
        if self._user:
            os.chown(self.folder, self._user["user"], self._user["group"])
        shutil.rmtree(self._data, ignore_errors=True)
        subprocess.run(
            [
                self._bin / "pg_basebackup", "--pgdata", self._data, "--write-recovery-conf", "--checkpoint=fast",
                "--dbname", self._primary.url(), "--no-sync",
            ],
            check=True, capture_output=True, cwd=self.folder, env=environment(), **self._user,
        )  # fmt: skip

    def promote(self) -> None:
        with psycopg.connect(self.url(), autocommit=True) as db:
            db.execute("ALTER SYSTEM RESET synchronous_standby_names")
            db.execute("SELECT pg_reload_conf()")
            db.execute("SELECT pg_promote(wait => true, wait_seconds => 60)")


def make_synchronous(primary: Server) -> None:
    """Make commits wait for the standby; return once it is connected."""
    with psycopg.connect(primary.url(), autocommit=True) as db:
        db.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        db.execute("SELECT pg_reload_conf()")
        deadline = time.monotonic() + 60
        while not db.execute("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'").fetchone():
            if time.monotonic() > deadline:
                raise RuntimeError("the standby does not follow")
            time.sleep(0.05)


@contextlib.contextmanager
def _kept_database(server: Server) -> Iterator[str]:
    """Give a database that is not dropped: the server that it began on is gone by then."""
    with psycopg.connect(server.url(), autocommit=True) as db:
        db.execute("CREATE DATABASE segue")
    yield server.url("segue")


def environment() -> Mapping[str, str]:
    return {"PATH": os.environ["PATH"], "LANG": "C"}
