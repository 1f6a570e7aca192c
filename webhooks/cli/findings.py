"""The findings of `segue check` and `segue doctor`: a grade, a subject, and a text with the fix."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from webhooks.cli.output import bad, echo, good, print_json, warn

Grade = Literal["ok", "warning", "fault"]
_SHOW: Final[Mapping[Grade, Callable[[str], None]]] = {"ok": good, "warning": warn, "fault": bad}


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    grade: Grade
    about: str
    text: str


def report(findings: Iterable[Finding], *, as_json: bool, strict: bool, summary: Callable[[], str]) -> SystemExit:
    """Print each finding at once, count them, and return the exit to raise. `summary` ends a report without faults."""
    reported: list[Finding] = []
    for finding in findings:
        reported.append(finding)
        if not as_json:
            _SHOW[finding.grade](finding.text)
    faults = sum(finding.grade == "fault" for finding in reported)
    warnings = sum(finding.grade == "warning" for finding in reported)
    if as_json:
        print_json({"ok": not faults, "findings": reported})
    else:
        echo(f"\n{_count(faults, 'fault')}, {_count(warnings, 'warning')}.{'' if faults else f' {summary()}'}")
    return SystemExit(1 if faults or (strict and warnings) else 0)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
