"""The tables of the PostgreSQL journal.

Queue times use the database's clock, so that a machine with a wrong clock takes no lease of another one.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from webhooks.errors import JournalUnavailable
from webhooks.journal import queries, records
from webhooks.journal.database import NamedParams
from webhooks.journal.encryption import Encryption
from webhooks.journal.filter import Filter
from webhooks.journal.former import ArrivingEvents
from webhooks.journal.group import GroupCommit
from webhooks.journal.model import (
    FORGOTTEN,
    AppendResult,
    AuditContext,
    Census,
    Cursor,
    ReencryptResult,
    State,
    Stats,
    Verification,
)
from webhooks.journal.postgres import changes, columns
from webhooks.journal.postgres import partitions as partitions_
from webhooks.journal.postgres.append import append_group, prove, store, unstorable
from webhooks.journal.postgres.connections import BAD_VALUE, Connection, Connections, Listener
from webhooks.journal.postgres.opening import Opening
from webhooks.journal.records import Params, Record, micros
from webhooks.journal.runners import runner

R = TypeVar("R")
SQL: Final = queries.load("postgres/queries")
_ANY_READY, _CLAIM = (SQL[name].format(sources=SQL["sources"]) for name in ("any_ready", "claim"))
_PAST_THE_END: Final = (1 << 63) - 1
FLUSHERS: Final = 3
"""Groups that one process may commit at once."""
STATEMENTS: Final = 3
"""Other statements that may run at once under gevent."""
NOTIFY_INTERVAL: Final = 0.01
"""Seconds between wake-ups of the workers, at least: a NOTIFY takes a lock that all databases share.

