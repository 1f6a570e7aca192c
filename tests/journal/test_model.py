"""A journal under random use agrees with a model of a few lines."""

import tempfile
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from support.events import NOW, event
from translators.kit.times import EPOCH
from webhooks.journal import DROPPABLE, AuditContext, ChangeResult, Claim, Settlement, SqliteJournal, State

LEASE = timedelta(seconds=10)
BY = AuditContext(actor="ann", reason="why")


class JournalMachine(RuleBasedStateMachine):
    """state, due, attempts and lease of each key, in order of arrival; all else follows from these."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.journal = SqliteJournal(Path(self.folder.name) / "j.db")
        self.now = NOW
        self.state: dict[str, State] = {}
        self.due: dict[str, datetime] = {}
        self.attempts: dict[str, int] = {}
        self.leased: dict[str, tuple[str, datetime]] = {}
        self.held: list[Claim] = []

    def teardown(self) -> None:
        if hasattr(self, "journal"):
            self.journal.close()
            self.folder.cleanup()

    @rule(keys=st.lists(st.integers(0, 12).map(str), max_size=5))
    def append(self, keys: list[str]) -> None:
        stored = self.journal.append([event(key) for key in keys], now=self.now)
        new = [key for key in dict.fromkeys(keys) if key not in self.state]
        assert (stored.new, stored.duplicate) == (len(new), len(keys) - len(new))
        for key in new:
            self.state[key], self.due[key], self.attempts[key] = State.PENDING, EPOCH, 0  # due by any clock

    @rule(limit=st.integers(1, 4), worker=st.sampled_from("ab"))
    def claim(self, limit: int, worker: str) -> None:
        free = [
            key for key, state in self.state.items()
            if state is State.PENDING and self.due[key] <= self.now
            and (key not in self.leased or self.leased[key][1] <= self.now)
        ]  # fmt: skip
        claims = self.journal.claim(limit, worker=worker, now=self.now, lease=LEASE)
        assert [(leased.event.id, leased.attempts) for leased in claims] == [
            (key, self.attempts[key]) for key in self.first(free, limit)
        ]
        for claimed in claims:
            self.leased[claimed.event.id] = (claimed.lease, self.now + LEASE)
        self.held += claims

    def first(self, free: list[str], limit: int) -> list[str]:
        """Return the first due of those that are not leased, and of those whose lease ran out, in order of arrival."""
        chosen: set[str] = set()
        for lease_ran_out in (False, True):
            ready = {
                key: self.leased[key][1] if lease_ran_out else self.due[key]
                for key in free
                if (key in self.leased) == lease_ran_out
            }
            chosen.update(sorted(ready, key=ready.__getitem__)[:limit])
        return [key for key in free if key in chosen][:limit]

    @rule(data=st.data(), state=st.sampled_from(State), wait=st.integers(0, 20), attempt=st.booleans())
    def settle(self, data: st.DataObject, state: State, wait: int, attempt: bool) -> None:
        if not self.held:
            return
        claim = data.draw(st.sampled_from(self.held))
        key, due = claim.event.id, self.now + timedelta(seconds=wait)
        ours = self.state.get(key) is State.PENDING and self.leased.get(key, ("",))[0] == claim.lease
        settled = self.journal.settle([Settlement(claim=claim, state=state, due_at=due, attempt=attempt)], now=self.now)
        assert settled == ({claim.seq} if ours else set())
        if ours:
            self.state[key], self.due[key] = state, due
            self.attempts[key] += attempt
            del self.leased[key]

    @rule()
    def renew(self) -> None:
        for claim in self.held:
            held = self.journal.renew([claim], now=self.now, lease=LEASE)
            key = claim.event.id
            ours = self.state.get(key) is State.PENDING and self.leased.get(key, ("",))[0] == claim.lease
            assert (claim.seq in held) == ours
            if ours:
                self.leased[key] = (claim.lease, self.now + LEASE)

    @rule(data=st.data(), as_new=st.booleans(), drop=st.booleans())
    def operate(self, data: st.DataObject, as_new: bool, drop: bool) -> None:
        """Replay or drop some events, in any state."""
        keys = data.draw(st.sets(st.integers(0, 12).map(str), max_size=4))
        seqs = [row.seq for row in self.journal.rows() if row.event.id in keys]
        there = [key for key in self.state if key in keys]
        before = len(self.journal.audits(limit=1000))
        if drop:
            changed = [key for key in there if self.state[key] in DROPPABLE]
            done = self.journal.drop(seqs, by=BY, now=self.now)
        else:
            changed = [key for key in there if self.state[key] is not State.PENDING]
            done = self.journal.replay(seqs, by=BY, as_new=as_new, now=self.now)
        assert done == ChangeResult(len(changed), len(there) - len(changed))
        assert len(self.journal.audits(limit=1000)) == before + bool(changed)
        for key in changed:
            self.state[key], self.due[key] = State.DROPPED if drop else State.PENDING, self.now
            self.attempts[key] = self.attempts[key] if drop else 0
            self.leased.pop(key, None)

    @rule(seconds=st.integers(-5, 30))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def prune(self) -> None:
        self.journal.prune(dict.fromkeys(State, timedelta(0)), now=self.now + timedelta(days=1))
        for key in [key for key, state in self.state.items() if state is not State.PENDING]:
            del self.state[key], self.due[key]

    @rule()
    def crash_and_start_again(self) -> None:
        path = self.journal.path
        self.journal.close()
        self.journal = SqliteJournal(path)

    @invariant()
    def it_holds_what_the_model_holds(self) -> None:
        if hasattr(self, "journal"):
            rows = [(row.event.id, row.state, row.attempts) for row in self.journal.rows(limit=1000)]
            assert rows == [(key, state, self.attempts[key]) for key, state in self.state.items()]


JournalMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
TestJournalModel = JournalMachine.TestCase
