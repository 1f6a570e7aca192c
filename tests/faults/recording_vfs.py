"""A layer under SQLite that writes down all it does to files, so that a power cut at any moment can be played.

`install(log)` registers a VFS in this process as SQLite's default: https://www.sqlite.org/vfs.html. It passes every
call on and appends a record to the log: a write once it is done, a sync when it begins and when it has ended. Several
processes may share the log; each record is one `write` to a file opened with O_APPEND.
"""

from __future__ import annotations

import _sqlite3
import ctypes
import os
import pickle
import struct
from collections.abc import Iterator
from ctypes import CFUNCTYPE, POINTER, c_char_p, c_int, c_int64, c_void_p
from pathlib import Path
from typing import Any, Final

OK: Final = 0


class _Vfs(ctypes.Structure):
    _fields_ = [
        ("iVersion", c_int), ("szOsFile", c_int), ("mxPathname", c_int), ("pNext", c_void_p), ("zName", c_char_p),
        ("pAppData", c_void_p), ("xOpen", c_void_p), ("xDelete", c_void_p),
        *((name, c_void_p) for name in (
            "xAccess", "xFullPathname", "xDlOpen", "xDlError", "xDlSym", "xDlClose", "xRandomness", "xSleep",
            "xCurrentTime", "xGetLastError", "xCurrentTimeInt64", "xSetSystemCall", "xGetSystemCall", "xNextSystemCall",
        )),
    ]  # fmt: skip


class _Methods(ctypes.Structure):
    _fields_ = [
        ("iVersion", c_int), ("xClose", c_void_p), ("xRead", c_void_p), ("xWrite", c_void_p), ("xTruncate", c_void_p),
        ("xSync", c_void_p),
        *((name, c_void_p) for name in (
            "xFileSize", "xLock", "xUnlock", "xCheckReservedLock", "xFileControl", "xSectorSize",
            "xDeviceCharacteristics", "xShmMap", "xShmLock", "xShmBarrier", "xShmUnmap", "xFetch", "xUnfetch",
        )),
    ]  # fmt: skip


_Open = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
_Delete = CFUNCTYPE(c_int, c_void_p, c_char_p, c_int)
_Write = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
_Truncate = CFUNCTYPE(c_int, c_void_p, c_int64)
_Sync = CFUNCTYPE(c_int, c_void_p, c_int)
_alive: list[Any] = []  # what C points to must not be collected


def is_possible() -> bool:
    """Return whether this Python's SQLite can be reached; it cannot if it is linked in statically."""
    return hasattr(ctypes.CDLL(_sqlite3.__file__), "sqlite3_vfs_register")


class Log:
    """The record of one run. `say(kind, ...)` appends a fact of the caller's, such as an acknowledgement."""

    def __init__(self, path: Path) -> None:
        self._fd = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def say(self, *fact: Any) -> None:
        data = pickle.dumps(fact)
        os.write(self._fd, struct.pack("<I", len(data)) + data)


def read(path: Path) -> Iterator[tuple[Any, ...]]:
    """Yield every fact, in order, without a last one that was cut short."""
    data = path.read_bytes()
    at = 0
    while at + 4 <= len(data):
        (length,) = struct.unpack_from("<I", data, at)
        if at + 4 + length > len(data):
            return
        yield pickle.loads(data[at + 4 : at + 4 + length])
        at += 4 + length


def install(log: Log) -> None:
    """Record every file that SQLite opens in this process from now on, by its base name."""
    library = ctypes.CDLL(_sqlite3.__file__)
    library.sqlite3_vfs_find.restype = POINTER(_Vfs)
    library.sqlite3_vfs_find.argtypes = [c_char_p]
    library.sqlite3_vfs_register.argtypes = [c_void_p, c_int]
    below = library.sqlite3_vfs_find(None).contents
    vfs = _Vfs.from_buffer_copy(below)
    below_open, below_delete = _Open(below.xOpen), _Delete(below.xDelete)
    names: dict[int, str] = {}
    tables: dict[int, _Methods] = {}

    def opened(_: int, path: int | None, file: int, flags: int, out: Any) -> int:
        code: int = below_open(ctypes.addressof(below), path, file, flags, out)
        methods = c_void_p.from_address(file)
        if code == OK and path and methods.value:
            names[file] = Path(ctypes.string_at(path).decode()).name
            if methods.value not in tables:
                tables[methods.value] = _recording(methods.value, names, log)
            methods.value = ctypes.addressof(tables[methods.value])
        return code

    def deleted(_: int, path: bytes, sync: int) -> int:
        code: int = below_delete(ctypes.addressof(below), path, sync)
        if code == OK:
            log.say("delete", Path(path.decode()).name)
        return code

    vfs.zName = b"recording"
    vfs.xOpen = _keep(_Open(opened))
    vfs.xDelete = _keep(_Delete(deleted))
    _alive.extend((vfs, below, below_open, below_delete, tables))
    if library.sqlite3_vfs_register(ctypes.addressof(vfs), 1) != OK:
        raise RuntimeError("SQLite did not take the recording VFS")


def _recording(address: int, names: dict[int, str], log: Log) -> _Methods:
    below = _Methods.from_address(address)
    methods = _Methods.from_buffer_copy(below)
    write, truncate, sync = _Write(below.xWrite), _Truncate(below.xTruncate), _Sync(below.xSync)

    def written(file: int, data: int, size: int, at: int) -> int:
        code: int = write(file, data, size, at)
        if code == OK:
            log.say("write", names[file], at, ctypes.string_at(data, size))
        return code

    def truncated(file: int, size: int) -> int:
        code: int = truncate(file, size)
        if code == OK:
            log.say("truncate", names[file], size)
        return code

    def synced(file: int, flags: int) -> int:
        log.say("sync begins", names[file], os.getpid())
        code: int = sync(file, flags)
        if code == OK:
            log.say("sync ended", names[file], os.getpid())
        return code

    methods.xWrite = _keep(_Write(written))
    methods.xTruncate = _keep(_Truncate(truncated))
    methods.xSync = _keep(_Sync(synced))
    _alive.extend((below, write, truncate, sync))
    return methods


def _keep(function: Any) -> int | None:
    _alive.append(function)
    return ctypes.cast(function, c_void_p).value