A worker that was woken claims again a little later, and so finds the events of which it was not notified.
"""


def wall() -> int:
    """Return the time of this machine's clock, to be compared with the database's."""
    return time.time_ns() // 1000


class PostgresDatabase:
    """See `webhooks.journal.database.JournalDatabase`.

    Events are in the order of the transactions that stored them, then of `seq`; a cursor is `transaction-seq`.
    """

    def __init__(self, url: str, encryption: Encryption, span: timedelta, opening: Opening) -> None:
        self.stats: Final = Stats()
        self.connections: Final = Connections(url, self.stats)
        self._url = url
        self._encryption = encryption
        self._span = span
        self._opening = opening
        self._run = runner(FLUSHERS + STATEMENTS, alone=False)
        self.groups = tuple(GroupCommit(self._append_group, self._run) for _ in range(FLUSHERS))
        self._notified_at = 0.0

    def open(self) -> None:
        """Check the tables once, see `Opening`."""
        if not self._opening.is_done:
            self._opening.open(self._run)

    def transact(self, work: Callable[[Connection], R]) -> R:
        """Run one durable transaction."""
        return self._call(self.connections.write, work)

    def query(self, work: Callable[[Connection], R]) -> R:
        """Run statements without a transaction."""
        return self._call(self.connections.read, work)

    def _call(self, call: Callable[[Callable[[Connection], R]], R], work: Callable[[Connection], R]) -> R:
        self.open()
        try:
            result: R = self._run(call, work)
        except BAD_VALUE as error:
            raise unstorable("a value", error) from error
        return result

    # the queue

    def append(self, arrivals: ArrivingEvents) -> AppendResult:
        """Store events in one group commit with concurrent callers; the least busy flusher is used."""
        self.open()
        return min(self.groups, key=lambda group: group.load).submit(arrivals)

    def _append_group(self, group: Sequence[ArrivingEvents]) -> Sequence[AppendResult | Exception]:
        stored = append_group(self.connections, group, self._encryption, wall)
        if any(isinstance(result, AppendResult) for result in stored):
            self._notify_workers()
        return stored

    def _notify_workers(self) -> None:
        """Wake the workers, outside the transaction that stored events. Without it they poll a little later."""
        now = time.monotonic()
        if now - self._notified_at < NOTIFY_INTERVAL:
            return
        self._notified_at = now
        try:
            self.connections.read(_notify)
        except JournalUnavailable:
            return

    def claim(self, limit: int, lease: str, *, now: datetime, length: timedelta) -> list[Record]:
        """Lease due events: first a fair share of each source, then any others."""
        params = {"now": micros(now), "wall": wall()}
        if not self.query(lambda db: db.one(_ANY_READY, params))["exists"]:
            return []
        params |= {"span": length // timedelta(microseconds=1)}

        def work(db: Connection) -> list[Record]:
            claimed: list[Record] = []
            for least in (1, limit):
                left = limit - len(claimed)
                if left:
                    claimed += db.all(_CLAIM, params | {"least": min(least, left), "limit": left, "lease": lease})
            return claimed

        return sorted(self.transact(work), key=lambda record: record["seq"])

    def renew(self, leases: Sequence[tuple[int, str]], *, now: datetime, length: timedelta) -> set[int]:
        """Renew leases by (seq, lease); return the seqs renewed."""
        params = {"seq": [seq for seq, _ in leases], "lease": [lease for _, lease in leases]}
        params |= {"until": micros(now + length), "wall": wall()}
        return {record["seq"] for record in self.transact(lambda db: db.all(SQL["renew"], params))}

    def settle(self, ended: Sequence[dict[str, Any]], *, now: datetime) -> set[int]:
        """End claims; return the seqs settled."""
        params = columns.settle_params(ended, now) | {"wall": wall()}
        return {record["seq"] for record in self.transact(lambda db: db.all(SQL["settle"], params))}

    def watch(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Call `wake` when another process has stored events; return a function that ends it."""
        return Listener(self._url, lambda db: db.one(SQL["channel"])["?column?"], wake).close

    # queries

    def get(self, seq: int) -> Record | None:
        """Return an event by its seq."""
        return self._one("get", {"seq": seq})

    def find(self, source: str, key: str) -> Record | None:
        """Return an event by its source and key."""
        if not (columns.is_text(source) and columns.is_text(key)):
            return None
        return self._one("find", {"source": source, "event_key": key})

    def _one(self, name: str, params: NamedParams) -> Record | None:
        query = SQL[name].format(columns=SQL["columns"])
        return self.query(lambda db: db.one(query, params))

    def page(self, filter: Filter, after: Cursor, limit: int, *, newest_first: bool) -> list[Record]:
        """Return records after a cursor, or before it if newest first."""
        query, params = _query("rows_newest_first" if newest_first else "rows", filter)
        params |= {**columns.cursor_params(after), "limit": limit}
        params["before"] = params["after_seq"] or _PAST_THE_END
        return self.query(lambda db: db.all(query, params if newest_first else params | _horizon(db)))

    def cursor(self, record: Record) -> Cursor:
        """Return the event's transaction and seq."""
        cursor: Cursor = record["cursor"]
        return cursor

    def count(self, filter: Filter) -> int:
        """Return the number of events that the filter selects."""
        count: int = self._filtered("count", filter)[0][0]
        return count

    def seqs(self, filter: Filter) -> list[int]:
        """Return the seqs of these events, in order."""
        return [seq for (seq,) in self._filtered("seqs", filter)]

    def event_groups(self, filter: Filter) -> list[Record]:
        """Return these events by source, type, state and reason."""
        return self._filtered("event_groups", filter)

    def _filtered(self, name: str, filter: Filter) -> list[Record]:
        query, params = _query(name, filter)
        return [tuple(record.values()) for record in self.query(lambda db: db.all(query, params))]

    def end(self) -> Cursor:
        """Return the last position before which no event can be added."""

        def work(db: Connection) -> Cursor:
            cursor: Cursor = db.one(SQL["end"], _horizon(db))["coalesce"]
            return cursor

        return self.query(work)

    def census(self) -> Census:
        """Return counts; those of settled events are kept up to date by each change."""
        settled, waiting, size = self.query(
            lambda db: (db.all(SQL["census"]), db.all(SQL["waiting"]), db.one(SQL["size"]))
        )
        counts = [(count["source"], State(count["state"]), count["amount"]) for count in settled]
        counts += [(count["source"], State.PENDING, count["amount"]) for count in waiting]
        return records.census(
            counts,
            oldest={count["source"]: count["oldest"] for count in waiting},
            unsupported_types={
                (count["source"], count["type"]): count["amount"]
                for count in settled
                if count["state"] == State.UNSUPPORTED
            },
            size_bytes=size["coalesce"],
        )

    # changes by an operator, and pruning

    def replay(self, seqs: Sequence[int], *, by: AuditContext, now: datetime, due_at: datetime, as_new: bool) -> int:
        """Make settled events pending again."""
        params = changes.params(seqs, by, now, wall()) | {"as_new": int(as_new), "due_at": micros(due_at)}
        return self.transact(lambda db: changes.replay(db, params, by, now, as_new=as_new))

    def drop(self, seqs: Sequence[int], *, by: AuditContext, now: datetime) -> int:
        """Drop events that are not delivered."""
        params = changes.params(seqs, by, now, wall())
        return self.transact(lambda db: changes.drop(db, params, by, now))

    def load(self, rows: Sequence[Params]) -> int:
        """Store rows of another journal; return how many were new."""
        params = columns.store_params(rows)

        def work(db: Connection) -> int:
            db.execute(SQL["share_partitions"])
            return len(store(db, params, wall()))

        return self.transact(work)

    def prune(self, ages: Mapping[State, timedelta], *, now: datetime, limit: int) -> int:
        """Open a new partition when it is time, drop old ones whole, and delete old rows that were kept.

        Whole partitions may be more than `limit`. One process does this at a time; the others return 0.
        """
        params = {"now": micros(now), "wall": wall()}
        before: dict[State, int] = {
            state: micros(now - age) for state, age in ages.items() if state is not State.PENDING
        }

        def maintain(db: Connection) -> bool:
            if not db.one(SQL["lock_pruning"])["pg_try_advisory_xact_lock"]:
                return False
            db.execute(SQL["forget_tokens"], params)
            db.execute(SQL["forget_workers"], {"old": micros(now - FORGOTTEN)})
            partitions_.sum_counts(db)
            partitions_.rotate(db, self._span, params)
            return True

        if not self.transact(maintain):
            return 0
        deleted = 0
        for partition in self.query(partitions_.closed):
            if self.query(lambda db, one=partition: partitions_.may_retire(db, one, before)):  # type: ignore[misc]
                deleted += self.transact(lambda db, one=partition["id"]: partitions_.retire(db, one, before)) or 0  # type: ignore[misc]
        return deleted + self.transact(lambda db: partitions_.prune_kept(db, before, max(0, limit - deleted)))

    def reencrypt(self, after: Cursor, limit: int, *, dry_run: bool) -> ReencryptResult:
        """Encrypt some rows again, in one transaction; the next vacuum removes the previous versions."""
        params = {"after_seq": columns.cursor_params(after)["after_seq"], "limit": limit}
        call = self.query if dry_run else self.transact
        return call(lambda db: changes.reencrypt(db, params, self._encryption, write=not dry_run))

    # notes, counters, tokens and the audit log

    def read(self, name: str, params: NamedParams | None = None) -> list[Record]:
        """Return the records of a named query."""
        return self.query(lambda db: db.all(SQL[name], params))

    def write(self, *statements: tuple[str, NamedParams]) -> list[Record]:
        """Run named statements in one transaction; return the records of the last."""

        def work(db: Connection) -> list[Record]:
            results = [db.execute(SQL[name].encode(), params) for name, params in statements]
            return results[-1].fetchall() if results[-1].description else []

        return self.transact(work)

    def write_many(self, *statements: tuple[str, Sequence[Params]]) -> None:
        """Run each named statement for all its parameters, in one transaction."""

        def work(db: Connection) -> None:
            with db.cursor() as cursor:
                for name, params in statements:
                    cursor.executemany(SQL[name].encode(), params)

        self.transact(work)

    # the server

    def check(self) -> None:
        """Make a durable write, on a server that syncs."""
        settings = self.query(lambda db: db.one(SQL["durable"]))
        if settings["fsync"] != "on":
            raise JournalUnavailable(
                "PostgreSQL runs with fsync=off: a power cut may lose stored events",
                hint="Set fsync = on in postgresql.conf and restart it.",
            )
        self.transact(prove)

    def verify(self, *, full: bool, seconds: float) -> Verification:
        """Return no problems: the server checks its pages."""
        del full, seconds
        return Verification()

    def close(self) -> None:
        """Close the connections."""
        self.connections.close()

    def abandon(self) -> None:
        """In the child of a fork: the sockets belong to the parent, so send nothing on them."""


def _horizon(db: Connection) -> dict[str, str]:
    horizon: dict[str, str] = db.one(SQL["horizon"])
    return horizon


def _query(name: str, filter: Filter) -> tuple[str, dict[str, Any]]:
    params = columns.filter_params(filter)
    where = " AND ".join(SQL[f"where {part}"] for part in params) or SQL["where"]
    return SQL[name].format(where=where, columns=SQL["columns"]), params


def _notify(db: Connection) -> None:
    with db.transaction():
        db.execute("SELECT set_config('synchronous_commit', 'off', true)")
        db.execute(SQL["notify"])
