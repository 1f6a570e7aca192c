"""Trials beside the kills: bad receivers, wrong clocks, lost leases, poison, a full disk, a long backlog."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import signal
import sqlite3
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from faults.testbed import HERE, Report, Testbed, event, kill
from support.faulty_receiver import (
    Fault,
    FaultyReceiver,
    ReceivedRequest,
    hang,
    lose_reply,
    reset,
    slow,
    status,
    truncate,
)
from translators.kit import Event
from webhooks.journal import Journal, SqliteJournal

LAUNCHER = (str(HERE / "launch.py"),)
WEATHER: Mapping[str, Fault] = {
    "hangs": hang,
    "resets": reset,
    "throttles": status(429, Retry_After="1"),
    "answers 500": status(500),
    "loses the reply after accepting": lose_reply,
    "breaks its answer off": truncate,
    "is slow": slow(0.7),
}
"""What the receiver does, a while each."""
Say = Callable[[str], None]


def quiet(_: str) -> None:
    """Print no progress."""


def bad_receiver(seconds: float, *, database: str = "", say: Say = quiet) -> Report:
    """Run a receiver that misbehaves in every way of `WEATHER`, `seconds` long, with good seconds between."""
    with (
        FaultyReceiver() as receiver,
        Testbed(
            "a receiver that misbehaves", database=database, receiver=receiver.url, pause=0.01,
            SEGUE_SEGMENT_READ_TIMEOUT="0.5", SEGUE_LOG_LEVEL="error",
        ) as testbed,
    ):  # fmt: skip
        testbed.send()
        for name, fault in WEATHER.items():
            say(f"the receiver {name}")
            receiver.always = fault
            time.sleep(seconds)
            receiver.always = None
            time.sleep(min(1.0, seconds))
        testbed.rest()
        return testbed.report(receiver.receiver.received, detail=f"{seconds:g} s each of: {', '.join(WEATHER)}")


def hour_of_5xx(seconds: float, *, database: str = "", say: Say = quiet) -> Report:
    """Answer 503 for an hour by the worker's clocks, which run so fast that it takes `seconds`."""
    with (
        FaultyReceiver() as receiver,
        Testbed(
            "an hour of 503", database=database, receiver=receiver.url, pause=0.02, launcher=LAUNCHER,
            FAULT_SPEED=str(3600 / seconds), SEGUE_LEASE_SECONDS="600", SEGUE_LOG_LEVEL="error",
        ) as testbed,
    ):  # fmt: skip
        receiver.always = status(503)
        testbed.send()
        say("503 for an hour")
        time.sleep(seconds)
        tries = len(receiver.requests)
        receiver.always = None
        testbed.rest()
        return testbed.report(
            receiver.receiver.received, requests=tries,
            detail=f"{tries} requests in the hour: the breaker probes and does not hammer",
        )  # fmt: skip


def set_step(file: Path, seconds: int) -> None:
    """Set the clock of the processes; one that reads the file meanwhile gets the former step or this one."""
    new = file.with_suffix(".new")
    new.write_text(str(seconds))
    new.replace(file)


def clock_steps(rounds: int, *, seed: int, database: str = "", say: Say = quiet) -> Report:
    """Set the clock of every process an hour ahead or back, again and again, while a worker is killed too."""
    rng = random.Random(seed)
    with Testbed(
        "clock steps of an hour", database=database, pause=0.005, workers=2, launcher=LAUNCHER,
        SEGUE_STRIPE_TOLERANCE="7200",  # so that webhooks are taken by the wrong clock too
    ) as testbed:  # fmt: skip
        step = testbed.folder / "step"
        set_step(step, 0)
        testbed.service.environ = {**testbed.service.environ, "FAULT_STEP": str(step)}
        for what in ("both", "worker"):  # start again, with the file
            testbed.service.kill(what, rng)
        for place, worker in enumerate(testbed.service.workers):
            kill(worker)
            testbed.service.workers[place] = testbed.service.start("work")
        testbed.service.wait_until_ready()
        testbed.send()
        steps = []
        for number in range(rounds):
            steps.append((0, rng.choice([3600, -3600]))[number % 2])
            say(f"{number + 1}/{rounds}: the clock is {steps[-1]} s off")
            set_step(step, steps[-1])
            time.sleep(rng.uniform(0.5, 1.5))
            if rng.random() < 0.5:
                testbed.service.kill("worker", rng)
        set_step(step, 0)
        testbed.rest()
        return testbed.report(detail=f"{rounds} steps; webhooks are taken by the wrong clock too")


