"""Random use of one journal by several processes and threads at once, some of them killed; then the record is judged.

Every operation is written down before it is begun and after it was answered. Afterwards `linear` looks for an order that
explains what was answered for each event; the readers that followed must have seen each event exactly once, in one order;
the audit log must name exactly what replays and drops said they changed; and what was acknowledged must be there.
"""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from faults import linearizability as linear
from translators.kit import Event
from webhooks.errors import JournalUnavailable
from webhooks.journal import AuditContext, Claim, Journal, Settlement, State, open_journal, queries
from webhooks.journal.postgres import PostgresJournal

LEASE = 0.25
WEIGHTS = {"append": 26, "claim": 24, "settle": 24, "renew": 6, "replay": 9, "drop": 5, "find": 12, "prune": 2}
ENDS = [State.DELIVERED, State.DELIVERED, State.DEAD, State.IGNORED, State.UNSUPPORTED, State.PENDING]


@dataclass
class HistoryReport:
    """The operations of all rounds, and the violations."""

    rounds: int = 0
    operations: Counter[str] = field(default_factory=Counter)
    unanswered: int = 0
    unavailable: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    events: int = 0
    tailed: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        return not self.faults and self.events > 0

    def __str__(self) -> str:
        operations = ", ".join(f"{name} {count}" for name, count in sorted(self.operations.items()))
        return (
            f"concurrent histories: {'ok' if self.ok else 'FAULT'} in {self.seconds:.0f} s\n"
            f"  {self.rounds} rounds, {self.events} events, {self.kills} processes killed, {self.tailed} events followed\n"
            f"  operations: {operations}; without an answer {self.unanswered}; faults {len(self.faults)}"
            + "".join(f"\n  unavailable {count} times: {reason}" for reason, count in self.unavailable.most_common())
            + "".join(f"\n  {fault}" for fault in self.faults[:3])
        )


class Recorder:
    """Call the journal and write down each operation and its answer."""

    def __init__(self, journal: Journal, log: Path, *, name: str, tick: Callable[[], float] = time.monotonic) -> None:
        self.journal = journal
        self._log = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._name = name
        self._tick = tick
        self._count = 0
        self._lock = threading.Lock()

    def call(self, op: str, work: Callable[[], Any], **arguments: Any) -> Any:
        """Return the answer; None if the store was unavailable, then the operation may have been done or not."""
        with self._lock:
            self._count += 1
            id_ = f"{self._name}-{self._count}"
        self._write({"id": id_, "op": op, "begin": self._tick(), **arguments})
        try:
            answer = work()
        except JournalUnavailable as error:
            self._write({"id": id_, "unavailable": error.message})
            return None
        self._write({"id": id_, "end": self._tick(), "answer": answer})
        return answer

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._log, json.dumps(line).encode() + b"\n")


