"""Bars of each group's rows, with the lowest and highest round, as PNG."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.measure import Case, Column, Results

PLOTTED = {
    "ingest": ("rate", "p99", "cpu"),
    "delivery": ("rate",),
    "latency": ("p50", "p99"),
    "backlog": ("rate",),
    "translate": ("median",),
    "journal": ("rate",),
    "steps": ("us",),
}
"""The columns that are drawn, by suite."""
OURS, DURABLE, OTHER = "#1b7f5c", "#4a7fb5", "#b9b9b9"
DPI = 110


def draw(results: Results, folder: Path) -> list[str]:
    """Draw the suite's plots into a folder; return the files' names. Without a figure nothing is drawn."""
    names = []
    for column in results.suite.columns:
        rows = {group: _rows(results, cases, column.key) for group, cases in results.suite.groups().items()}
        groups = {group: bars for group, bars in rows.items() if bars}
        if groups and column.key in PLOTTED.get(results.suite.name, ()):
            folder.mkdir(parents=True, exist_ok=True)
            names.append(f"{results.suite.name}-{column.key}.png")
            _save(results, column, groups, folder / names[-1])
    return names


def color(case: Case) -> str:
    """Return Segue's color, also for a row that promises nothing, that of a durable peer, or that of the others."""
    if case.name.startswith("Segue") or not case.durable:
        return OURS
    return DURABLE if case.durable == "yes" else OTHER


def bounds(results: Results, case: Case, key: str) -> tuple[float, float, float] | None:
    """Return a row's median and how far its lowest and highest round are from it."""
    summary = results.summary(case.group, case.name)
    if summary is None or key not in summary.medians:
        return None
    values = [round_[key] for round_ in results.measured[case.group, case.name].values() if key in round_]
    median = summary.medians[key]
    return median, median - min(values), max(values) - median


def _rows(results: Results, cases: Sequence[Case], key: str) -> list[tuple[Case, tuple[float, float, float]]]:
    return [(case, limits) for case in cases if (limits := bounds(results, case, key))]


def _save(
    results: Results,
    column: Column,
    groups: dict[str, list[tuple[Case, tuple[float, float, float]]]],
    path: Path,
) -> None:
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch

    most = max(len(rows) for rows in groups.values())
    figure = Figure(figsize=(4.2 * len(groups) + 2.4, 0.34 * most + 1.5), layout="constrained")
    for number, (group, rows) in enumerate(groups.items()):
        axes = figure.add_subplot(1, len(groups), number + 1, sharex=figure.axes[0] if number else None)
        places = range(len(rows))
        values = [value for _, (value, _, _) in rows]
        errors = [[low for _, (_, low, _) in rows], [high for _, (_, _, high) in rows]]
        axes.barh(places, values, xerr=errors, color=[color(case) for case, _ in rows], ecolor="#333333", capsize=2)
        axes.set_yticks(places, [case.name for case, _ in rows], fontsize=8)
        axes.invert_yaxis()
        axes.set_xlim(left=0)
        axes.set_title(group or results.suite.title, fontsize=10)
        axes.set_xlabel(column.title, fontsize=8)
        axes.tick_params(axis="x", labelsize=8)
        axes.spines[["top", "right"]].set_visible(False)
        if number and [case.name for case, _ in rows] == [case.name for case, _ in next(iter(groups.values()))]:
            axes.set_yticklabels([])
    if {case.durable for rows in groups.values() for case, _ in rows} == {"yes", "no"}:
        legend = [Patch(color=OURS), Patch(color=DURABLE), Patch(color=OTHER)]
        figure.legend(legend, ["Segue", "durable", "not durable"], loc="outside lower left", ncols=3, fontsize=8)
    figure.savefig(path, dpi=DPI)