def expired_leases(rounds: int, *, seed: int, database: str = "", say: Say = quiet) -> Report:
    """Run two workers; one is stopped for longer than its lease, while the other takes over."""
    rng = random.Random(seed)
    with (
        FaultyReceiver(always=slow(0.05)) as receiver,
        Testbed(
            "two workers, one with an expired lease", database=database, receiver=receiver.url, workers=2,
            SEGUE_LEASE_SECONDS="1", SEGUE_WORKER_BATCH="50", SEGUE_LOG_LEVEL="error",
        ) as testbed,
    ):  # fmt: skip
        testbed.send()
        for number in range(rounds):
            time.sleep(rng.uniform(0.1, 0.5))
            worker = rng.choice(testbed.service.workers)
            kill(worker, signal.SIGSTOP)
            time.sleep(rng.uniform(1.2, 2.0))
            kill(worker, signal.SIGCONT)
            say(f"{number + 1}/{rounds} stops")
        testbed.rest()
        return testbed.report(receiver.receiver.received, detail=f"{rounds} stops, seed {seed}")


def poison(batches: int, *, seed: int, database: str = "", say: Say = quiet) -> Report:
    """Send one message that Segment refuses in each batch of twenty: it alone is a dead letter."""
    rng = random.Random(seed)
    size = 20

    bad = {f"evt_{batch}_{rng.randrange(size)}" for batch in range(batches)}

    def strict(handler: Any, request: ReceivedRequest) -> None:
        if any(message["context"]["webhook"]["id"] in bad for message in request.batch):
            handler.answer(400, b'{"success":false,"message":"malformed"}')
        else:
            handler.accept(request)

    with (
        FaultyReceiver(always=strict) as receiver,
        Testbed(
            "a poison message in each batch", database=database, receiver=receiver.url, providers=0, workers=0,
            SEGUE_WORKER_BATCH=str(size), SEGUE_LOG_LEVEL="error",
        ) as testbed,
    ):  # fmt: skip
        with testbed.journal() as journal:
            for batch in range(batches):
                store(journal, [f"{batch}_{number}" for number in range(size)])
        testbed.service.workers = [testbed.service.start("work")]
        say(f"{batches} batches")
        testbed.rest(timeout=600)
        acked = {f"evt_{batch}_{number}" for batch in range(batches) for number in range(size)}
        report = testbed.report(receiver.receiver.received, acked=acked, detail=f"{batches} batches of {size}")
        report.unexplained += sorted(testbed.dead() ^ bad)
        return report


def backlog(events: int, *, rate: int = 1000, database: str = "", say: Say = quiet) -> Report:
    """Check that a long backlog drains at the rate limit, and never faster."""
    acceptances: list[tuple[float, int]] = []

    def timed(handler: Any, request: ReceivedRequest) -> None:
        acceptances.append((time.monotonic(), len(request.batch)))
        handler.accept(request)

    with (
        FaultyReceiver(always=timed) as receiver,
        Testbed(
            f"a backlog of {events:,}", database=database, receiver=receiver.url, providers=0, workers=0,
            SEGUE_SEGMENT_RATE=str(rate), SEGUE_LEASE_SECONDS="60",
        ) as testbed,
    ):  # fmt: skip
        names = [str(number) for number in range(events)]
        with testbed.journal() as journal:
            for low in range(0, events, 1000):
                store(journal, names[low : low + 1000])
        say("draining")
        began = time.monotonic()
        testbed.service.workers = [testbed.service.start("work")]
        testbed.rest(timeout=120 + 5 * events / rate)
        took = acceptances[-1][0] - acceptances[0][0]
        sent = sum(count for _, count in acceptances)
        busiest = busiest_span(acceptances, 10.0) / 10
        return testbed.report(
            receiver.receiver.received,
            acked={f"evt_{name}" for name in names},
            requests=len(acceptances),
            detail=f"drained in {time.monotonic() - began:.0f} s with the start; {sent} messages, {sent / max(took, 1e-9):.0f}/s at a "
            f"limit of {rate}, {busiest:.0f}/s in the busiest ten seconds (a second's worth may be in store)",
        )


