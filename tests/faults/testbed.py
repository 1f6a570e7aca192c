"""A test bed for faults: the real web server and worker, a strict receiver, providers that retry until they get 200.

Everything is on the loopback, and only processes that the testbed started are killed. At the end of each trial every
acknowledged event is accounted for, by its id, at the receiver and in the journal.
"""

from __future__ import annotations

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
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import psutil

from translators.kit import HmacKvHeader
from webhooks.journal import Filter, Journal, State, open_journal
from webhooks.signatures import sign

SECRET = "whsec_fault_suite"
SCHEME = HmacKvHeader(header="Stripe-Signature")
ONE_IN = 20  # events that no translator can read
HERE = Path(__file__).resolve().parent


@dataclass
class Report:
    """The result of one trial, to the event."""

    title: str
    acked: int
    delivered: int
    dead: int
    lost: list[str]
    unexplained: list[str]
    two_ids: list[str]
    copies: int  # messages that the receiver got again under the same id
    answered_duplicate: int
    seconds: float
    detail: str = ""
    requests: int = 0  # to the receiver, if the trial counts them

    @property
    def ok(self) -> bool:
        wrong = self.lost or self.unexplained or self.two_ids
        return not wrong and self.acked == self.delivered + self.dead

    def __str__(self) -> str:
        lines = [
            f"{self.title}: {'ok' if self.ok else 'FAULT'} in {self.seconds:.0f} s",
            f"  acknowledged {self.acked} = delivered {self.delivered} + dead-lettered {self.dead}",
            (
                f"  lost {len(self.lost)}, unexplained {len(self.unexplained)}, events with two ids {len(self.two_ids)}, "
                f"messages sent again under the same id {self.copies}, retries answered `duplicate` {self.answered_duplicate}"
            ),
        ]
        lines += [f"  {self.detail}"] if self.detail else []
        lines += [f"  {name}: {', '.join(keys[:5])}" for name, keys in self._wrong() if keys]
        return "\n".join(lines)

    def _wrong(self) -> list[tuple[str, list[str]]]:
        return [("lost", self.lost), ("unexplained", self.unexplained), ("two ids", self.two_ids)]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def event(name: str, *, poison: bool = False) -> bytes:
    created = int(time.time()) - 3600
    customer = {"id": f"cus_{name}", "object": "customer", "created": created, "email": "a@example.com"}
    body = {
        "id": f"evt_{name}", "object": "event", "type": "customer.created", "created": created, "livemode": True,
        "data": {"object": {"id": None, "object": "customer"} if poison else customer},
    }  # fmt: skip
    return json.dumps(body).encode()


@dataclass(eq=False)
class Provider(threading.Thread):
    """Send events one after another, and each again until it is acknowledged. `pause` is between events."""

    port: int
    number: int
    stop: threading.Event
    pause: float = 0.0
    acked: set[str] = field(default_factory=set)
    answers: Counter[int] = field(default_factory=Counter)
    duplicates: int = 0
    connection: http.client.HTTPConnection | None = None

    def __post_init__(self) -> None:
        super().__init__(daemon=True)

    def run(self) -> None:
        count = 0
        while not self.stop.is_set():
            count += 1
            name = f"{self.number}_{count}"
            body = event(name, poison=count % ONE_IN == 0)
            while not self._send(body):
                time.sleep(0.02)
            self.acked.add(f"evt_{name}")
            time.sleep(self.pause)
        self.hang_up()

    def hang_up(self) -> None:
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    def _send(self, body: bytes) -> bool:
        signed = sign(SCHEME, body=body, secret=SECRET, now=datetime.now(UTC))
        try:
            if self.connection is None:
                self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=15)
            self.connection.request("POST", "/webhooks/stripe", body, dict(signed.headers))
            answer = self.connection.getresponse()
            response_body = answer.read()
        except (OSError, http.client.HTTPException):
            self.hang_up()
            return False
        self.answers[answer.status] += 1
        if answer.status == 200:
            self.duplicates += json.loads(response_body)["status"] == "duplicate"
            return True
        return False


