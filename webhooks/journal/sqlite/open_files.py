"""Track the open files of a SQLite journal, and check that they are still the files under their names.

A file that was removed or replaced still accepts writes from the processes that have it open. When the last of these
processes ends, the writes are lost. SQLite does not check this:
https://www.sqlite.org/howtocorrupt.html#_unlinking_or_renaming_a_database_file_while_in_use
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import msgspec

Inode = tuple[int, int]
"""Device and inode number. The number is not reused while a process has the file open."""
SETTLED_NS: Final = 2_000_000_000
"""If a folder changed less than this ago, a new change may leave its time the same: then compare each file."""
_MODE: Final = 0o600
_RECORD: Final = 200
"""Bytes of a record, always written as a whole."""
_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC


class FileIdentity(msgspec.Struct, frozen=True):
    """The three files of one SQLite database: itself, its log (`-wal`) and the log's index (`-shm`)."""

    database: Inode | None = None
    log: Inode | None = None
    index: Inode | None = None

    @property
    def complete(self) -> bool:
        """Return whether all three exist."""
        return None not in (self.database, self.log, self.index)


SAVED: Final = FileIdentity()
"""Recorded when the content of a removed log is in the database and no new log exists."""


def log_of(path: str) -> str:
    """Return the name of the database's log."""
    return f"{path}-wal"


def index_of(path: str) -> str:
    """Return the name of the log's index."""
    return f"{path}-shm"


def identity(path: str) -> FileIdentity:
    """Return the files that are now under the names."""
    return FileIdentity(_inode(path), _inode(log_of(path)), _inode(index_of(path)))


class OpenFiles:
    """A connection and its open files, which are compared with those under the names before and after each use.

    All names are in one folder. Its change time shows whether a file was removed or replaced, with one system call.
    Reading the times of a log that is being written to makes its next sync slower.
    """

    def __init__(self, path: str, identity: FileIdentity, db: sqlite3.Connection) -> None:
        self.path = path
        self.db = db
        self.identity = identity
        self._folder = os.path.dirname(path)  # noqa: PTH120 - called by each commit
        self._unchanged_at: Inode | tuple[int, int, int] | None = None

    def unchanged(self) -> bool:
        """Return whether each name still belongs to the open file."""
        try:
            folder = os.stat(self._folder)  # noqa: PTH116
        except OSError:
            return False
        at = (folder.st_dev, folder.st_ino, folder.st_ctime_ns)
        if at == self._unchanged_at:
            return True
        same = identity(self.path) == self.identity
        settled = time.time_ns() - folder.st_ctime_ns > SETTLED_NS
        self._unchanged_at = at if same and settled else None
        return same


class FileUsers:
    """`<name>.open`: each process that has the files open holds a shared lock on it; its content identifies them.

    Only used while the caller holds `FileLock`.
    """

    def __init__(self, path: str) -> None:
        self._path = f"{path}.open"
        self._file = -1

    def join(self) -> bool:
        """Become a user; return whether there is no other one."""
        self._file = os.open(self._path, _FLAGS, _MODE)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            alone = False
        else:
            alone = True
        fcntl.flock(self._file, fcntl.LOCK_SH)
        return alone

    def leave(self) -> None:
        """Stop being a user."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def recorded(self) -> FileIdentity | None:
        """Return the recorded files of the users."""
        return _decoded(os.pread(self._file, _RECORD, 0))

    def record(self, files: FileIdentity) -> None:
        """Record the files that the users have open from now on."""
        os.pwrite(self._file, msgspec.json.encode(files).ljust(_RECORD), 0)


def recorded_at(path: str) -> FileIdentity | None:
    """Return `FileUsers.recorded` without becoming a user."""
    try:
        file = os.open(f"{path}.open", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        return _decoded(os.pread(file, _RECORD, 0))
    finally:
        os.close(file)


class FileLock:
    """`<name>.lock`: processes that write take turns by a blocking `flock`, since SQLite's busy handler sleeps."""

    def __init__(self, path: str) -> None:
        self._path = f"{path}.lock"
        self._file = -1
        self._opened: Inode | None = None

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Wait for the lock, and release it afterwards."""
        self._take()
        try:
            yield
        finally:
            fcntl.flock(self._file, fcntl.LOCK_UN)

    def close(self) -> None:
        """Close the file."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _take(self) -> None:
        while True:
            if self._file < 0:
                self._file = os.open(self._path, _FLAGS, _MODE)
                self._opened = _inode_of(self._file)
            fcntl.flock(self._file, fcntl.LOCK_EX)
            if _inode(self._path) == self._opened:
                return
            self.close()  # it was removed or replaced: a lock on it excludes no other process


