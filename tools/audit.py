"""Known vulnerabilities in the releases that the lock files pin, by pip-audit.

    python3 dev.py audit                       the advisory services that pip-audit knows, one after the other
    python3 dev.py audit --strict              also fails if no service could be asked about some package
    python3 dev.py audit --osv-url URL         a mirror of the OSV API in place of the public one

A finding ends with exit code 1. If no service can be reached, the packages that were not looked up are listed.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
LOCK = HERE / "requirements-dev.lock"
"""Holds every pin of requirements.txt too (tests/test_locks.py)."""
SERVICES = ("pypi", "osv")


@dataclass(slots=True)
class Findings:
    """The answers of all services. `unknown` maps a package to the reason why it was not looked up."""

    vulnerable: dict[str, list[str]] = field(default_factory=dict)
    clean: set[str] = field(default_factory=set)
    unknown: dict[str, str] = field(default_factory=dict)

    def add(self, asked: str, answer: str, failure: str) -> None:
        """Add one service's answer: pip-audit's JSON, or, if that cannot be read, the last line of its errors."""
        try:
            packages = json.loads(answer)["dependencies"]
        except (ValueError, KeyError, TypeError):
            self.unknown.setdefault(f"({asked})", failure or "no answer")
            return
        for package in packages:
            name = package["name"]
            if "skip_reason" in package:
                if name not in self.clean and name not in self.vulnerable:
                    self.unknown[name] = package["skip_reason"]
                continue
            self.unknown.pop(name, None)
            if package["vulns"]:
                self.vulnerable[f"{name} {package['version']}"] = [_describe(entry) for entry in package["vulns"]]
            else:
                self.clean.add(name)

    @property
    def complete(self) -> bool:
        """Return whether every package was looked up by some service."""
        return bool(self.clean or self.vulnerable) and not any(name[0] != "(" for name in self.unknown)


def _describe(vulnerability: dict[str, object]) -> str:
    fixed = vulnerability.get("fix_versions") or ["no release yet"]
    return f"{vulnerability['id']}, fixed in {', '.join(map(str, fixed))}"  # type: ignore[call-overload]


def main(arguments: Sequence[str] | None = None) -> int:
    """Return 0 if nothing was found, 1 with a finding (or, if strict, with a package that no service knew)."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strict", action="store_true", help="fail where a package could not be looked up")
    parser.add_argument("--osv-url", help="an OSV API in place of the public one; then no other service is asked")
    parser.add_argument("--ignore", action="append", default=[], metavar="ID", help="an advisory that does not apply")
    parser.add_argument("--lock", type=Path, default=LOCK, metavar="FILE", help="a lock file in place of ours")
    options = parser.parse_args(arguments)
    findings = Findings()
    for service in ("osv",) if options.osv_url else SERVICES:
        findings.add(service, *ask(service, options.lock, options.osv_url, options.ignore))
        if findings.complete:
            break
    report(findings)
    return int(bool(findings.vulnerable) or (options.strict and not findings.complete))


def ask(service: str, lock: Path, osv_url: str | None, ignored: Iterable[str]) -> tuple[str, str]:
    """Return pip-audit's JSON, and the last line of its errors."""
    command = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--progress-spinner=off"]
    command += ["--format=json", f"--vulnerability-service={service}", "--timeout=10"]
    command += [f"--requirement={lock}"] + [f"--ignore-vuln={advisory}" for advisory in ignored]
    if osv_url:
        command.append(f"--osv-url={osv_url}")
    asked = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    errors = asked.stderr.strip().splitlines()
    return asked.stdout, errors[-1] if errors else ""


def report(findings: Findings) -> None:
    """Print the result, the findings last."""
    say = sys.stderr.write
    if not findings.complete:
        unknown = sorted(findings.unknown.items())
        say(f"audit: NOT COMPLETE: {len(findings.clean) + len(findings.vulnerable)} packages looked up; unknown:\n")
        for name, why in unknown[:4]:
            say(f"  {name}: {why}\n")
        if len(unknown) > 4:
            say(f"  and {len(unknown) - 4} more\n")
        say("  Run it where an advisory service can be reached, or name one with --osv-url.\n")
    elif not findings.vulnerable:
        say(f"audit: {len(findings.clean)} packages, no known vulnerability\n")
    for package, advisories in sorted(findings.vulnerable.items()):
        say(f"audit: {package}: {'; '.join(advisories)}\n")


if __name__ == "__main__":
    sys.exit(main())