@dataclass
class Service:
    """The web server and the workers, each in a session of its own, killed and started again."""

    folder: Path
    environ: Mapping[str, str]
    port: int
    launcher: tuple[str, ...] = ("-m", "webhooks.cli")

    def __post_init__(self) -> None:
        self.log = (self.folder / "service.log").open("ab")
        self.web: subprocess.Popen[bytes] | None = None
        self.workers: list[subprocess.Popen[bytes]] = []

    def start(self, command: str, **more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, *self.launcher, command],
            env={**self.environ, **more},
            cwd=self.folder,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def start_all(self, workers: int = 1) -> None:
        self.web = self.start("web")
        self.workers = [self.start("work") for _ in range(workers)]

    def kill(self, what: str, rng: random.Random) -> None:
        """Kill `web`, `worker`, `both`, or `one web worker`, which its master replaces."""
        assert self.web is not None
        if what in {"web", "both"}:
            kill(self.web)
            self.web = self.start("web")
        if what in {"worker", "both"}:
            place = rng.randrange(len(self.workers))
            kill(self.workers[place])
            self.workers[place] = self.start("work")
        if what == "one web worker":
            with contextlib.suppress(psutil.NoSuchProcess, IndexError):
                rng.choice(psutil.Process(self.web.pid).children()).kill()

    def wait_until_ready(self, timeout: float = 60.0) -> None:
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            if self.status("/readyz") == 200:
                return
            time.sleep(0.05)
        raise RuntimeError("not ready:\n" + (self.folder / "service.log").read_text()[-3000:])

    def status(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            connection.close()

    def stop(self) -> None:
        running = [process for process in (self.web, *self.workers) if process is not None]
        for process in running:
            process.terminate()
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            kill(process)
        self.log.close()


def kill(process: subprocess.Popen[bytes], number: int = signal.SIGKILL) -> None:
    """Send a signal to a process of ours and its children, all at one moment; SIGKILL is waited for."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, number)
    if number == signal.SIGKILL:
        process.wait()


class Testbed:
    """`database` is a journal's URL; without one, a SQLite file of its own. `environ` adds to the service's."""

    def __init__(
        self,
        title: str,
        *,
        database: str = "",
        providers: int = 4,
        workers: int = 1,
        pause: float = 0.0,
        receiver: str = "",
        launcher: tuple[str, ...] = ("-m", "webhooks.cli"),
        **environ: str,
    ) -> None:
        self.title = title
        self._files = tempfile.TemporaryDirectory()
        self.folder = Path(self._files.name)
        self.database = database or f"sqlite:///{self.folder}/segue.db"
        self.port = free_port()
        self.stopping = threading.Event()
        self.providers = [Provider(self.port, number, self.stopping, pause) for number in range(providers)]
        self.received = self.folder / "received.jsonl"
        self._workers = workers
        self._receiver: subprocess.Popen[bytes] | None = None
        if not receiver:
            port = free_port()
            receiver = f"http://127.0.0.1:{port}"
            self._receiver = subprocess.Popen(
                [sys.executable, "-m", "webhooks.segment.fake", "--port", str(port), "--log", str(self.received)],
                stdout=subprocess.DEVNULL,
            )
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "PYTHONPATH": str(HERE),
            "SEGMENT_WRITE_KEY": "wk_faults",
            "SEGMENT_URL": receiver,
            "SEGUE_DATABASE": self.database,
            "STRIPE_WEBHOOK_SECRET": SECRET,
            "SEGUE_HOST": "127.0.0.1",
            "PORT": str(self.port),
            "WEB_CONCURRENCY": "2",
            "SEGUE_LEASE_SECONDS": "2",
            "SEGUE_LOG_LEVEL": "warning",
            "SEGUE_SEGMENT_RATE": "0",
            **environ,
        }
        self.service = Service(self.folder, environment, self.port, launcher)

    def __enter__(self) -> Self:
        self._began = time.monotonic()
        try:
            self.service.start_all(self._workers)
            self.service.wait_until_ready()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        self.stopping.set()
        self.service.stop()
        if self._receiver is not None:
            self._receiver.terminate()
            self._receiver.wait(10)
        self._files.cleanup()

    @property
    def acked(self) -> set[str]:
        return set().union(*(provider.acked for provider in self.providers))

    def send(self) -> None:
        """Let the providers begin."""
        for provider in self.providers:
            provider.start()

    def rest(self, timeout: float = 120.0) -> None:
        """Let the providers finish their last event, and the worker everything."""
        self.service.wait_until_ready()
        self.stopping.set()
        for provider in self.providers:
            provider.join(timeout)
            assert not provider.is_alive(), "a provider waits in vain for its 200"
        deadline = time.monotonic() + timeout
        with self.journal() as journal:
            while journal.census().by_state.get(State.PENDING, 0):
                if time.monotonic() > deadline:
                    raise RuntimeError(f"the backlog does not drain: {journal.census()}")
                time.sleep(0.1)

    @contextlib.contextmanager
    def journal(self) -> Iterator[Journal]:
        journal = open_journal(self.database)
        try:
            yield journal
        finally:
            journal.close()

    def dead(self) -> set[str]:
        with self.journal() as journal:
            keys: set[str] = set()
            after = ""
            while rows := journal.rows(Filter(states=(State.DEAD,)), after=after, limit=1000):
                keys |= {row.event.id for row in rows}
                after = rows[-1].cursor
            return keys

    def messages(self) -> Iterator[Mapping[str, Any]]:
        """Yield what the receiver process accepted, in order."""
        for line in self.received.read_text().splitlines():
            yield json.loads(line)

    def report(
        self,
        messages: Iterable[Mapping[str, Any]] | None = None,
        *,
        acked: set[str] | None = None,
        detail: str = "",
        requests: int = 0,
    ) -> Report:
        """Account for every event."""
        received = ReceivedMessages(self.messages() if messages is None else messages)
        dead = self.dead()
        acked = self.acked if acked is None else acked
        return Report(
            title=self.title,
            acked=len(acked),
            delivered=len(received.events),
            dead=len(dead),
            lost=sorted(acked - received.events - dead),
            unexplained=sorted((received.events | dead) - acked) + sorted(received.events & dead),
            two_ids=received.two_ids,
            copies=received.copies,
            answered_duplicate=sum(provider.duplicates for provider in self.providers),
            seconds=time.monotonic() - self._began,
            detail=detail,
            requests=requests,
        )


class ReceivedMessages:
    """The messages that a receiver took: which events, under how many ids, and how many repeats."""

    def __init__(self, messages: Iterable[Mapping[str, Any]]) -> None:
        ids: dict[str, set[str]] = defaultdict(set)
        kinds: dict[str, set[str]] = defaultdict(set)
        times: Counter[str] = Counter()
        for message in messages:
            key = message["context"]["webhook"]["id"]
            ids[key].add(message["messageId"])
            kinds[key].add(f"{message['type']} {message.get('event', '')}")
            times[message["messageId"]] += 1
        self.events = set(ids)
        self.two_ids = sorted(key for key in ids if len(ids[key]) != len(kinds[key]))
        self.copies = sum(times.values()) - len(times)
