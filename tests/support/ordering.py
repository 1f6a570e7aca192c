"""Which tests run first: those that take long, so that no worker is left with them at the end."""

import os
from collections.abc import Hashable, Sequence
from typing import TypeVar

T = TypeVar("T")


def worker_count() -> int:
    """Return how many processes run the tests."""
    return int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def slow_first(tests: Sequence[T], slow: Sequence[Hashable | None], workers: int) -> list[T]:
    """Return the tests in parts of one size, one for each worker, each part beginning with its share of the slow ones.

    `slow` has the file of each slow test and None for every other one. Tests of one file stay together, since they
    share what is expensive to make.
    """
    files = list(dict.fromkeys(file for file in slow if file is not None))
    heads: list[list[T]] = [[] for _ in range(workers)]
    for place, file in enumerate(files):
        heads[place % workers] += [test for test, of in zip(tests, slow, strict=True) if of == file]
    rest = [test for test, of in zip(tests, slow, strict=True) if of is None]
    ordered: list[T] = []
    for number, head in enumerate(heads):
        share = max(0, round(len(tests) * (number + 1) / workers) - len(ordered) - len(head))
        ordered += head + rest[:share]
        rest = rest[share:]
    return ordered + rest
