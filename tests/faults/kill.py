"""SIGKILL under load: nothing acknowledged is lost, nothing is sent under two ids.

    python tests/faults/kill.py --rounds 200

A provider sends signed Stripe events through the real door and repeats each until it hears 200. Meanwhile the web
server (master, workers, or both) or the delivery worker is killed at a random moment, and started again. At the end,
to the event: acknowledged = delivered + dead-lettered. Some events are malformed on purpose, so that there are dead.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psutil

from translators.kit import HmacKvHeader
from webhooks.journal import Filter, State, open_journal
from webhooks.signatures import sign

SECRET = "whsec_kill_test"
SCHEME = HmacKvHeader(header="Stripe-Signature")
ONE_IN = 20  # events that no translator can read


@dataclass
class Report:
    """What was seen, to the event."""

    rounds: int
    kills: Counter[str]
    acked: int
    delivered: int
    dead: int
    lost: list[str]
    unexplained: list[str]
    two_ids: list[str]
    redelivered: int
    duplicates_answered: int
    seconds: float

    @property
    def ok(self) -> bool:
        return not self.lost and not self.unexplained and not self.two_ids and self.acked == self.delivered + self.dead

    def __str__(self) -> str:
        return (
            f"rounds {self.rounds} ({', '.join(f'{name} {n}' for name, n in sorted(self.kills.items()))}) in {self.seconds:.0f} s\n"
            f"acknowledged {self.acked} = delivered {self.delivered} + dead-lettered {self.dead}\n"
            f"lost {len(self.lost)}, unexplained {len(self.unexplained)}, events with two ids {len(self.two_ids)}, "
            f"messages sent again under the same id {self.redelivered}, retries answered `duplicate` {self.duplicates_answered}"
        )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def event(name: str) -> bytes:
    created = int(time.time()) - 3600
    customer = {"id": f"cus_{name}", "object": "customer", "created": created, "email": "a@example.com"}
    body = {
        "id": f"evt_{name}", "object": "event", "type": "customer.created", "created": created, "livemode": True,
        "data": {"object": customer if not is_poison(name) else {"id": None, "object": "customer"}},
    }  # fmt: skip
    return json.dumps(body).encode()


def is_poison(name: str) -> bool:
    return int(name.rpartition("_")[2]) % ONE_IN == 0


@dataclass
class Provider(threading.Thread):
    """Sends new events one after another, and each again until it is acknowledged."""

    port: int
    lane: int
    stop: threading.Event
    acked: set[str] = field(default_factory=set)
    duplicates: int = 0

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    __hash__ = threading.Thread.__hash__

    def run(self) -> None:
        number = 0
        while not self.stop.is_set():
            number += 1
            name = f"{self.lane}_{number}"
            body = event(name)
            while not self._send(body):
                time.sleep(0.02)
            self.acked.add(f"evt_{name}")

    connection: http.client.HTTPConnection | None = None

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def _send(self, body: bytes) -> bool:
        signed = sign(SCHEME, body=body, secret=SECRET, now=datetime.now(UTC))
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
            self.connection.request("POST", "/webhooks/stripe", body, dict(signed.headers))
            answer = self.connection.getresponse()
            told = answer.read()
        except (OSError, http.client.HTTPException):
            self.hang_up()
            return False
        if answer.status == 200:
            self.duplicates += json.loads(told)["status"] == "duplicate"
            return True
        assert answer.status == 503, (answer.status, told)
        return False


class Service:
    """The web server and the worker, killed and started again."""

    def __init__(self, folder: Path, receiver: int) -> None:
        self.folder = folder
        self.port = free_port()
        self.env = {
            "PATH": os.environ["PATH"],
            "HOME": str(folder),
            "SEGMENT_WRITE_KEY": "wk_kill",
            "SEGMENT_URL": f"http://127.0.0.1:{receiver}",
            "SEGUE_DATABASE": f"sqlite:///{folder}/segue.db",
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "SEGUE_HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "2",
            "SEGUE_LEASE_SECONDS": "2",
            "SEGUE_LOG_LEVEL": "error",
            "SEGUE_SEGMENT_RATE": "0",
        }
        self.log = (folder / "service.log").open("ab")
        self.web = self._start("web")
        self.work = self._start("work")

    def _start(self, command: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", "webhooks.cli", command],
            env=self.env,
            cwd=self.folder,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
                connection.request("GET", "/readyz")
                if connection.getresponse().status == 200:
                    connection.close()
                    return
                connection.close()
            time.sleep(0.05)
        raise RuntimeError(f"not ready: see {self.folder}/service.log")

    def kill(self, what: str, rng: random.Random) -> None:
        if what == "worker":
            _kill(self.work)
            self.work = self._start("work")
        elif what == "web":
            _kill(self.web)
            self.web = self._start("web")
        elif what == "both":
            _kill(self.web)
            _kill(self.work)
            self.web, self.work = self._start("web"), self._start("work")
        else:  # one gunicorn worker; its master starts another
            children = psutil.Process(self.web.pid).children()
            if children:
                with contextlib.suppress(psutil.NoSuchProcess):
                    rng.choice(children).kill()

    def stop(self) -> None:
        for process in (self.web, self.work):
            process.terminate()
        for process in (self.web, self.work):
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            _kill(process)
        self.log.close()


def _kill(process: subprocess.Popen[bytes]) -> None:
    """SIGKILL a process of ours with its children, all at one moment."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def start_receiver(log: Path, port: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "webhooks.receiver", "--port", str(port), "--log", str(log)], stdout=subprocess.DEVNULL
    )


