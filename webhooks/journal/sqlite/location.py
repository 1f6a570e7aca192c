"""Why a SQLite file cannot be used, and what to do about it."""

from __future__ import annotations

import errno
import os
import pwd
import sqlite3
import stat
from pathlib import Path
from typing import Final

from webhooks.errors import JournalDamaged, JournalUnavailable
from webhooks.journal.sqlite import damage

_OURS: Final = {"events", "notes"}
"""Tables of every version of the journal's schema."""
_NOTADB, _FULL, _READONLY = sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY
_CANTOPEN, _PERM, _BUSY = sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY
_EXAMPLE: Final = "SEGUE_DATABASE=sqlite:////data/segue.db"


def unavailable(path: Path, error: Exception) -> JournalUnavailable:
    """Return the error to raise if SQLite or the system refuses `path`: the cause, and the hint that fits it."""
    cause, hint = _cause(path, error)
    if damage.is_damage(error) and _log(path).exists():
        return JournalDamaged(_unavailable(path, cause, hint).message, hint=hint)
    return _unavailable(path, cause, hint)


def refuse_path(path: Path) -> None:
    """Raise `JournalUnavailable` if no file can be at `path`. Nothing is opened: SQLite would write beside a device."""
    problem = _of_path(path)
    if problem is not None:
        raise _unavailable(path, *problem)


def creation_fault(path: Path) -> str:
    """Return why no file can be created at `path`, with a hint; empty if one can. Write nothing."""
    problem = _of_path(path) or _of_file(path, 0)
    return f"{problem[0]}. {problem[1]}" if problem else ""


def refuse_foreign(db: sqlite3.Connection, path: Path) -> None:
    """Raise `JournalUnavailable` if the file is no database, or belongs to another program. Only read it."""
    try:
        tables = {row[0] for row in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    except sqlite3.DatabaseError as error:
        if error.sqlite_errorcode == _NOTADB:
            raise unavailable(path, error) from error
        raise
    foreign = not tables >= _OURS if tables else bool(db.execute("PRAGMA application_id").fetchone()[0])
    if foreign:
        shown = ", ".join(sorted(tables)[:3]) + (", ..." if len(tables) > 3 else "")
        raise _unavailable(
            path,
            "it is the SQLite database of another program" + (f" (its tables: {shown})" if tables else ""),
            f"Nothing in it was changed. Correct the path, or give the journal a file of its own: {_beside(path)}",
        )


def _unavailable(path: Path, cause: str, hint: str) -> JournalUnavailable:
    return JournalUnavailable(f"the journal {path.name} cannot be used: {cause}", hint=hint)


def _cause(path: Path, error: Exception) -> tuple[str, str]:
    code = (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF
    problem = _of_path(path)
    if problem is None and (isinstance(error, OSError) or code in {_CANTOPEN, _READONLY, _PERM, _NOTADB}):
        problem = _of_file(path, code)
    if problem is not None:
        return problem
    number = getattr(error, "errno", None)
    if code == _FULL or number in {errno.ENOSPC, errno.EDQUOT}:
        hint = f"Free space on the disk of {path.parent}, or move the journal to a larger one."
        return f"its disk is full ({error})", f"{hint} Nothing was stored meanwhile."
    if code == sqlite3.SQLITE_CORRUPT:
        return f"it is damaged ({error})", damage.HINT
    if code == _BUSY:
        return f"another program keeps it locked ({error})", f"End the other program that has {path} open."
    if number == errno.EROFS:
        return _read_only(path)
    return (
        str(error),
        "Check the disk's space, health and permissions. Nothing was stored meanwhile.",
    )


def _of_path(path: Path) -> tuple[str, str] | None:
    """Return the problem of its folders, or of another file in its place."""
    missing = False
    for folder in [*path.parents][::-1]:
        try:
            is_folder = stat.S_ISDIR(folder.stat().st_mode)
        except FileNotFoundError:
            missing = True
            break
        except OSError as error:
            return f"the user {_user()} may not enter the folder {folder.parent} ({error.strerror})", _other(folder)
        if not is_folder:
            return f"{folder} is a file, not a folder", f"Choose a path whose folders exist, such as {_EXAMPLE}."
    if missing:
        return f"its folder {path.parent} does not exist", _make_folder(path)
    if path.is_dir():
        return f"{path} is a folder", f"Name a file in it: SEGUE_DATABASE=sqlite:///{path / 'segue.db'}"
    if path.is_symlink() and not path.exists() and not path.resolve().parent.is_dir():
        return (
            f"it is a link to {path.readlink()}, whose folder does not exist",
            "Mount or make the link's target, or name the file itself in SEGUE_DATABASE.",
        )
    if path.exists() and not path.is_file():
        return f"{path} is no regular file", f"Choose another path, such as {_EXAMPLE}."
    return None


def _other(folder: Path) -> str:
    return f"Run as the user that owns {folder.parent}, or choose another path in SEGUE_DATABASE, such as {_EXAMPLE}."


def _of_file(path: Path, code: int) -> tuple[str, str] | None:
    """Return the problem of its permissions or of its content."""
    if os.statvfs(path.parent).f_flag & os.ST_RDONLY:
        return _read_only(path)
    user = _user()
    if not os.access(path.parent, os.W_OK | os.X_OK):
        hint = f"SQLite keeps its log beside the file. Give this user the folder (chown {user} {path.parent}), run as "
        return (
            f"the user {user} may not write in the folder {path.parent}",
            f"{hint}the user that owns it, or choose another path in SEGUE_DATABASE.",
        )
    for part in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", ".lock"))):
        if part.exists() and not os.access(part, os.R_OK | os.W_OK):
            return (
                f"the user {user} may not read and write {part}",
                f"Give this user the file (chown {user} {part} and chmod 600), or run as the user that owns it.",
            )
    if code != _NOTADB:
        return None
    restore = (
        "Check the disk's health, and restore it from a backup; start nothing on it until then. See docs/operating.md."
    )
    if _log(path).exists():
        return "its first bytes are damaged, so it is no SQLite database any more", restore
    hint = f"Nothing in it was changed. Correct the path, or give the journal a file of its own: {_beside(path)}"
    return (
        f"{path} is another kind of file, no SQLite database",
        f"{hint}. If it was the journal, it is damaged. {restore}",
    )


def _log(path: Path) -> Path:
    return path.with_name(f"{path.name}-wal")


def _beside(path: Path) -> str:
    return f"SEGUE_DATABASE=sqlite:///{path.with_name('segue-journal.db')}"


def _make_folder(path: Path) -> str:
    hint = f"Make it (mkdir -p {path.parent}), or choose another path in SEGUE_DATABASE."
    root = Path(path.anchor)
    for folder in path.parents:
        meant = root / path.relative_to(folder)
        if folder != root and folder == Path.cwd() and meant.parent != root and meant.parent.is_dir():
            return (
                f"Three slashes are relative to the working directory: for {meant} write four, "
                f"SEGUE_DATABASE=sqlite:///{meant}. Otherwise make the folder: mkdir -p {path.parent}"
            )
    return hint


def _read_only(path: Path) -> tuple[str, str]:
    return (
        f"the disk of {path.parent} is mounted read-only",
        f"Choose a path on a disk that may be written, such as {_EXAMPLE}, or mount a volume there.",
    )


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container's user id without a name
        return str(os.geteuid())
