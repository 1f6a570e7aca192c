"""An object that each process creates for itself, because its connections and locks do not work across a fork."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

T = TypeVar("T")


class PerProcess(Generic[T]):
    """`get` returns this process's object. In the child of a fork, the first `get` creates one, once for all threads.

    The parent's object is never used or closed in the child: closing a connection there may end the parent's. `abandon`
    may release what is safe to release, such as the child's descriptors.
    """

    def __init__(self, create: Callable[[], T], *, abandon: Callable[[T], None] = lambda _: None) -> None:
        self._create = create
        self._abandon = abandon
        self._locks: dict[int, threading.Lock] = {}
        self._current = (os.getpid(), create())

    def get(self) -> T:
        """Return this process's object; create it if necessary."""
        owner, current = self._current
        pid = os.getpid()
        return current if owner == pid else self._after_fork(pid)

    def _after_fork(self, pid: int) -> T:
        # a lock for each process: at the time of the fork, a thread of the parent may have held the parent's
        with self._locks.setdefault(pid, threading.Lock()):
            owner, current = self._current
            if owner != pid:
                _inherited.append(current)
                self._abandon(current)
                current = self._create()
                self._current = (pid, current)
            return current


_inherited: Final[list[object]] = []
"""The objects of the parent, kept so that no finalizer closes their connections."""
