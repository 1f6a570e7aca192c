"""Appends to the journal by concurrent callers: group commit beside one commit for each append, in the same run.

    python bench/journal.py --seconds 2 --callers 1,8,32,128 --size 3000 [--encrypted]

Every append is one new event, durable before it returns. The disk and the rest of the machine are shared, so read the
ratios. `--parts` says where an append's time goes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import database

from translators.kit import Event

NOW = datetime.now(UTC)
KEYS = (bytes(range(32)).hex(),)
COLUMNS = "{:<9} {:<8} {:>8} {:<7} {:>10} {:>8} {:>9} {:>9}"


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="for each line of the table (default 2)")
    parser.add_argument("--callers", default="1,8,32,128", help="concurrent callers (default 1,8,32,128)")
    parser.add_argument("--size", type=int, default=3000, help="bytes of a body (default 3000)")
    parser.add_argument("--folder", type=Path, help="on the disk to measure (default: the system's temporary one)")
    parser.add_argument("--postgres", nargs="?", const=database.OWN, metavar="URL", help=database.HELP)
    parser.add_argument("--parts", action="store_true", help="only say where an append's time goes")
    parser.add_argument("--encrypted", action="store_true", help="with encryption at rest")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        kind, mode, callers = arguments.one.split(",")
        if kind == "gevent":
            from gevent import monkey

            monkey.patch_all()
        where = arguments.postgres or f"sqlite:///{arguments.folder}/bench.db"
        keys = KEYS if arguments.encrypted else ()
        print(json.dumps(measure(where, int(callers), arguments.seconds, arguments.size, keys, alone=mode == "each")))
    elif arguments.parts:
        parts(arguments.folder, arguments.size)
    else:
        table(arguments)


def table(arguments: argparse.Namespace) -> None:
    """Measure each line in a process of its own: gevent patches the whole of it."""
    print(COLUMNS.format("store", "callers", "", "commit", "appends/s", "group", "p50 ms", "p99 ms"))
    for callers in arguments.callers.split(","):
        for kind in ("threads", "gevent"):
            for mode in ("each", "group"):
                with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
                    _line("sqlite", f"{kind},{mode},{callers}", ["--folder", folder], arguments)
                if arguments.postgres:
                    with database.postgres(arguments.postgres) as url:
                        _line("postgres", f"{kind},{mode},{callers}", ["--postgres", url], arguments)


def _line(store: str, one: str, where: list[str], arguments: argparse.Namespace) -> None:
    command = ["--one", one, "--seconds", str(arguments.seconds), "--size", str(arguments.size), *where]
    command += ["--encrypted"] if arguments.encrypted else []
    done = subprocess.run([sys.executable, __file__, *command], stdout=subprocess.PIPE, check=True)
    rate, group, half, most = json.loads(done.stdout)
    kind, mode, callers = one.split(",")
    print(
        COLUMNS.format(store, kind, callers, mode, f"{rate:.0f}", f"{group:.1f}", f"{half:.2f}", f"{most:.2f}"),
        flush=True,
    )


def measure(
    url: str, callers: int, seconds: float, size: int, keys: tuple[str, ...], *, alone: bool
) -> tuple[float, float, float, float]:
    """Return appends a second, events in a commit, median and 99th percentile in milliseconds."""
    from webhooks.journal import SqliteJournal, open_journal
    from webhooks.journal.postgres import PostgresJournal

    journal = open_journal(url, keys)
    assert isinstance(journal, SqliteJournal | PostgresJournal)
    groups = (journal.database.group,) if isinstance(journal, SqliteJournal) else journal.database.groups
    for group in groups:
        group._max_items = 1 if alone else group._max_items
    latencies: list[list[float]] = [[] for _ in range(callers)]
    body = b'{"filler": "' + b"x" * size + b'"}'
    end = time.perf_counter() + seconds

    def call(caller: int) -> None:
        number = 0
        while (began := time.perf_counter()) < end:
            number += 1
            journal.append([event(f"{caller}-{number}", body)], now=NOW)
            latencies[caller].append(time.perf_counter() - began)

    threads = [threading.Thread(target=call, args=(each_latencies,)) for each_latencies in range(callers)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    stats, every = journal.stats, sorted(latency for each_latencies in latencies for latency in each_latencies)
    journal.close()
    at = (every[len(every) // 2] * 1000, every[int(len(every) * 0.99)] * 1000)
    return len(every) / took, stats.events / stats.groups, *at


def event(key: str, body: bytes) -> Event:
    """Return an event like one of Stripe's."""
    return Event(source="bench", id=key, type="charge.succeeded", raw=body, occurred_at=NOW, received_at=NOW)


def parts(folder: Path | None, size: int) -> None:
    """Print microseconds of an event in a group of 1 and of 64, step by step."""
    from webhooks.journal.encryption import Encryption
    from webhooks.journal.former import ArrivingEvents, arrivals
    from webhooks.journal.group import GroupCommit
    from webhooks.journal.runners import Greenlets, Threads
    from webhooks.journal.sqlite.append import append_group, insert
    from webhooks.journal.sqlite.file import SqliteFile

    body = b"x" * size
    with tempfile.TemporaryDirectory(dir=folder) as at:
        file = SqliteFile(Path(at) / "bench.db", Threads())
        file.write(lambda _: None)
        numbers = iter(range(10**9))

        clear, encrypting = Encryption(), Encryption(KEYS)
        encrypted = encrypting.encrypt("bench", "0", ("{}", "{}", body))

        def rows(count: int, encryption: Encryption = clear) -> list[ArrivingEvents]:
            return [arrivals([event(str(next(numbers)), body)], NOW, encryption) for _ in range(count)]

        alone: GroupCommit[int, int] = GroupCommit(lambda items: items, Threads())
        pool = Greenlets()
        for what, took in (
            ("an event to a row", clock(lambda: rows(64), 64)),
            ("  the same, encrypted", clock(lambda: rows(64, encrypting), 64)),
            ("a body decrypted", clock(lambda: encrypting.decrypt("bench", "0", encrypted), 1)),
            ("lead and leave a group, nothing to commit", clock(lambda: alone.submit(1), 1)),
            ("there and back to the thread of gevent", clock(lambda: pool(int), 1)),
            ("a transaction without a change, so no fsync", clock(lambda: file.transact(lambda _: None), 1)),
        ):
            print(f"{what:<44}{took:8.1f} us")
        for count in (1, 64):
            rest = iter([rows(count) for _ in range(200)])
            took = clock(lambda rest=rest: append_group(file, next(rest), clear), count, times=100)  # type: ignore[misc]
            print(f"{f'commit, for each of {count}':<44}{took:8.1f} us")

            def inserted(rest: object = rest, count: int = count) -> float:
                def work(db: object) -> float:
                    return clock(lambda: insert(db, next(rest), clear), count, times=100)  # type: ignore[arg-type,call-overload]

                return file.transact(work)

            print(f"{f'  of it the insert, for each of {count}':<44}{inserted():8.1f} us")
        file.close()


def clock(work: Callable[[], object], share: int, *, times: int = 200) -> float:
    """Return the median, in microseconds, for each of `share`."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return sorted(taken)[times // 2] * 1e6 / share


if __name__ == "__main__":
    main()
