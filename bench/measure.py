"""Rows of a table, what a run of them gave, and medians, spreads and ratios."""

from __future__ import annotations

import statistics
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

Values = Mapping[str, float]
"""The figures of one measurement by the key of their column."""


@dataclass(frozen=True, slots=True)
class Column:
    """A figure of a table, and how it is written."""

    key: str
    title: str
    form: str = ",.0f"


@dataclass(frozen=True, slots=True)
class Case:
    """A row of a table. `run` measures it once; `durable` and `verifies` say what a peer promises."""

    name: str
    run: Callable[[], Values]
    group: str = ""
    durable: str = ""
    verifies: str = ""
    base: bool = False
    """Whether the ratios of its group are to it."""


@dataclass(frozen=True, slots=True)
class Suite:
    """A table, or one for each group of cases. `rate` is the column whose spread and ratio are shown."""

    name: str
    title: str
    columns: Sequence[Column]
    cases: Sequence[Case]
    rate: str = "rate"
    unavailable: Mapping[str, str] = field(default_factory=dict)
    """Rows that are left out, and why."""
    notes: list[str] = field(default_factory=list)
    """Sentences that the measurements add below the table."""

    def groups(self) -> dict[str, list[Case]]:
        """Return the cases by group, in order."""
        groups: dict[str, list[Case]] = {}
        for case in self.cases:
            groups.setdefault(case.group, []).append(case)
        return groups


@dataclass(frozen=True, slots=True)
class Summary:
    """A row after all rounds: medians, lowest and highest rate, and the median of the rounds' ratios."""

    medians: Mapping[str, float]
    lowest: float
    highest: float
    ratio: float | None
    rounds: int


@dataclass(slots=True)
class Results:
    """The measurements of a suite, by group and row, and the rows that failed."""

    suite: Suite
    measured: dict[tuple[str, str], dict[int, Values]] = field(default_factory=lambda: defaultdict(dict))
    failed: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, case: Case, number: int, values: Values) -> None:
        """Keep what round `number` gave."""
        self.measured[case.group, case.name][number] = values

    def summary(self, group: str, name: str) -> Summary | None:
        """Return a row, or None if it has no measurement."""
        rounds = self.measured.get((group, name), {})
        if not rounds:
            return None
        keys = dict.fromkeys(key for values in rounds.values() for key in values)
        medians = {key: statistics.median(v[key] for v in rounds.values() if key in v) for key in keys}
        rates = [values[self.suite.rate] for values in rounds.values() if self.suite.rate in values] or [0.0]
        return Summary(medians, min(rates), max(rates), self._ratio(group, rounds), len(rounds))

    def _ratio(self, group: str, rounds: Mapping[int, Values]) -> float | None:
        """Return the median of the ratios within a round: a busy minute slows both rows of it."""
        rate = self.suite.rate
        name = next((case.name for case in self.suite.cases if case.group == group and case.base), "")
        base = self.measured.get((group, name), {})
        ratios = [
            values[rate] / base[number][rate]
            for number, values in rounds.items()
            if number in base and rate in values and base[number].get(rate)
        ]
        return statistics.median(ratios) if ratios else None


class SharedMeasurement:
    """One measurement that gives many rows. It is repeated when a row is needed for the second time."""

    def __init__(self, measure: Callable[[], Mapping[str, Values]]) -> None:
        self._measure = measure
        self._rows: Mapping[str, Values] = {}
        self._used: set[str] = set()

    def row(self, name: str) -> Values:
        """Return a row of the latest measurement, or of a new one."""
        if not self._rows or name in self._used:
            self._rows, self._used = self._measure(), set()
        self._used.add(name)
        return self._rows[name]


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which `share` of the values are, by the nearest rank; 0 if there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0


def interleaved(suite: Suite, rounds: int) -> list[tuple[int, Case]]:
    """Return every case once a round. Each round of a group starts one row later, so that no row is always first."""
    order: list[tuple[int, Case]] = []
    for number in range(rounds):
        for cases in suite.groups().values():
            start = number % len(cases)
            order += [(number, case) for case in [*cases[start:], *cases[:start]]]
    return order
