"""Where a commit may block: in the calling thread, or under gevent in one real thread beside the hub."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

R = TypeVar("R")


class Runner(Protocol):
    """Calls functions one at a time."""

    def __call__(self, function: Callable[..., R], *arguments: Any) -> R:
        """The function's result, or what it raised."""
        ...


class Threads:
    """For plain threads: one caller at a time, in its own thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call it now, alone."""
        with self._lock:
            return function(*arguments)


class Anywhere:
    """For plain threads that need not take turns: each caller in its own."""

    def __call__(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call it now."""
        return function(*arguments)


class Greenlets:
    """For gevent: one real thread or a few, so that the hub serves others while the disk syncs."""

    def __init__(self, threads: int = 1) -> None:
        from gevent.threadpool import ThreadPool

        self._pool = ThreadPool(threads)

    def __call__(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call it in the thread; this greenlet waits."""
        result, error = self._pool.apply(_caught, (function, arguments))
        if error is not None:
            raise error
        return cast("R", result)


def _caught(function: Callable[..., R], arguments: tuple[Any, ...]) -> tuple[R | None, BaseException | None]:
    """Raise nothing in the pool's thread: gevent prints it there, and on a full disk that ends the thread."""
    try:
        return function(*arguments), None
    except BaseException as error:  # noqa: BLE001 - it is raised by the caller
        return None, error


def real_lock() -> threading.Lock:
    """A lock between real threads, which gevent has not replaced; it is held for moments only."""
    patched = sys.modules.get("gevent.monkey")
    if patched is None:
        return threading.Lock()
    lock: threading.Lock = patched.get_original("_thread", "allocate_lock")()
    return lock


def runner(threads: int = 1, *, alone: bool = True) -> Runner:
    """The one that fits this process: one caller at a time, or as many as there are `threads`."""
    if "gevent.monkey" in sys.modules and sys.modules["gevent.monkey"].is_module_patched("threading"):
        return Greenlets(threads)
    return Threads() if alone else Anywhere()
