"""SIGKILL at random moments under load: of the web server, one of its workers, the delivery worker, or PostgreSQL."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable

from stand import Report, Stand

from postgres_server import Server

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
    with Stand(title, database=database) as stand:
        stand.send()
        for number in range(rounds):
            time.sleep(rng.uniform(0.0, 0.4))
            what = rng.choice((*KINDS, *["PostgreSQL"] * 4) if server else KINDS)
            if server and what == "PostgreSQL":
                server.kill()
                time.sleep(rng.uniform(0.0, 0.3))
                server.start()
            else:
                stand.service.kill(what, rng)
            kills[what] += 1
            if rng.random() < 0.7:
                stand.service.wait_until_ready()
            say(f"{number + 1}/{rounds} rounds, {len(stand.acked)} acknowledged")
        stand.rest()
        kill_counts = ", ".join(f"{name} {count}" for name, count in sorted(kills.items()))
        return stand.report(detail=f"{rounds} rounds, seed {seed}: {kill_counts}")