@dataclass(frozen=True, slots=True)
class Recovery:
    """Recovery by a process whose open files are not the files under the names. It holds `FileLock`."""

    files: OpenFiles
    users: FileUsers

    def save(self, *, wait: bool = False) -> None:
        """Write the content of the open log into the database, unless another process has done so.

        Afterwards a process may start a new log. If it cannot be written now, raise `OSError`; then no file may be
        closed. `wait` gives reads in progress the time of the busy handler.
        """
        own, path = self.files.identity, self.files.path
        if self.users.recorded() != own:
            return
        if own.log == _inode(_kept(path)):
            restore_kept_log(path)
        mode = "FULL" if wait else "PASSIVE"
        busy, frames, saved = self.files.db.execute(f"PRAGMA wal_checkpoint({mode})").fetchone()
        if busy or frames != saved:
            raise BlockingIOError("its log was removed or replaced; it is saved once the reads in progress have ended")
        current = identity(path)
        if current.index == own.index:
            _remove(index_of(path))
        if current.database != own.database and current.log == own.log:
            _remove(log_of(path))  # it belongs to the previous database
        elif current.database == own.database and current.log not in {None, own.log}:
            os.replace(log_of(path), _unused(path))  # noqa: PTH105 - not the log of these events
        self.users.record(SAVED)


@contextlib.contextmanager
def keep_new_log(path: str, own: FileIdentity) -> Iterator[None]:
    """Protect a new log while own files are closed: SQLite removes a log by name if it sees no other user."""
    log, kept = log_of(path), _kept(path)
    current = identity(path)
    is_other = current.database == own.database and current.log not in {None, own.log}
    if is_other:
        os.replace(log, kept)  # noqa: PTH105
    try:
        yield
    finally:
        if is_other:
            os.replace(kept, log)  # noqa: PTH105


def log_is_missing(path: str) -> bool:
    """Return whether the log was removed but its recorded index was not: SQLite itself removes both or none."""
    current = identity(path)
    if current.log is not None or current.index is None:
        return False
    recorded = recorded_at(path)
    return recorded is not None and recorded.index == current.index


def restore_kept_log(path: str) -> None:
    """Rename the log back if a process was killed in `keep_new_log`. If a new log exists, rename the old one."""
    if _inode(_kept(path)) is not None:
        name = log_of(path) if _inode(log_of(path)) is None else _unused(path)
        os.replace(_kept(path), name)  # noqa: PTH105


def create(path: str) -> None:
    """Create an empty database, whose log gets the same mode. An existing database is not opened.

    Closing any descriptor of the file would end the locks that SQLite holds on it in this process.
    https://www.sqlite.org/howtocorrupt.html#_posix_advisory_locks_canceled_by_a_separate_thread_doing_close_
    """
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, _FLAGS | os.O_EXCL, _MODE))


def are_open_here(files: FileIdentity) -> bool:
    """Return whether this process has all of them open; true if the system cannot list open files."""
    try:
        descriptors = [int(name) for name in os.listdir("/dev/fd")]  # noqa: PTH208
    except OSError:
        return True
    inodes = set()
    for descriptor in descriptors:
        with contextlib.suppress(OSError):
            inodes.add(_inode_of(descriptor))
    return {files.database, files.log, files.index} <= inodes


def _unused(path: str) -> str:
    return f"{log_of(path)}.unused"


def _decoded(record: bytes) -> FileIdentity | None:
    try:
        return msgspec.json.decode(record, type=FileIdentity)
    except msgspec.DecodeError:
        return None


def _kept(path: str) -> str:
    return f"{log_of(path)}.kept"


def _inode(path: str) -> Inode | None:
    try:
        status = os.stat(path)  # noqa: PTH116 - called by each commit, and a Path takes twice the time
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def _inode_of(descriptor: int) -> Inode:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _remove(path: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)  # noqa: PTH108
