"""Tables of Markdown and their page, where each is between `<!-- bench:NAME -->` and `<!-- bench:end -->`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.measure import Case, Column, Results, Summary
from bench.runner import spread

END = "<!-- bench:end -->"
TITLE = "# Performance\n"


def section(results: Results, images: Sequence[str] = ()) -> str:
    """Return the tables of a suite, the rows that are left out, and its plots."""
    groups = results.suite.groups()
    parts = []
    for group, cases in groups.items():
        if group and len(groups) > 1:
            parts.append(f"**{group}**")
        parts.append(table(results, group, cases))
    parts += results.suite.notes
    if results.suite.unavailable:
        reasons = "; ".join(f"{name} ({reason})" for name, reason in results.suite.unavailable.items())
        parts.append(f"Not measured: {reasons}.")
    parts += [f"![{results.suite.title}]({image})" for image in images]
    return "\n\n".join(parts)


def table(results: Results, group: str, cases: Sequence[Case]) -> str:
    """Return one table; columns without a figure in this group are left out."""
    summaries = {case.name: results.summary(group, case.name) for case in cases}
    measured = [summary for summary in summaries.values() if summary]
    keys = {key for summary in measured for key in summary.medians}
    columns = [column for column in results.suite.columns if column.key in keys]
    promises = any(case.durable for case in cases)
    verifying = any(case.verifies for case in cases)
    rate = any(column.key == results.suite.rate for column in columns)
    ratios = any(case.base for case in cases)
    spread_of = results.suite.rate if any(summary.rounds > 1 for summary in measured) else ""
    titles = ["", *(["durable"] if promises else []), *(["verifies"] if verifying else [])]
    for column in columns:
        titles += [column.title, "spread"] if column.key == spread_of else [column.title]
    titles += ["ratio"] if rate and ratios else []
    lines = [f"| {' | '.join(titles)} |".replace("|  |", "| |"), "|" + "---|" * len(titles)]
    if not measured:
        return "Every row failed."
    for case in cases:
        summary = summaries[case.name]
        if summary is None:
            lines.append(f"| {case.name} | failed |" + " |" * (len(titles) - 2))
            continue
        cells = [case.name, *([case.durable] if promises else []), *([case.verifies] if verifying else [])]
        for column in columns:
            cells.append(_cell(summary, column))
            if column.key == spread_of:
                cells.append(spread(summary))
        if rate and ratios:
            cells.append("" if summary.ratio is None else f"{summary.ratio:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _cell(summary: Summary, column: Column) -> str:
    return format(summary.medians[column.key], column.form) if column.key in summary.medians else ""


def machine(facts: Mapping[str, str]) -> str:
    """Return the list of what the figures were measured on."""
    return "\n".join(f"- {name}: {value}" for name, value in facts.items())


def replaced(page: str, sections: Mapping[str, str]) -> str:
    """Return a page with each section's text between its comments; a section that it lacks is added at the end."""
    for name, text in sections.items():
        block = f"<!-- bench:{name} -->\n\n{text}\n\n{END}"
        pattern = re.compile(rf"<!-- bench:{re.escape(name)} -->.*?{re.escape(END)}", re.DOTALL)
        if pattern.search(page):
            page = pattern.sub(lambda _, block=block: block, page, count=1)  # type: ignore[misc]
        else:
            page = f"{page.rstrip()}\n\n{block}\n"
    return page


def write(folder: Path, sections: Mapping[str, str]) -> Path:
    """Write the sections to the folder's performance.md; other text of the page stays."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "performance.md"
    path.write_text(replaced(path.read_text() if path.exists() else TITLE, sections))
    return path
