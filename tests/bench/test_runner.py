"""Running the rows: a failure, the progress, and choosing rows."""

from bench.measure import Case, Column, Suite
from bench.runner import remaining, run, select


def suite(*cases, **more):
    return Suite("ingest", "Ingest", (Column("rate", "req/s"), Column("p50", "p50 ms", ",.1f")), cases, **more)


def clock():
    seconds = iter(range(0, 10_000, 100))
    return lambda: next(seconds)


def test_rows_are_measured_in_turn_with_a_line_each():
    lines: list[str] = []
    calls: list[str] = []

    def measure(name):
        def rates():
            calls.append(name)
            return {"rate": 1234.5, "p50": 2}

        return rates

    (results,) = run([suite(Case("a", measure("a"), "8"), Case("b", measure("b"), "8"))], 2, lines.append, clock())
    assert calls == ["a", "b", "b", "a"]
    summary = results.summary("8", "a")
    assert summary is not None
    assert summary.rounds == 2
    assert lines[0].split() == (
        [
            "[1/4]",
            "ingest,",
            "round",
            "1",
            "of",
            "2",
            "8:",
            "a",
            "1,234",
            "req/s,",
            "2.0",
            "p50",
            "ms",
            "(about",
            "5",
            "min",
            "left)",
        ]
    )
    assert lines[-1].split() == [
        "[4/4]",
        "ingest,",
        "round",
        "2",
        "of",
        "2",
        "8:",
        "a",
        "1,234",
        "req/s,",
        "2.0",
        "p50",
        "ms",
    ]


def test_a_row_that_fails_is_reported_once_and_does_not_end_the_others():
    lines: list[str] = []
    calls: list[str] = []

    def fail():
        calls.append("failed")
        raise ValueError("no port")

    (results,) = run([suite(Case("a", fail), Case("b", lambda: {"rate": 1}))], 3, lines.append, clock())
    assert results.failed == {("", "a"): "ValueError: no port"}
    summary = results.summary("", "b")
    assert summary is not None
    assert summary.rounds == 3
    assert len(calls) == 1
    assert [line for line in lines if "FAILED: no port" in line] == lines[:1]


def test_the_time_left_is_in_minutes_or_seconds():
    assert remaining(10, 1, 4) == "(about 30 s left)"
    assert remaining(100, 1, 4) == "(about 5 min left)"
    assert remaining(100, 4, 4) == ""


def test_rows_are_chosen_by_a_part_of_their_name_with_their_base():
    cases = [Case("bare Flask", dict, group, base=True) for group in ("8", "32")] + [
        Case("Express + Bull", dict, "8"),
        Case("Segue", dict, "32"),
    ]
    chosen = select(suite(*cases, unavailable={"x": "y"}, notes=["n"]), "express")
    assert [(case.group, case.name) for case in chosen.cases] == [("8", "bare Flask"), ("8", "Express + Bull")]
    assert (chosen.unavailable, chosen.notes) == ({"x": "y"}, ["n"])
    assert select(suite(*cases), "").cases == tuple(cases)
