"""Group commit: callers that arrive while a commit is under way share the next one, and its single fsync.

No thread of its own: the first caller leads, commits for all who wait, and hands the lead to the next in line. It
works with threads and with gevent's greenlets alike; what blocks (the commit) runs where `run` puts it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from webhooks.errors import JournalUnavailable
from webhooks.journal.runners import Runner

T = TypeVar("T")
R = TypeVar("R")


class _Waiter(Generic[T, R]):
    __slots__ = ("error", "item", "result", "settled", "woken")

    def __init__(self, item: T) -> None:
        self.item = item
        self.woken = threading.Event()
        self.settled = False
        self.result: R | None = None
        self.error: Exception | None = None


class GroupCommit(Generic[T, R]):
    """`submit(item)` returns when the commit that holds the item has returned.

    commit  takes the items of one group and gives for each a result, or an error that concerns it alone; what it
            raises concerns all
    run     calls a function where it may block (`run(commit, items)`)
    most    items in one group
    """

    def __init__(
        self,
        commit: Callable[[Sequence[T]], Sequence[R | Exception]],
        run: Runner,
        *,
        most: int = 512,
    ) -> None:
        self._commit = commit
        self._run = run
        self._most = most
        self._lock = threading.Lock()
        self._waiting: list[_Waiter[T, R]] = []
        self._led = False

    @property
    def load(self) -> int:
        """How busy it is: those who wait, and one for the commit under way."""
        return len(self._waiting) + self._led

    def submit(self, item: T) -> R:
        """Commit the item with whoever else is waiting; raises what its commit raised.

        Where the caller that led was stopped, its commit may or may not come through: `JournalUnavailable` for the
        others, who try again.
        """
        me: _Waiter[T, R] = _Waiter(item)
        with self._lock:
            self._waiting.append(me)
            lead = not self._led
            self._led = True
        if not lead:
            try:
                me.woken.wait()
            except BaseException:
                self._leave(me)
                raise
        if not me.settled:
            self._lead()
        if me.error is not None:
            raise me.error
        return me.result  # type: ignore[return-value]

    def _lead(self) -> None:
        group: list[_Waiter[T, R]] = []
        try:
            with self._lock:
                group, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            results: Sequence[R | Exception] = self._run(self._commit, [member.item for member in group])
            for member, result in zip(group, results, strict=True):
                if isinstance(result, Exception):
                    member.error = result
                else:
                    member.result = result
        except Exception as error:  # noqa: BLE001 - each member raises it
            for member in group:
                member.error = error
        except BaseException:
            for member in group:
                member.error = JournalUnavailable("the commit was interrupted", hint="Send the event again.")
            raise
        finally:
            for member in group:
                member.settled = True
            self._pass_on()
            for member in group:
                member.woken.set()

    def _pass_on(self) -> None:
        """Wake the next in line to lead, or let the next caller do so."""
        with self._lock:
            if self._waiting:
                self._waiting[0].woken.set()
            else:
                self._led = False

    def _leave(self, me: _Waiter[T, R]) -> None:
        """A caller was stopped while it waited: it leaves the line, and the lead it may have been given goes on."""
        with self._lock:
            waiting = me in self._waiting
            if waiting:
                self._waiting.remove(me)
        if waiting and me.woken.is_set():
            self._pass_on()
