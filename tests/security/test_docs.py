"""docs/security.md names a test for every threat, and every test that it names is there."""

import ast
import re
from pathlib import Path

from doors import PLACES_BY_NAME, untimed

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_test_that_is_named_exists():
    assert len(NAMED) > 40
    for file, name in NAMED:
        tree = ast.parse((ROOT / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{name}"


def test_every_threat_names_a_test():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 4]
    threats = [row for row in rows if not row.startswith(("| threat", "| worker", "| `"))]
    assert len(threats) > 25
    assert [row for row in threats if "::test_" not in row] == []


def test_every_test_of_security_that_is_a_sentence_about_a_threat_is_in_reach_of_the_page():
    """A file of tests that the page does not name is one that nobody finds."""
    files = {f"tests/security/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert files - {file for file, _ in NAMED} <= {"tests/security/test_docs.py", "tests/security/test_fuzz.py"}


def test_every_source_without_a_signed_time_is_told():
    section = PAGE.partition("**No time is signed**")[2].partition("\n- ")[0]
    told, found = set(re.findall(r"`(\w+)`", section)), {PLACES_BY_NAME[name].source.name for name in untimed()}
    assert told == found, f"docs/security.md, No time is signed: add {found - told}, take out {told - found}"