class User:
    """One thread that does operations at random."""

    def __init__(self, recorder: Recorder, rng: random.Random, *, keys: list[str], prunes: bool, name: str) -> None:
        self.recorder = recorder
        self.journal = recorder.journal
        self.rng = rng
        self.keys = keys
        self.name = name
        self.weights = {op: weight for op, weight in WEIGHTS.items() if prunes or op != "prune"}
        self.held: list[Claim] = []
        self.known: list[int] = []

    def run(self, operations: int) -> None:
        for _ in range(operations):
            op = self.rng.choices(list(self.weights), list(self.weights.values()))[0]
            getattr(self, op)()
            if self.rng.random() < 0.1:
                time.sleep(self.rng.uniform(0, LEASE))

    def append(self) -> None:
        events = [event(key) for key in self.rng.sample(self.keys, self.rng.choice([1, 1, 1, 2, 3]))]

        def work() -> dict[str, int]:
            stored = self.journal.append(events, now=datetime.now(UTC))
            return {"new": stored.new, "duplicate": stored.duplicate}

        self.recorder.call("append", work, keys=[stored_event.id for stored_event in events])

    def claim(self) -> None:
        claims: list[Claim] = []

        def work() -> list[dict[str, Any]]:
            claims.extend(
                self.journal.claim(
                    self.rng.randint(1, 5), worker=self.name, now=datetime.now(UTC), lease=timedelta(seconds=LEASE)
                )
            )
            return [claim_record(claim) for claim in claims]

        self.recorder.call("claim", work)
        self.held = (self.held + claims)[-20:]
        self.known = (self.known + [one_claim.seq for one_claim in claims])[-20:]

    def settle(self) -> None:
        chosen = self._some_held(keep=0.3)
        if chosen:
            self._settle([Settlement(claim=claim, **self._end()) for claim in chosen])

    def _end(self) -> dict[str, Any]:
        state = self.rng.choice(ENDS)
        return {"state": state, "reason": "r" * self.rng.randrange(3), "attempt": self.rng.random() < 0.7}

    def _settle(self, settlements: list[Settlement]) -> None:
        claims = [
            {**claim_record(settlement.claim), "state": settlement.state.value, "attempt": int(settlement.attempt)}
            for settlement in settlements
        ]
        work = lambda: sorted(self.journal.settle(settlements, now=datetime.now(UTC)))  # noqa: E731
        self.recorder.call("settle", work, claims=claims)

    def renew(self) -> None:
        chosen = self._some_held(keep=1.0)
        if chosen:
            lease = timedelta(seconds=LEASE)
            work = lambda: sorted(self.journal.renew(chosen, now=datetime.now(UTC), lease=lease))  # noqa: E731
            self.recorder.call("renew", work, claims=[claim_record(claim) for claim in chosen])

    def replay(self) -> None:
        self._operate("replay", as_new=self.rng.random() < 0.3)

    def drop(self) -> None:
        self._operate("drop", as_new=False)

    def _operate(self, op: str, *, as_new: bool) -> None:
        seqs = self.rng.sample(self.known, min(len(self.known), self.rng.choice([1, 1, 2, 4])))
        if not seqs:
            return
        by = AuditContext(actor=self.name, reason="dice", operation=f"{self.name}-{time.monotonic_ns()}")
        more = {"as_new": as_new} if op == "replay" else {}
        work = lambda: getattr(self.journal, op)(seqs, by=by, now=datetime.now(UTC), **more).changed  # noqa: E731
        self.recorder.call(op, work, seqs=sorted(set(seqs)), operation=by.operation, as_new=as_new)

    def find(self) -> None:
        record_find(self.recorder, self.rng.choice(self.keys))

    def prune(self) -> None:
        ages: dict[State, timedelta] = {state: timedelta() for state in State if state is not State.PENDING}
        work = lambda: self.journal.prune(ages, now=datetime.now(UTC), limit=self.rng.randint(1, 5))  # noqa: E731
        self.recorder.call("prune", work)

    def _some_held(self, *, keep: float) -> list[Claim]:
        """Return some claims, only one of an event with two leases: an answer names events, not leases."""
        chosen = list(
            {
                claim.seq: claim for claim in self.rng.sample(self.held, min(len(self.held), self.rng.randint(1, 4)))
            }.values()
        )
        gone = {id(claim) for claim in chosen if self.rng.random() >= keep}
        self.held = [claim for claim in self.held if id(claim) not in gone]
        return chosen


def opened(url: str) -> Journal:
    """Open a journal; PostgreSQL with a new partition at every prune, so that events are looked up in and moved between several."""
    if not url.startswith("postgres"):
        return open_journal(url)
    journal = PostgresJournal(url, span=timedelta())
    journal.open()
    return journal


def event(key: str) -> Event:
    at = datetime.now(UTC)
    return Event(source="h", id=key, type="t", occurred_at=at, received_at=at, raw=f"body of {key}".encode())


def claim_record(claim: Claim) -> dict[str, Any]:
    return {
        "seq": claim.seq, "key": claim.event.id, "lease": claim.lease, "attempts": claim.attempts, "edition": claim.replay_generation,
    }  # fmt: skip


def record_find(recorder: Recorder, key: str) -> None:
    """Read one event."""

    def work() -> dict[str, Any] | None:
        row = recorder.journal.find("h", key)
        return row if row is None else {
            "seq": row.seq, "key": key, "state": row.state.value, "attempts": row.attempts, "edition": row.replay_generation,
        }  # fmt: skip

    recorder.call("find", work, key=key)


def follow(journal: Journal, log: Path, after: str, stop: threading.Event) -> None:
    """Read behind the last cursor, and write down what was seen, a page a line."""
    with log.open("w") as file:
        while not stop.is_set():
            try:
                rows = journal.rows(after=after, limit=5)
            except JournalUnavailable:
                rows = []
            if rows:
                after = rows[-1].cursor
                file.write(json.dumps({"after": after, "seqs": [row.seq for row in rows]}) + "\n")
                file.flush()
            else:
                time.sleep(0.002)


