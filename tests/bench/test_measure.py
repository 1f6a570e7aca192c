"""Medians, spreads, ratios within a round, and the order of the rounds."""

import pytest

from bench.measure import Case, Column, Results, SharedMeasurement, Suite, interleaved, percentile
from bench.runner import spread

COLUMNS = (Column("rate", "req/s"), Column("p50", "p50 ms", ",.1f"))


def suite(*names, groups=("a", "b")):
    cases = [Case(name, dict, group, base=name == "base") for group in groups for name in names]
    return Suite("ingest", "Ingest", COLUMNS, cases)


def results(*rounds):
    """`rounds` are pairs of the rates of the base and of Segue; None is not measured."""
    made = Results(suite("base", "Segue", groups=("a",)))
    for number, rates in enumerate(rounds):
        for case, rate in zip(made.suite.cases, rates, strict=True):
            if rate is not None:
                made.add(case, number, {"rate": rate})
    return made


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, 0.0), ([3.0], 0.99, 3.0), ([4, 1, 3, 2], 0.5, 3), (range(100), 0.99, 99), (range(1000), 0.5, 500)],
)
def test_percentile_is_of_the_sorted_values(values, share, expected):
    assert percentile(list(values), share) == expected


def test_a_row_is_the_median_of_its_rounds():
    made = results((100, 50), (100, 70), (100, 60))
    summary = made.summary("a", "Segue")
    assert (summary.medians, summary.lowest, summary.highest, summary.rounds) == ({"rate": 60}, 50, 70, 3)
    assert spread(summary) == "±17%"


def test_the_ratio_is_the_median_of_the_ratios_within_a_round():
    made = results((100, 50), (10, 8), (1000, 600))  # of the medians it would be 0.5
    assert made.summary("a", "Segue").ratio == 0.6
    assert made.summary("a", "base").ratio == 1.0


def test_a_round_without_the_base_has_no_ratio():
    assert results((None, 50), (100, 70)).summary("a", "Segue").ratio == 0.7
    assert results((None, 50)).summary("a", "Segue").ratio is None
    assert results((0, 50)).summary("a", "Segue").ratio is None


def test_a_row_without_a_measurement_has_no_summary():
    assert results((100, None)).summary("a", "Segue") is None


def test_a_figure_of_one_round_only_is_kept():
    made = results((100, 50), (100, 50))
    made.measured["a", "Segue"][1] = {"rate": 50, "fsyncs": 0.5}
    assert made.summary("a", "Segue").medians == {"rate": 50, "fsyncs": 0.5}


def test_rows_without_a_rate_have_no_spread():
    made = Results(suite("base", groups=("a",)))
    made.add(made.suite.cases[0], 0, {"p50": 3})
    summary = made.summary("a", "base")
    assert summary is not None
    assert spread(summary) == ""


def test_each_round_measures_every_row_once_and_starts_one_later():
    order = interleaved(suite("x", "y", "z"), 2)
    assert [(number, case.group + case.name) for number, case in order] == [
        *((0, name) for name in ("ax", "ay", "az", "bx", "by", "bz")),
        *((1, name) for name in ("ay", "az", "ax", "by", "bz", "bx")),
    ]


def test_no_rows_are_no_rounds():
    assert interleaved(suite(), 3) == []


def test_a_shared_measurement_is_repeated_for_each_round():
    numbers = iter(range(10))

    def measure():
        number = next(numbers)
        return {"a": {"us": number}, "b": {"us": number + 0.5}}

    shared = SharedMeasurement(measure)
    taken = [shared.row(name)["us"] for name in ("a", "b", "b", "a", "a")]
    assert taken == [0, 0.5, 1.5, 1, 2]
