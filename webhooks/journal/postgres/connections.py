"""Connections of one process: opened when needed, used by one caller each, closed after an error.

A web server under gevent uses them in real threads (`webhooks.journal.runners`), in which libpq may block.
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
STATEMENT_SECONDS: Final = 30.0
"""Seconds after which a statement fails if the server or the network does not respond."""
CONNECT: Final = 10
RETRIES: Final = 3
"""Retries of a transaction that PostgreSQL ended to resolve a deadlock."""
BAD_VALUE: Final = (
    psycopg.DataError, psycopg.errors.NotNullViolation, psycopg.errors.ProgramLimitExceeded,
    psycopg.errors.StatementTooComplex, ValueError, TypeError, OverflowError,
)  # fmt: skip
"""Errors caused by a value, not by the store. To psycopg an exceeded limit is an operational error; not here."""
OUTAGES: Final = ("08", "25", "28", "42", "53100", "53300", "57014", "58")
"""SQLSTATEs of a database that cannot be used now, or not by this user, whatever is stored."""


class Connection(psycopg.Connection[Any]):
    """A connection with a time limit for each statement."""

    def one(self, query: str, params: Mapping[str, Any] | None = None) -> Any:
        """Return the first row of a result; None without any."""
        return self.execute(query.encode(), params).fetchone()

    def all(self, query: str, params: Mapping[str, Any] | None = None) -> list[Any]:
        """Return every row of a result."""
        return self.execute(query.encode(), params).fetchall()

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait as psycopg does, but with libpq's own wait (this is a real thread) and `STATEMENT_SECONDS`."""
        try:
            return waiting.wait_c(gen, self.pgconn.socket, interval, timeout or STATEMENT_SECONDS)
        except psycopg.errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError(f"no response within {STATEMENT_SECONDS:.0f} s") from None


class Connections:
    """`write` and `read` call a function with a connection, in the calling thread. Never used across a fork."""

    def __init__(self, url: str, stats: Stats) -> None:
        self.url = url
        self.stats = stats
        self._idle: deque[Connection] = deque()

    def write(self, work: Callable[[Connection], R]) -> R:
        """Run one durable transaction. Raise `BAD_VALUE` unchanged, any other error as `JournalUnavailable`."""
        began = time.perf_counter()

        def transact(db: Connection) -> R:
            tries = 0
            while True:
                done: Any = None  # if the function rolls back by psycopg.Rollback
                try:
                    with db.transaction():
                        done = work(db)
                except psycopg.errors.DeadlockDetected:  # all of it was rolled back
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
        """Run statements without a transaction."""
        with self.connection() as db:
            return work(db)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """Yield a connection for this caller alone; keep it for the next caller unless it failed."""
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
            self._drop_idle()  # they are connected to the same server
            raise unavailable(error) from error

    def close(self) -> None:
        """Close the connections; they are opened again when needed."""
        self._drop_idle()

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


def connect(url: str, **more: Any) -> Connection:
    """Connect with durable commits; of several hosts, to the writable server."""
    defaults: dict[str, Any] = {
        "connect_timeout": CONNECT, "application_name": "segue", "keepalives_idle": 30, "keepalives_interval": 10,
        "keepalives_count": 3, "tcp_user_timeout": 30_000,
    }  # fmt: skip
    configured = psycopg.conninfo.conninfo_to_dict(url)
    if "," in str(configured.get("host", "")):
        defaults["target_session_attrs"] = "read-write"
    db: Connection = Connection.connect(
        url, autocommit=True, row_factory=dict_row, **{k: v for k, v in defaults.items() if k not in configured}, **more
    )
    try:
        db.execute(
            "SELECT set_config('statement_timeout', '25s', false), set_config('lock_timeout', '20s', false),"
            " set_config('idle_in_transaction_session_timeout', '60s', false), set_config('timezone', 'UTC', false),"
            # a role or database may set it to off: then a commit would not be durable
            " CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')"
            " THEN set_config('synchronous_commit', 'on', false) END"
        )
    except BaseException:
        db.close()
        raise
    return db


def is_outage(error: BaseException | None) -> bool:
    """Return whether the error means that the database cannot be used; one event may cause any other error."""
    return isinstance(error, psycopg.Error) and (error.sqlstate or "").startswith(OUTAGES)


def message(error: BaseException) -> str:
    """Return PostgreSQL's message about a value, without the value."""
    if isinstance(error, psycopg.Error) and error.diag.message_primary:
        return error.diag.message_primary
    return str(error)


def unavailable(error: Exception) -> JournalUnavailable:
    """Return the error for the caller; never with the address, which contains a password."""
    cause = str(error).strip().split("\n")[0] or type(error).__name__
    if isinstance(error, psycopg.errors.UndefinedTable | psycopg.errors.UndefinedColumn):
        return JournalUnavailable(
            f"PostgreSQL lacks a table or a column of the journal: {cause}", hint="Run `segue migrate`."
        )
    if isinstance(error, psycopg.errors.InsufficientPrivilege):
        return JournalUnavailable(
            f"this PostgreSQL role lacks a right: {cause}",
            hint="Run `segue migrate --grants` as the tables' owner, and make this user a member of its role.",
        )
    hint = next((hint for words, hint in _HINTS.items() if words in cause), "Is it up, and is its address right?")
    return JournalUnavailable(f"PostgreSQL cannot be used: {cause}", hint=f"{hint} Nothing was acknowledged.")


_HINTS: Final = {
    "password authentication failed": "Check the user and the password in DATABASE_URL or SEGUE_DATABASE; characters "
    "such as @ : / in a password are written as %XX.",
    "no password supplied": "The address has no password: give postgresql://user:password@host/name.",
    "does not exist": "Create it with CREATE DATABASE or CREATE ROLE, or correct its name in the address.",
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
"""Hints by words of the server's or the driver's message: a connection that fails has no SQLSTATE."""


FIRST_PAUSE: Final = 0.1
LONGEST_PAUSE: Final = 10.0
"""Seconds between two attempts to listen, doubled after each failure."""


class Listener:
    """Calls `wake` from its own thread when another process has stored events, until `close`."""

    def __init__(self, url: str, channel: Callable[[Connection], str], wake: Callable[[], None]) -> None:
        self._url = url
        self._channel = channel
        self._wake = wake
        self._pause = FIRST_PAUSE
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="journal-listener", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """End the thread."""
        self._done.set()
        self._thread.join(5)

    def _run(self) -> None:
        while not self._done.is_set():
            try:
                self._listen()
            except psycopg.Error:  # meanwhile the worker polls
                self._done.wait(self._pause)
                self._pause = min(LONGEST_PAUSE, self._pause * 2)

    def _listen(self) -> None:
        """Call `wake` for every notification until `close`."""
        with connect(self._url) as db:
            db.execute(f'LISTEN "{self._channel(db)}"'.encode())
            self._pause = FIRST_PAUSE
            self._wake()  # for events stored before LISTEN
            while True:
                for _ in db.notifies(timeout=1.0, stop_after=1):
                    self._wake()
                if self._done.is_set():
                    return
