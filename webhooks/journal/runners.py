"""Run a commit that blocks: in the calling thread, or under gevent in a real thread beside the hub."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

R = TypeVar("R")


class Runner(Protocol):
    """Calls functions one at a time."""

    def __call__(self, function: Callable[..., R], *arguments: Any) -> R:
        """Return the function's result, or raise what it raised."""
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
    """For plain threads that need not take turns: each caller uses its own thread."""

    def __call__(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call it now."""
        return function(*arguments)


class Greenlets:
    """For gevent: one or a few real threads, so that the hub serves other requests while the disk syncs."""

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
    """Return the result or the error: gevent prints errors of its pool, which on a full disk ends the thread."""
    try:
        return function(*arguments), None
    except BaseException as error:  # noqa: BLE001 - it is raised by the caller
        return None, error


def real_lock() -> threading.Lock:
    """Return a lock for real threads that gevent has not replaced. Hold it only briefly."""
    patched = sys.modules.get("gevent.monkey")
    if patched is None:
        return threading.Lock()
    lock: threading.Lock = patched.get_original("_thread", "allocate_lock")()
    return lock


def runner(threads: int = 1, *, alone: bool = True) -> Runner:
    """Return the runner for this process: one caller at a time, or as many as `threads`."""
    if "gevent.monkey" in sys.modules and sys.modules["gevent.monkey"].is_module_patched("threading"):
        return Greenlets(threads)
    return Threads() if alone else Anywhere()
