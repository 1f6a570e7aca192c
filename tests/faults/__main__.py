"""The fault suite: real processes, real faults, and every event accounted for.

    python tests/faults                       everything, about half an hour
    python tests/faults --rounds 20           a short look
    python tests/faults --only kill power     some of it
    python tests/faults --postgres            over PostgreSQL (a server of its own) instead of SQLite files
    python tests/faults --database URL        over a PostgreSQL of yours

The exit code is 1 if an event was lost, doubled or unexplained.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from faults import postgres_trials, store_trials, trials
from faults.history import concurrent_histories
from faults.kill import killed_processes
from faults.power_cuts import power_cuts
from support.postgres_server import Server, fresh_database


@dataclass(frozen=True)
class Trial:
    """One row of the suite. `run(rounds, seed, database, say)` gives a report with `ok`."""

    name: str
    what: str
    run: Callable[[int, int, str, Callable[[str], None]], object]


def some(rounds: int, of: int) -> int:
    """Return as many of a trial's own rounds as `--rounds` is of 500."""
    return max(1, round(rounds * of / 500))


TRIALS = [
    Trial("history", "concurrent histories of the journal, judged", lambda n, seed, db, say: concurrent_histories(some(n, 100), seed=seed, database=db, say=say)),
    Trial("kill", "SIGKILL of web and worker processes", lambda n, seed, db, say: killed_processes(some(n, 250), seed=seed, database=db, say=say)),
    Trial("killpg", "SIGKILL of web, worker and PostgreSQL", lambda n, seed, _, say: postgres_trials.killed_with_postgres(some(n, 250), seed=seed, say=say)),
    Trial("restarts", "PostgreSQL restarted and paused", lambda n, seed, _, say: postgres_trials.restarted_and_paused(some(n, 30), seed=seed, say=say)),
    Trial("failover", "PostgreSQL fails over to its standby", lambda n, seed, _, say: postgres_trials.failover(some(n, 3), seed=seed, say=say)),
    Trial("power", "power cuts under SQLite", lambda n, seed, _, say: power_cuts(some(n, 1000), seed=seed, say=say)),
    Trial("disk", "a full disk under SQLite", lambda n, seed, _, say: trials.full_disk(some(n, 10), seed=seed, say=say)),
    Trial("files", "a file of the SQLite journal removed or replaced under three processes", lambda n, seed, _, say: trials.removed_files(some(n, 100), seed=seed, say=say)),
    Trial("receiver", "a receiver that misbehaves", lambda n, _, db, say: trials.bad_receiver(max(0.5, n / 100), database=db, say=say)),
    Trial("hour", "an hour of 503", lambda n, _, db, say: trials.hour_of_5xx(max(5.0, n * 60 / 500), database=db, say=say)),
    Trial("clock", "clock steps of an hour", lambda n, seed, db, say: trials.clock_steps(some(n, 40), seed=seed, database=db, say=say)),
    Trial("leases", "a worker stopped beyond its lease", lambda n, seed, db, say: trials.expired_leases(some(n, 20), seed=seed, database=db, say=say)),
    Trial("poison", "a poison event in each batch", lambda n, seed, db, say: trials.poison(2 * n, seed=seed, database=db, say=say)),
    Trial("keys", "keys and types that no store holds", lambda n, seed, db, say: store_trials.poison_keys(2 * n, seed=seed, database=db, say=say)),
    Trial("installations", "a second installation on the database", lambda n, seed, db, say: store_trials.two_installations(some(n, 20), seed=seed, database=db, say=say)),
    Trial("backlog", "a backlog drained at the limit", lambda n, _, db, say: trials.backlog(200 * n, database=db, say=say)),
]  # fmt: skip


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=500, help="the size of all trials; 500 is the full one")
    parser.add_argument("--only", nargs="+", choices=[trial.name for trial in TRIALS], metavar="TRIAL", default=[])
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--database", default="", help="a journal's URL; without it SQLite files")
    parser.add_argument("--postgres", action="store_true", help="a PostgreSQL that the suite brings")
    parser.add_argument("--list", action="store_true", help="name the trials")
    arguments = parser.parse_args()
    if arguments.list:
        for trial in TRIALS:
            print(f"{trial.name:10} {trial.what}")
        return 0
    print(f"seed {arguments.seed}")
    failed = []
    for trial in TRIALS:
        if arguments.only and trial.name not in arguments.only:
            continue
        try:
            with database(arguments.database, postgres=arguments.postgres) as url:
                report = trial.run(arguments.rounds, arguments.seed, url, say(trial.name))
        except Exception:
            traceback.print_exc()
            print(f"{trial.name}: FAULT, it did not come to its end", flush=True)
            failed.append(trial.name)
            continue
        print(f"\r\033[K{report}" if sys.stderr.isatty() else report, flush=True)
        if not report.ok:  # type: ignore[attr-defined]
            failed.append(trial.name)
    print(f"failed: {', '.join(failed)}" if failed else "all held: nothing lost, nothing under two ids")
    return 1 if failed else 0


@contextlib.contextmanager
def database(url_option: str, *, postgres: bool) -> Iterator[str]:
    """Give the journal's URL: that of the option, a fresh database, or none for a SQLite file of the trial's own."""
    if not postgres:
        yield url_option
        return
    with Server() as server, fresh_database(server.url()) as url:
        yield url


def say(name: str) -> Callable[[str], None]:
    """Return a function that shows progress on a terminal, in place."""
    if not sys.stderr.isatty():
        return lambda _: None
    return lambda text: print(f"\r\033[K{name}: {text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