BUGS = {
    "a settlement under any lease": ("settle", "AND states.lease = ended.lease", ""),
    "a claim of what is leased": ("ready", "(1, :first, :now)", "(1, :first, :last)"),
    "a renewal under any lease": ("renew", "AND states.lease = renewed.lease", ""),
    "a drop of what is delivered": ("drop", "AND state IN (SELECT value FROM json_each(:droppable))", ""),
    "a replay that keeps the attempts": ("replay", "attempts = 0,", ""),
    "a prune of what is pending": ("prune", "state = ? AND source = ? AND settled_at < ? AND state <> 'pending'",
                                   "? <> '' AND source = ? AND due_at < ?"),
    "a reader that leaves one out": ("rows", "seq > :after", "seq > :after + 1"),
    "a reader that begins again": ("rows", "seq > :after", "seq >= :after"),
    "an audit log that forgets": ("audit", ":events,", "CASE WHEN json_array_length(:events) < 2 THEN :events ELSE '[]' END,"),
}  # fmt: skip
"""Bugs that the SQLite journal could have, as (query, text, text in its place): the judgement must find each of them."""


@dataclass(frozen=True)
class Round:
    """The parameters of a round, for each of its processes. `start` is the cursor before its first event."""

    url: str
    folder: str
    keys: list[str]
    start: str
    threads: int
    operations: int
    prunes: bool
    bug: str


def use(round_: Round, name: str, seed: str) -> None:
    """Run one process of a round."""
    if round_.bug:
        query, right, wrong = BUGS[round_.bug]
        sql = queries.load("sqlite/queries")
        assert right in sql[query]
        sql[query] = sql[query].replace(right, wrong)
    folder = Path(round_.folder)
    journal = opened(round_.url)
    recorder = Recorder(journal, folder / f"{name}.log", name=name)
    stop = threading.Event()
    reader = threading.Thread(target=follow, args=(journal, folder / f"{name}.tail", round_.start, stop), daemon=True)
    reader.start()
    users = [
        User(
            recorder, random.Random(f"{seed} {number}"), keys=round_.keys, prunes=round_.prunes, name=f"{name}.{number}"
        )
        for number in range(round_.threads)
    ]
    running = [threading.Thread(target=user.run, args=(round_.operations,), daemon=True) for user in users]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    stop.set()
    reader.join()
    journal.close()


def concurrent_histories(
    rounds: int,
    *,
    seed: int,
    database: str = "",
    processes: int = 3,
    threads: int = 3,
    operations: int = 60,
    keys: int = 30,
    bug: str = "",
    say: Callable[[str], None] = lambda _: None,
) -> HistoryReport:
    """Run each round on a journal of its own, or with keys of its own in `database`; every other one prunes too."""
    report = HistoryReport()
    began = time.monotonic()
    for number in range(rounds):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            url = database or f"sqlite:///{folder}/journal.db"
            rng = random.Random(f"{seed} {number}")
            journal = opened(url)
            round_ = Round(
                url=url, folder=name, keys=[f"{folder.name}-{key_number}" for key_number in range(keys)], start=journal.end(),
                threads=threads, operations=operations, prunes=number % 2 == 1, bug=bug,
            )  # fmt: skip
            journal.close()
            report.kills += _play(round_, rng, processes)
            _judge(round_, report)
        report.rounds += 1
        say(f"{number + 1}/{rounds} rounds, {report.events} events")
        if report.faults:
            report.faults[0] = f"seed {seed}, round {number}: {report.faults[0]}"
            break
    report.seconds = time.monotonic() - began
    return report


def _play(round_: Round, rng: random.Random, processes: int) -> int:
    """Start the processes, kill one now and then and start another in its place; returns how many were killed."""
    folder = Path(round_.folder)
    names = iter(range(1000))

    def start() -> tuple[str, subprocess.Popen[bytes]]:
        name = f"p{next(names)}"
        command = [sys.executable, __file__, json.dumps(asdict(round_)), name, str(rng.randrange(10**9))]
        return name, subprocess.Popen(command, env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)})

    running = [start() for _ in range(processes)]
    kills = rng.randint(0, 2)
    try:
        for _ in range(kills):
            victim = rng.randrange(processes)
            name, process = running[victim]
            while process.poll() is None and not (folder / f"{name}.log").exists():
                time.sleep(0.005)
            time.sleep(rng.uniform(0.0, 0.4))
            process.send_signal(signal.SIGKILL)
            process.wait()
            running[victim] = start()
        for _, process in running:
            if process.wait(120):
                raise RuntimeError(f"a process of the history ended with {process.returncode}")
    finally:
        for _, process in running:
            process.kill()
            process.wait()
    return kills


