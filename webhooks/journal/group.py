"""Group commit: callers that arrive during a commit share the next commit and its single fsync.

It has no thread of its own: the first caller leads, commits for all waiting callers, and passes the lead to the next
one. It works with threads and with gevent's greenlets. The commit, which blocks, is called by `run`.
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
    """`submit(item)` returns when the commit that contains the item has returned.

    commit     takes the items of one group and returns for each a result, or an error that concerns it alone; an error
               that it raises concerns all
    run        calls a function in a thread that may block (`run(commit, items)`)
    max_items  items in one group
    """

    def __init__(
        self,
        commit: Callable[[Sequence[T]], Sequence[R | Exception]],
        run: Runner,
        *,
        max_items: int = 512,
    ) -> None:
        self._commit = commit
        self._run = run
        self._max_items = max_items
        self._lock = threading.Lock()
        self._waiting: list[_Waiter[T, R]] = []
        self._led = False

    @property
    def load(self) -> int:
        """Return the number of waiting callers, plus one for a commit in progress."""
        return len(self._waiting) + self._led

    def submit(self, item: T) -> R:
        """Commit the item together with those of other waiting callers; raise what the commit raised.

        If the leading caller is interrupted, the outcome of its commit is unknown; the other callers get
        `JournalUnavailable` and retry.
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
                group, self._waiting = self._waiting[: self._max_items], self._waiting[self._max_items :]
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
        """Wake the next waiting caller to lead; without one, the next caller will lead."""
        with self._lock:
            if self._waiting:
                self._waiting[0].woken.set()
            else:
                self._led = False

    def _leave(self, me: _Waiter[T, R]) -> None:
        """Remove a caller that was interrupted while it waited; if it was to lead, pass the lead on."""
        with self._lock:
            waiting = me in self._waiting
            if waiting:
                self._waiting.remove(me)
        if waiting and me.woken.is_set():
            self._pass_on()
