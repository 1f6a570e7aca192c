"""Tables of Markdown, the sections of the page, and what is drawn."""

from pathlib import Path

import pytest

from bench import plots, report
from bench.measure import Case, Column, Results, Suite

COLUMNS = (Column("rate", "req/s"), Column("p99", "p99 ms", ",.1f"), Column("fsyncs", "fsyncs", ".3f"))
CASES = (
    Case("bare Flask", dict, "8 connections", durable="no", verifies="no", base=True),
    Case("Segue", dict, "8 connections", durable="yes", verifies="yes"),
    Case("hookspool", dict, "8 connections", durable="yes", verifies="yes"),
)


def results(*, rounds=2, cases=CASES, **more):
    made = Results(Suite("ingest", "Ingest", COLUMNS, cases, **more))
    for number in range(rounds):
        made.add(cases[0], number, {"rate": 2000 + 200 * number, "p99": 1.25})
        made.add(cases[1], number, {"rate": 1000 + 100 * number, "p99": 2, "fsyncs": 0.125})
    made.failed["8 connections", "hookspool"] = "CommandError: it ended"
    return made


def test_a_table_has_median_spread_ratio_and_promises():
    assert report.section(results()).splitlines() == [
        "| | durable | verifies | req/s | spread | p99 ms | fsyncs | ratio |",
        "|---|---|---|---|---|---|---|---|",
        "| bare Flask | no | no | 2,100 | ±5% | 1.2 |  | 1.00 |",
        "| Segue | yes | yes | 1,050 | ±5% | 2.0 | 0.125 | 0.50 |",
        "| hookspool | failed | | | | | | |",
    ]


def test_one_round_has_no_spread():
    assert "spread" not in report.section(results(rounds=1))


def test_columns_without_figures_and_ratios_without_a_base_are_left_out():
    case = Case("SQLite", dict)
    made = Results(Suite("disk", "Bytes", COLUMNS, [case]))
    made.add(case, 0, {"p99": 3})
    assert report.section(made).splitlines() == ["| | p99 ms |", "|---|---|", "| SQLite | 3.0 |"]


def test_a_table_without_any_measurement_says_so():
    assert report.section(results(rounds=0)) == "Every row failed."


def test_groups_are_tables_of_their_own_with_notes_and_what_was_not_measured():
    other = Case("Segue", dict, "32 connections")
    made = results(cases=(*CASES, other), unavailable={"hookspool": "no pip"}, notes=["A sentence."])
    made.add(other, 0, {"rate": 3})
    text = report.section(made, ["img/ingest-rate.png"])
    assert text.index("**8 connections**") < text.index("**32 connections**") < text.index("| Segue | 3 |")
    assert text.endswith("A sentence.\n\nNot measured: hookspool (no pip).\n\n![Ingest](img/ingest-rate.png)")


def test_sections_are_replaced_and_the_rest_of_the_page_stays(tmp_path):
    page = "# P\n\nBefore.\n\n<!-- bench:disk -->\n\nold \\1\n\n<!-- bench:end -->\n\nAfter.\n"
    (tmp_path / "performance.md").write_text(page)
    path = report.write(tmp_path, {"disk": "new \\1", "ingest": "table"})
    assert path.read_text() == (
        "# P\n\nBefore.\n\n<!-- bench:disk -->\n\nnew \\1\n\n<!-- bench:end -->\n\nAfter.\n\n"
        "<!-- bench:ingest -->\n\ntable\n\n<!-- bench:end -->\n"
    )
    assert report.write(tmp_path, {"disk": "new \\1", "ingest": "table"}).read_text() == path.read_text()


def test_a_page_is_made_if_there_is_none(tmp_path):
    text = report.write(tmp_path / "new", {"machine": report.machine({"date": "today"})}).read_text()
    assert text == "# Performance\n\n<!-- bench:machine -->\n\n- date: today\n\n<!-- bench:end -->\n"


def test_the_documented_page_has_every_section():
    from bench.options import SUITES

    page = (Path(__file__).parents[2] / "docs" / "performance.md").read_text()
    assert [name for name in ("machine", *SUITES) if page.count(f"<!-- bench:{name} -->") != 1] == []
    assert page.count("<!-- bench:end -->") == 1 + len(SUITES)


def test_bars_have_the_lowest_and_highest_round():
    made = results()
    assert plots.bounds(made, CASES[1], "rate") == (1050, 50, 50)
    assert plots.bounds(made, CASES[0], "fsyncs") is None
    assert plots.bounds(made, CASES[2], "rate") is None


def test_bars_of_segue_durable_peers_and_others_differ():
    assert len({plots.color(case) for case in CASES}) == 3
    assert plots.color(Case("10,000 pending", dict)) == plots.OURS


def test_a_suite_without_figures_draws_nothing(tmp_path):
    assert plots.draw(results(rounds=0), tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def test_plots_are_png_files(tmp_path):
    pytest.importorskip("matplotlib", reason="python3 dev.py bench installs it")
    cpu = Column("cpu", "CPU us")
    made = results()
    made.suite = Suite("ingest", "Ingest", (*COLUMNS, cpu), CASES)
    assert plots.draw(made, tmp_path / "img") == ["ingest-rate.png", "ingest-p99.png"]
    assert (tmp_path / "img" / "ingest-rate.png").read_bytes().startswith(b"\x89PNG")