def _judge(round_: Round, report: HistoryReport) -> None:
    folder = Path(round_.folder)
    journal = opened(round_.url)
    try:
        _finish(journal, round_)
        records = read(folder.glob("*.log"))
        answered = [record for record in records if "end" in record]
        report.operations.update(record["op"] for record in records)
        report.unanswered += len(records) - len(answered)
        report.unavailable.update(record["unavailable"] for record in records if "unavailable" in record)
        report.faults += linear.faults(records, _audited(journal, answered, report), lease=LEASE)
        rows = _all(journal, round_.start)
        report.events += len(rows)
        _content(rows, records, report, prunes=round_.prunes)
        for log in sorted(folder.glob("*.tail")):
            _tail(journal, log, round_, [row.seq for row in rows], report)
    finally:
        journal.close()


def _finish(journal: Journal, round_: Round) -> None:
    """Claim and settle once, after every lease has ended, each event that is pending; then read all."""
    time.sleep(LEASE * 2)
    recorder = Recorder(journal, Path(round_.folder) / "end.log", name="end")
    user = User(recorder, random.Random(0), keys=round_.keys, prunes=False, name="end")
    while True:
        user.held = []
        user.claim()
        if not user.held:
            break
        user._settle([Settlement(claim=claim, state=State.DELIVERED) for claim in user.held])
    for key in round_.keys:
        record_find(recorder, key)


def read(logs: Iterable[Path]) -> list[dict[str, Any]]:
    """Return the record of every operation with its answer; the last line of a killed process may be torn."""
    records: dict[str, dict[str, Any]] = {}
    for log in sorted(logs):
        for line in log.read_text().splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                continue
            records.setdefault(entry["id"], {}).update(entry)
    return sorted(records.values(), key=lambda record: record["begin"])


def _audited(journal: Journal, answered: list[dict[str, Any]], report: HistoryReport) -> dict[str, list[str]]:
    """Return the keys that each operation changed, by the audit log, which must agree with the answers."""
    changed: dict[str, list[str]] = defaultdict(list)
    before = 0
    while lines := journal.audits(before=before, limit=1000):
        for line in lines:
            changed[line.operation] += [name.removeprefix("h/") for name in line.events]
        before = lines[-1].id
    for record in answered:
        if record["op"] in {"replay", "drop"} and record["answer"] != len(changed.get(record["operation"], [])):
            report.faults.append(f"the audit log has {changed.get(record['operation'])} for {record}")
    return changed


def _all(journal: Journal, start: str) -> list[Any]:
    rows: list[Any] = []
    while page := journal.rows(after=rows[-1].cursor if rows else start, limit=500):
        rows += page
    return rows


def _content(rows: list[Any], records: list[dict[str, Any]], report: HistoryReport, *, prunes: bool) -> None:
    keys = [row.event.id for row in rows]
    for key, count in Counter(keys).items():
        if count > 1:
            report.faults.append(f"{key} is there {count} times")
    report.faults += [
        f"the body of {row.event.id} is {row.event.raw!r}" for row in rows if row.event.raw != event(row.event.id).raw
    ]
    report.faults += [f"{row.event.id} is still pending" for row in rows if row.state is State.PENDING]
    acked = {key for record in records if record["op"] == "append" and "end" in record for key in record["keys"]}
    if not prunes:
        report.faults += [f"{key} was acknowledged and is lost" for key in sorted(acked - set(keys))]


def _tail(journal: Journal, log: Path, round_: Round, there: list[int], report: HistoryReport) -> None:
    """Check what a reader saw, and would see from its last cursor on: every event once, in one order."""
    seen: list[int] = []
    after = round_.start
    for line in log.read_text().splitlines():
        try:
            page = json.loads(line)
        except ValueError:
            break
        seen += page["seqs"]
        after = page["after"]
    while rows := journal.rows(after=after, limit=100):
        seen += [row.seq for row in rows]
        after = rows[-1].cursor
    report.tailed += len(seen)
    twice = [seq for seq, count in Counter(seen).items() if count > 1]
    if twice:
        report.faults.append(f"{log.name}: seen twice: {twice[:5]}")
    left = set(there)
    if [seq for seq in seen if seq in left] != there or (not round_.prunes and seen != there):
        report.faults.append(f"{log.name}: saw {seen}, there is {there}")


if __name__ == "__main__":
    use(Round(**json.loads(sys.argv[1])), *sys.argv[2:])
