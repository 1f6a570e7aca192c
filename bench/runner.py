"""Runs the cases of every suite, interleaved, with a line for each measurement and the time that is left."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence

from bench.measure import Case, Results, Suite, Summary, Values, interleaved


def select(suite: Suite, text: str) -> Suite:
    """Return a suite with only the rows whose name contains a text, and the base of each group that has one."""
    if not text:
        return suite
    groups = {group for group, cases in suite.groups().items() if any(text.lower() in c.name.lower() for c in cases)}
    cases = [case for case in suite.cases if text.lower() in case.name.lower() or (case.base and case.group in groups)]
    return Suite(suite.name, suite.title, suite.columns, cases, suite.rate, suite.unavailable, suite.notes)


def run(
    suites: Sequence[Suite], rounds: int, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
) -> list[Results]:
    """Measure every case in every round. A case that fails is reported, and left out of the later rounds."""
    plans = [(suite, interleaved(suite, rounds)) for suite in suites]
    total, done, start = sum(len(plan) for _, plan in plans), 0, clock()
    every = []
    for suite, plan in plans:
        results = Results(suite)
        for number, case in plan:
            done += 1
            if (case.group, case.name) in results.failed:
                continue
            line = progress(done, total, f"{suite.name}, round {number + 1} of {rounds}", case)
            try:
                values = case.run()
            except Exception as error:  # noqa: BLE001 - one row's failure does not end the others
                results.failed[case.group, case.name] = f"{type(error).__name__}: {error}"
                say(f"{line}  FAILED: {error}")
            else:
                results.add(case, number, values)
                say(f"{line}  {shown(suite, values)}  {remaining(clock() - start, done, total)}")
        every.append(results)
    return every


def progress(done: int, total: int, part: str, case: Case) -> str:
    """Return the first part of a measurement's line."""
    name = f"{case.group}: {case.name}" if case.group else case.name
    return f"[{done:>{len(str(total))}}/{total}] {part:<24} {name:<58}"


def shown(suite: Suite, values: Values) -> str:
    """Return the first figures of a measurement."""
    parts = [f"{values[column.key]:{column.form}} {column.title}" for column in suite.columns if column.key in values]
    return ", ".join(parts[:3])


def remaining(seconds: float, done: int, total: int) -> str:
    """Return about how long the rest takes."""
    left = seconds / done * (total - done)
    return "" if done == total else f"(about {left / 60:.0f} min left)" if left > 90 else f"(about {left:.0f} s left)"


def say(text: str) -> None:
    """Print a line at once."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def spread(summary: Summary) -> str:
    """Return the lowest and highest rate of a row's rounds, in percent of their middle."""
    middle = (summary.lowest + summary.highest) / 2
    return f"±{(summary.highest - summary.lowest) / 2 / middle:.0%}" if middle else ""