def run(rounds: int, *, seed: int, lanes: int = 4, say: bool = False) -> Report:
    rng = random.Random(seed)
    began = time.monotonic()
    kills: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        receiver_port = free_port()
        receiver = start_receiver(folder / "received.jsonl", receiver_port)
        service = Service(folder, receiver_port)
        stop = threading.Event()
        providers = [Provider(service.port, lane, stop) for lane in range(lanes)]
        try:
            service.wait_until_ready()
            for provider in providers:
                provider.start()
            for number in range(rounds):
                time.sleep(rng.uniform(0.0, 0.4))
                what = rng.choice(["worker", "web", "one web worker", "both"])
                service.kill(what, rng)
                kills[what] += 1
                if rng.random() < 0.7:  # sometimes the next kill meets a server that is still starting
                    service.wait_until_ready()
                if say:
                    print(
                        f"\r{number + 1}/{rounds} rounds, {sum(len(p.acked) for p in providers)} acknowledged",
                        end="",
                        flush=True,
                    )
            service.wait_until_ready()
            stop.set()
            for provider in providers:
                provider.join(60)
                provider.hang_up()
            _drain(folder)
        finally:
            stop.set()
            service.stop()
            receiver.terminate()
            receiver.wait(10)
        if say:
            print()
        return _report(folder, providers, rounds, kills, time.monotonic() - began)


def _drain(folder: Path) -> None:
    journal = open_journal(f"sqlite:///{folder}/segue.db")
    deadline = time.monotonic() + 90
    try:
        while journal.census().by_state.get(State.PENDING, 0):
            if time.monotonic() > deadline:
                raise RuntimeError(f"the backlog does not drain: {journal.census()}")
            time.sleep(0.1)
    finally:
        journal.close()


def _report(folder: Path, providers: list[Provider], rounds: int, kills: Counter[str], seconds: float) -> Report:
    ids: dict[str, set[str]] = defaultdict(set)
    copies: Counter[str] = Counter()
    kinds: dict[str, set[str]] = defaultdict(set)
    for line in (folder / "received.jsonl").read_text().splitlines():
        message = json.loads(line)
        key = message["context"]["webhook"]["id"]
        ids[key].add(message["messageId"])
        kinds[key].add(f"{message['type']} {message.get('event', '')}")
        copies[message["messageId"]] += 1
    journal = open_journal(f"sqlite:///{folder}/segue.db")
    dead = set()
    after = ""
    while rows := journal.rows(Filter(states=(State.DEAD,)), after=after, limit=1000):
        dead |= {row.event.key for row in rows}
        after = rows[-1].cursor
    journal.close()
    acked = set().union(*(provider.acked for provider in providers))
    delivered = set(ids)
    return Report(
        rounds=rounds,
        kills=kills,
        acked=len(acked),
        delivered=len(delivered),
        dead=len(dead),
        lost=sorted(acked - delivered - dead),
        unexplained=sorted((delivered | dead) - acked) + sorted(delivered & dead),
        two_ids=sorted(key for key in ids if len(ids[key]) != len(kinds[key])),
        redelivered=sum(copies.values()) - len(copies),
        duplicates_answered=sum(provider.duplicates for provider in providers),
        seconds=seconds,
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    report = run(arguments.rounds, seed=arguments.seed, say=True)
    print(report)
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