def busiest_span(acceptances: list[tuple[float, int]], seconds: float) -> int:
    """Return the most messages within any span of that length."""
    most = total = low = 0
    for at, count in acceptances:
        total += count
        while acceptances[low][0] < at - seconds:
            total -= acceptances[low][1]
            low += 1
        most = max(most, total)
    return most


def full_disk(rounds: int, *, seed: int, say: Say = quiet) -> Report:
    """Let the files not grow for a while (the system's limit on file sizes): 503 until they may again."""
    rng = random.Random(seed)
    with Testbed("a full disk", SEGUE_LOG_LEVEL="error") as testbed:
        testbed.send()
        for number in range(rounds):
            time.sleep(rng.uniform(0.5, 1.0))
            files = [testbed.folder / "segue.db", testbed.folder / "segue.db-wal"]
            limit = min(file.stat().st_size for file in files if file.exists())
            limit_files(testbed, limit)
            time.sleep(rng.uniform(0.5, 1.0))
            limit_files(testbed, resource.RLIM_INFINITY)
            testbed.service.wait_until_ready()
            say(f"{number + 1}/{rounds} times full")
        testbed.rest()
        refused = sum(provider.answers[503] for provider in testbed.providers)
        report = testbed.report(detail=f"{rounds} times full; {refused} deliveries answered 503, and sent again")
        report.unexplained += [] if refused else ["no delivery met the full disk"]
        return report


def removed_files(rounds: int, *, seed: int, say: Say = quiet) -> Report:
    """Remove or replace a file of the journal under two web processes and a worker: 503, then service as before."""
    rng = random.Random(seed)
    acts = ["-wal", "-shm", "-wal and -shm", "database"]
    replaced: list[Path] = []
    with Testbed("a file of the journal removed or replaced", SEGUE_LOG_LEVEL="error") as testbed:
        testbed.send()
        for number in range(rounds):
            time.sleep(rng.uniform(0.3, 1.0))
            act = acts[number % len(acts)]
            if act == "database":
                replaced.append(replace_database(testbed.folder / "segue.db"))
            for end in ("-wal", "-shm"):
                if end in act:
                    (testbed.folder / f"segue.db{end}").unlink(missing_ok=True)
            testbed.service.wait_until_ready()
            say(f"{number + 1}/{rounds}: {act}")
        time.sleep(0.5)
        for path in replaced:
            load(path, testbed)
        testbed.rest()
        refused = sum(provider.answers[503] for provider in testbed.providers)
        report = testbed.report(
            detail=f"{rounds} times, {len(replaced)} of them the database by a copy of itself, the events since then "
            f"brought back from the old file; {refused} deliveries answered 503, and sent again"
        )
        report.unexplained += [] if refused else ["no delivery met a removed file"]
        return report


def replace_database(path: Path) -> Path:
    """Replace the database by a copy, as after a restore; the old file is kept, without a log."""
    old = path.with_name(f"old-{time.monotonic_ns()}.db")
    copy = path.with_name("copy.db")
    with contextlib.closing(sqlite3.connect(path)) as db:
        db.execute("VACUUM INTO ?", (str(copy),))
    time.sleep(0.2)
    os.link(path, old)
    copy.replace(path)
    return old


def load(path: Path, testbed: Testbed) -> None:
    """Load the events of a replaced database into the new one."""
    origin = SqliteJournal(path)
    with testbed.journal() as target:
        after = ""
        while rows := origin.rows(after=after, limit=500):
            target.load(rows)
            after = rows[-1].cursor
    origin.close()


def limit_files(testbed: Testbed, size: int) -> None:
    assert testbed.service.web is not None
    for process in (testbed.service.web, *testbed.service.workers):
        master = psutil.Process(process.pid)
        for member in (master, *master.children(recursive=True)):
            member.rlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))


def store(journal: Journal, names: list[str]) -> None:
    """Append Stripe events as the webhook handler would."""
    now = datetime.now(UTC)
    journal.append(
        [
            Event(
                source="stripe", id=f"evt_{name}", type="customer.created", occurred_at=now, received_at=now,
                raw=event(name),
            )
            for name in names
        ],
        now=now,
    )  # fmt: skip
