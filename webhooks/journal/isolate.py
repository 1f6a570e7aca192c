"""A group commit that fails is committed again in halves, until the event that cannot be stored fails alone.

This applies to every class of error: a store may report a limit that one event exceeds as an operational error, and may
lose its connection because of one event. If the store itself is unavailable, one more try shows it, and the rest is
not tried.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from webhooks.errors import JournalError, JournalUnavailable

T = TypeVar("T")
R = TypeVar("R")
RETRY_SECONDS: Final = 5.0
"""Seconds after which the rest of a group is not tried again, because its callers wait."""


def commit_all(
    group: Sequence[T],
    commit: Callable[[Sequence[T]], Sequence[R]],
    *,
    refused: Callable[[Exception], JournalError | None],
    available: Callable[[Exception], bool],
) -> list[R | Exception]:
    """Return each member's result, in order, or the error that concerns it alone.

    commit     stores some members in one transaction, or raises and stores none of them
    refused    returns the error for an event that cannot be stored; None if the store may have caused it
    available  returns whether something small can be stored after an error that the store may have caused
    """
    deadline = time.monotonic() + RETRY_SECONDS
    results: list[R | Exception] = [_untried() for _ in group]
    left = [(0, len(group))]
    while left:
        first, end = left.pop()
        try:
            results[first:end] = commit(group[first:end])
            continue
        except Exception as error:  # noqa: BLE001 - it becomes the members' result
            refusal = refused(error)
            failure = refusal or (error if isinstance(error, JournalError) else _unexpected(error))
            over = refusal is None and (time.monotonic() > deadline or not available(error))
        if end - first == 1:
            results[first] = failure
        if over:
            for start, stop in [(first, end), *left]:
                results[start:stop] = [failure] * (stop - start)
            break
        if end - first > 1:
            middle = (first + end) // 2
            left += [(middle, end), (first, middle)]
    return results


def _untried() -> JournalUnavailable:
    return JournalUnavailable("the commit was not tried", hint="Send the event again.")


def _unexpected(error: Exception) -> JournalUnavailable:
    return JournalUnavailable(
        f"the journal failed: {type(error).__name__}: {error}", hint="Nothing was stored. Report this error."
    )
