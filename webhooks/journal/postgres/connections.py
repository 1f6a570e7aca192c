"""Connections of one process: opened late, taken one caller each, thrown away after a fault.

A web server under gevent runs them in real threads (`webhooks.journal.runners`), so that libpq may block there.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import psycopg
from psycopg import waiting
from psycopg.rows import dict_row

from webhooks.errors import JournalUnavailable
from webhooks.journal.model import Stats

R = TypeVar("R")
PATIENCE: Final = 30.0
"""Seconds after which a statement is given up here, where the server or the network stands still."""
CONNECT: Final = 10
RETRIES: Final = 3
"""Of a transaction that PostgreSQL gave up for another with which it stood in a circle of waiting."""
BAD_VALUE: Final = (
    psycopg.DataError, psycopg.errors.NotNullViolation, psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex, ValueError, TypeError, OverflowError,
)  # fmt: skip
"""The fault of what was to be stored, not of the store. A limit is an operational error to psycopg; it is not to us."""
OUTAGES: Final = ("08", "25", "28", "42", "53100", "53300", "57014", "58")
"""SQLSTATEs of a database that cannot be used now, or not by us, whatever is to be stored."""


class Connection(psycopg.Connection[Any]):
    """One that does not wait for ever."""

    def one(self, query: str, told: Mapping[str, Any] | None = None) -> Any:
        """The first row of an answer; None without any."""
        return self.execute(query.encode(), told).fetchone()

    def all(self, query: str, told: Mapping[str, Any] | None = None) -> list[Any]:
        """Every row of an answer."""
        return self.execute(query.encode(), told).fetchall()

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """As psycopg's, with libpq's own wait (we are in a real thread) and `PATIENCE`."""
        try:
            return waiting.wait_c(gen, self.pgconn.socket, interval, timeout or PATIENCE)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no answer within {PATIENCE:.0f} s") from None


class Connections:
    """`write` and `read` hand a connection to a function, in whatever thread it is called. Never across a fork."""

    def __init__(self, url: str, stats: Stats) -> None:
        self.url = url
        self.stats = stats
        self._idle: deque[Connection] = deque()

    def write(self, work: Callable[[Connection], R]) -> R:
        """One durable transaction. `BAD_VALUE` is raised as it is, every other fault is `JournalUnavailable`."""
        began = time.perf_counter()

        def transact(db: Connection) -> R:
            tries = 0
            while True:
                done: Any = None  # where the work takes it all back itself, by psycopg.Rollback
                try:
                    with db.transaction():
                        done = work(db)
                except psycopg.errors.DeadlockDetected:  # the whole of it was taken back
                    tries += 1
                    if tries > RETRIES:
                        raise
                else:
                    return done  # type: ignore[no-any-return]

        result = self.read(transact)
        self.stats.commits += 1
        self.stats.last_commit_seconds = time.perf_counter() - began
        return result

    def read(self, work: Callable[[Connection], R]) -> R:
        """Statements of their own."""
        with self.connection() as db:
            return work(db)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One for this caller alone; it is kept for the next unless it failed."""
        try:
            db = self._take()
            try:
                yield db
            except BaseException as error:
                if isinstance(error, BAD_VALUE) and not db.broken and db.info.transaction_status == 0:
                    self._idle.append(db)
                else:
                    db.close()
                raise
            self._idle.append(db)
        except BAD_VALUE:
            raise
        except psycopg.Error as error:
            self._drop_idle()  # they went to the same server
            raise unavailable(error) from error

    def close(self) -> None:
        """Let go of them; they are opened again when needed."""
        self._drop_idle()

    def leave_behind(self) -> None:
        """In the child of a fork: the sockets are the parent's, and nothing may be said on them."""
        _left_behind.extend(self._idle)

    def _take(self) -> Connection:
        while True:
            try:
                db = self._idle.pop()
            except IndexError:
                return connect(self.url)
            if not db.closed:
                return db

    def _drop_idle(self) -> None:
        idle, self._idle = self._idle, deque()
        for db in idle:
            db.close()


_left_behind: Final[list[Connection]] = []


