"""SIGKILL at random moments under load: of the web server, one of its workers, the delivery worker, or PostgreSQL."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from faults.testbed import Report, Testbed
from support.postgres_server import Server

KINDS = ("worker", "web", "one web worker", "both")


def killed_processes(
    rounds: int,
    *,
    seed: int,
    database: str = "",
    server: Server | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Report:
    """In each round one of `KINDS` is killed, or the server under `database`; three rounds in ten do not even wait
    for the start.
    """
    rng = random.Random(seed)
    kills: Counter[str] = Counter()
    title = "SIGKILL of processes and of PostgreSQL" if server else "SIGKILL of processes"
    with Testbed(title, database=database) as testbed:
        testbed.send()
        for number in range(rounds):
            time.sleep(rng.uniform(0.0, 0.4))
            what = rng.choice((*KINDS, *["PostgreSQL"] * 4) if server else KINDS)
            if server and what == "PostgreSQL":
                server.kill()
                time.sleep(rng.uniform(0.0, 0.3))
                server.start()
            else:
                testbed.service.kill(what, rng)
            kills[what] += 1
            if rng.random() < 0.7:
                testbed.service.wait_until_ready()
            say(f"{number + 1}/{rounds} rounds, {len(testbed.acked)} acknowledged")
        testbed.rest()
        kill_counts = ", ".join(f"{name} {count}" for name, count in sorted(kills.items()))
        return testbed.report(detail=f"{rounds} rounds, seed {seed}: {kill_counts}")
