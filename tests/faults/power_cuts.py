"""Power cuts: at random moments everything written since the last fsync is thrown away, or kept in part, and torn.

Two processes append, claim and settle through one journal, over a layer that writes down every write and every sync
(`recording_vfs`). Afterwards the disk is rebuilt as it may have stood at any moment: what was synced is there, of the
rest nothing, all, or any sectors in any order. The journal is opened on it: every event whose append had returned must
be there to the byte, every settlement that had returned must be kept, and SQLite must find its file whole.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from faults import recording_vfs
from translators.kit import Event
from webhooks.journal import Settlement, SqliteJournal, State
from webhooks.journal.sqlite import file as journal_file

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SECTOR = 512
WAYS = ("nothing", "all", "some", "torn")
"""What becomes of writes that were not synced."""
Fact = tuple[Any, ...]


@dataclass
class CutReport:
    """How many moments were tried, and what was wrong at them."""

    cuts: int = 0
    acked: int = 0
    settled: int = 0
    unsynced: int = 0  # writes that were at stake over all cuts
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.faults and self.cuts > 0

    def __str__(self) -> str:
        return (
            f"power cuts: {'ok' if self.ok else 'FAULT'} in {self.seconds:.0f} s\n"
            f"  {self.cuts} cuts in a run of {self.acked} acknowledged appends and {self.settled} settlements; "
            f"{self.unsynced} unsynced writes at stake; faults {len(self.faults)}"
            + "".join(f"\n  {fault}" for fault in self.faults[:5])
        )


def power_cuts(
    cuts: int, *, seed: int, seconds: float = 3.0, careless: bool = False, say: Callable[[str], None] = lambda _: None
) -> CutReport:
    """Record a run of some seconds, then cut the power at random moments of it.

    `careless` records a journal that does not sync its commits: the examination must find it out.
    """
    rng = random.Random(seed)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "run").mkdir()
        record(folder / "run" / "segue.db", folder / "log", seconds, *["careless"] * careless)
        facts = list(recording_vfs.read(folder / "log"))
        report = CutReport(
            acked=sum(fact[0] == "acked" for fact in facts), settled=sum(len(f[1]) for f in facts if f[0] == "settled")
        )
        first = next(place for place, fact in enumerate(facts) if fact[0] == "acked")
        for number in range(cuts):
            disk = folder / f"cut{number}"
            disk.mkdir()
            moment = rng.randrange(first, len(facts) + 1)
            way = WAYS[number % len(WAYS)]
            report.unsynced += rebuild(facts[:moment], disk, way, rng)
            fault = examine(facts[:moment], disk / "segue.db")
            if fault:
                report.faults.append(f"cut behind record {moment} of {len(facts)}, {way} of the unsynced: {fault}")
            report.cuts += 1
            for path in disk.iterdir():
                path.unlink()
            say(f"{number + 1}/{cuts} cuts")
    report.seconds = time.monotonic() - began
    return report


def record(database: Path, log: Path, seconds: float, *more: str) -> None:
    """Run two processes on one journal, ended by SIGKILL so that nothing is tidied up."""
    SqliteJournal(database).close()
    log.touch()
    # the file as it was made before the recording began is on the disk already
    recording_vfs.Log(log).say("found", database.name, database.read_bytes())
    command = [sys.executable, __file__, str(database), str(log)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    children = [
        subprocess.Popen([*command, str(number), *more], stdout=subprocess.PIPE, env=env) for number in range(2)
    ]
    try:
        for child in children:
            assert child.stdout is not None
            child.stdout.readline()
        time.sleep(seconds)
        early = [child.poll() for child in children]
        assert early == [None, None], f"a recording process ended: {early}"
    finally:
        for child in children:
            child.send_signal(signal.SIGKILL)
            child.wait()
            assert child.stdout is not None
            child.stdout.close()


def rebuild(facts: Sequence[Fact], disk: Path, way: str, rng: random.Random) -> int:
    """Write the files as they may be when the power fails behind these facts; returns the unsynced writes."""
    content: dict[str, bytearray] = defaultdict(bytearray)
    pending: dict[str, list[Fact]] = defaultdict(list)
    covered: dict[tuple[str, int], int] = {}
    for fact in facts:
        kind, *arguments = fact
        if kind == "found":
            content[arguments[0]] = bytearray(arguments[1])
        elif kind in {"write", "truncate"}:
            pending[arguments[0]].append(fact)
        elif kind == "delete":
            content.pop(arguments[0], None)
            pending.pop(arguments[0], None)
        elif kind == "sync begins":
            covered[arguments[0], arguments[1]] = len(pending[arguments[0]])
        elif kind == "sync ended":
            name = arguments[0]
            durable = covered.pop((name, arguments[1]), 0)
            for change in pending[name][:durable]:
                apply(content[name], change)
            del pending[name][:durable]
            covered = {key: max(0, n - durable) if key[0] == name else n for key, n in covered.items()}
    at_stake = sum(map(len, pending.values()))
    for name, changes in pending.items():
        for change in survivors(changes, way, rng):
            apply(content[name], change)
    for name, data in content.items():
        (disk / name).write_bytes(data)
    return at_stake


def survivors(changes: Sequence[Fact], way: str, rng: random.Random) -> list[Fact]:
    """Return the unsynced changes that reached the disk all the same."""
    if way == "nothing":
        return []
    if way == "all":
        return list(changes)
    kept = [change for change in changes if rng.random() < 0.5]
    if way == "some":
        return kept
    return [part for change in kept for part in torn(change, rng)]


def torn(change: Fact, rng: random.Random) -> list[Fact]:
    """Return a write of which some sectors arrived."""
    if change[0] != "write":
        return [change]
    _, name, at, data = change
    cuts = [0, *range(SECTOR - at % SECTOR, len(data), SECTOR), len(data)]
    pieces = [("write", name, at + low, data[low:high]) for low, high in itertools.pairwise(cuts) if high > low]
    return [piece for piece in pieces if rng.random() < 0.5]


def apply(data: bytearray, change: Fact) -> None:
    if change[0] == "truncate":
        del data[change[2] :]
        return
    _, _, at, written = change
    if len(data) < at:
        data.extend(bytes(at - len(data)))
    data[at : at + len(written)] = written


def examine(facts: Sequence[Fact], database: Path) -> str:
    """Return what is wrong with the journal on this disk; empty if all is well."""
    acked = {fact[1] for fact in facts if fact[0] == "acked"}
    settled = {seq for fact in facts if fact[0] == "settled" for seq in fact[1]}
    try:
        journal = SqliteJournal(database)
        try:
            rows = journal.rows(limit=10**6)
        finally:
            journal.close()
        with sqlite3.connect(database) as db:
            whole = db.execute("PRAGMA integrity_check").fetchone()[0]
        db.close()
    except Exception as error:
        return f"the journal does not open: {error!r}"
    lost = acked - {row.event.id for row in rows}
    if whole != "ok":
        return f"integrity_check: {whole}"
    if lost:
        return f"{len(lost)} acknowledged events are gone, such as {min(lost)}"
    wrong = [row.event.id for row in rows if row.event.raw != body(row.event.id)]
    if wrong:
        return f"the bytes of {wrong[0]} changed"
    undone = settled - {row.seq for row in rows if row.state is State.DELIVERED}
    return f"{len(undone)} settlements are gone" if undone else ""


def body(key: str) -> bytes:
    """Return a body; their sizes differ, so that rows span pages."""
    return (key * (1 + hash_of(key) % 400)).encode()


def hash_of(key: str) -> int:
    return sum(key.encode()) * 7919


def weaken(db: sqlite3.Connection) -> None:
    """Let commits return before they are on the disk."""
    db.execute("PRAGMA synchronous=NORMAL")


def work(database: Path, log: recording_vfs.Log, number: int, *, careless: bool) -> None:
    """Run a recorded process, until it is killed."""
    journal_file.WAL_PAGES = 25  # type: ignore[misc]  # checkpoints all the time
    recording_vfs.install(log)
    if careless:
        journal_file._prepare = weaken
    journal = SqliteJournal(database)

    def append(thread: int) -> None:
        for count in range(10**9):
            key = f"{number}.{thread}.{count}"
            event = Event(
                source="acme", id=key, type="t", raw=body(key), occurred_at=NOW, received_at=NOW,
            )  # fmt: skip
            journal.append([event], now=NOW)
            log.say("acked", key)

    def settle() -> None:
        while True:
            claims = journal.claim(20, worker=str(number), now=NOW, lease=timedelta(minutes=1))
            done = journal.settle([Settlement(claim=claim, state=State.DELIVERED) for claim in claims], now=NOW)
            log.say("settled", sorted(done))
            time.sleep(0.02)

    for job, *arguments in ((append, 0), (append, 1), (append, 2), (settle,)):
        threading.Thread(target=job, args=arguments, daemon=True).start()
    print("at work", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    work(Path(sys.argv[1]), recording_vfs.Log(Path(sys.argv[2])), int(sys.argv[3]), careless="careless" in sys.argv)
