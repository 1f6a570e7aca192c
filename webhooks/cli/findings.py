"""What `segue check` and `segue doctor` find: a grade, what it is about, and the text with its mend."""

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


def report(findings: Iterable[Finding], *, as_json: bool, strict: bool, well: Callable[[], str]) -> SystemExit:
    """Show each as it is found, count them, and return the exit to raise. `well` ends a report without faults."""
    told: list[Finding] = []
    for finding in findings:
        told.append(finding)
        if not as_json:
            _SHOW[finding.grade](finding.text)
    faults = sum(finding.grade == "fault" for finding in told)
    warnings = sum(finding.grade == "warning" for finding in told)
    if as_json:
        print_json({"ok": not faults, "findings": told})
    else:
        echo(f"\n{_count(faults, 'fault')}, {_count(warnings, 'warning')}.{'' if faults else f' {well()}'}")
    return SystemExit(1 if faults or (strict and warnings) else 0)


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"