def connect(url: str, **more: Any) -> Connection:
    """A connection whose commits are durable, to the server that may be written to."""
    told: dict[str, Any] = {
        "connect_timeout": CONNECT, "application_name": "segue", "keepalives_idle": 30, "keepalives_interval": 10,
        "keepalives_count": 3, "tcp_user_timeout": 30_000,
    }  # fmt: skip
    given = psycopg.conninfo.conninfo_to_dict(url)
    if "," in str(given.get("host", "")):
        told["target_session_attrs"] = "read-write"
    db: Connection = Connection.connect(
        url, autocommit=True, row_factory=dict_row, **{k: v for k, v in told.items() if k not in given}, **more
    )
    try:
        db.execute(
            "SELECT set_config('statement_timeout', '25s', false), set_config('lock_timeout', '20s', false),"
            " set_config('idle_in_transaction_session_timeout', '60s', false), set_config('timezone', 'UTC', false),"
            # a role or database may say otherwise, and then a commit would mean little
            " CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')"
            " THEN set_config('synchronous_commit', 'on', false) END"
        )
    except BaseException:
        db.close()
        raise
    return db


def is_outage(error: BaseException | None) -> bool:
    """Whether the error says that the database cannot be used; others may be one event's fault."""
    return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(OUTAGES)


def message(error: BaseException) -> str:
    """What PostgreSQL says of a value, without the value."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    return str(error)


def unavailable(error: Exception) -> JournalUnavailable:
    """What the caller hears; never with the address, which holds a password."""
    told = str(error).strip().split("\n")[0] or type(error).__name__
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return JournalUnavailable(
            f"PostgreSQL lacks a table or a column of the journal: {told}", hint="Run `segue migrate`."
        )
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return JournalUnavailable(
            f"PostgreSQL refuses it to this role: {told}",
            hint="Run `segue migrate --grants` as the tables' owner, and make this user a member of its role.",
        )
    hint = next((hint for words, hint in _HINTS.items() if words in told), "Is it up, and is its address right?")
    return JournalUnavailable(f"PostgreSQL cannot be used: {told}", hint=f"{hint} Nothing was acknowledged.")


_HINTS: Final = {
    "password authentication failed": "Check the user and the password in DATABASE_URL or SEGUE_DATABASE; signs such "
    "as @ : / in a password are written as %XX.",
    "no password supplied": "The address has no password: give postgresql://user:password@host/name.",
    "does not exist": "Make it with CREATE DATABASE or CREATE ROLE, or correct its name in the address.",
    "failed to resolve host": "Check the host's name in DATABASE_URL or SEGUE_DATABASE, and the DNS of this machine.",
    "does not support SSL": "Turn TLS on in the server, or add sslmode=disable to the address if the network is yours.",
    "no pg_hba.conf entry": "Allow this machine in the server's pg_hba.conf; many servers need sslmode=require in the "
    "address.",
    "Connection refused": "No server listens there: start it, or correct the host and the port in the address.",
    "too many clients": "The server's connections are used up: raise its max_connections, or run fewer processes.",
    "remaining connection slots": "The server's connections are used up: raise its max_connections, or run fewer "
    "processes.",
    "No space left on device": "The server's disk is full: free space there.",
    "read-only transaction": "This server is a standby that cannot be written to: give the address of the primary.",
}
"""By words of the server's or the driver's message: a connection that fails has no SQLSTATE."""


class Listener:
    """Calls `wake` when another process has stored something, in a thread of its own, until `close`."""

    def __init__(self, url: str, channel: Callable[[Connection], str], wake: Callable[[], None]) -> None:
        self._url = url
        self._channel = channel
        self._wake = wake
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._done.set()
        self._thread.join(5)

    def _run(self) -> None:
        pause = 0.1
        while not self._done.is_set():
            try:
                with connect(self._url) as db:
                    db.execute(f'LISTEN "{self._channel(db)}"'.encode())
                    pause = 0.1
                    self._wake()  # whatever came before we listened
                    while not self._done.is_set():
                        for _ in db.notifies(timeout=1.0, stop_after=1):
                            self._wake()
            except psycopg.Error:  # the worker polls meanwhile
                self._done.wait(pause)
                pause = min(10.0, pause * 2)
