"""docs/security.md names a test for every threat, and every test that it names exists."""

import ast
import re
from pathlib import Path

from support.installed_endpoints import ENDPOINTS_BY_NAME, endpoints_without_time

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()
NAMED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE)


def test_every_test_named_in_security_md_exists() -> None:
    assert len(NAMED) > 40
    for file, name in NAMED:
        tree = ast.parse((ROOT / file).read_text())
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, f"{file}::{name}"


def test_every_threat_in_security_md_names_a_test() -> None:
    rows = [line for line in PAGE.splitlines() if line.startswith("| ") and line.count("|") == 4]
    threats = [row for row in rows if not row.startswith(("| threat", "| worker", "| `"))]
    assert len(threats) > 25
    assert [row for row in threats if "::test_" not in row] == []


def test_security_md_names_every_security_test_file() -> None:
    """Every file of security tests can be found through the page."""
    files = {f"tests/security/{path.name}" for path in Path(__file__).parent.glob("test_*.py")}
    assert files - {file for file, _ in NAMED} <= {"tests/security/test_docs.py", "tests/security/test_fuzz.py"}


def test_security_md_lists_every_source_without_a_signed_time() -> None:
    section = PAGE.partition("**No time is signed**")[2].partition("\n- ")[0]
    listed, installed = (
        set(re.findall(r"`(\w+)`", section)),
        {ENDPOINTS_BY_NAME[name].source.name for name in endpoints_without_time()},
    )
    assert listed == installed, (
        f"docs/security.md, No time is signed: add {installed - listed}, take out {listed - installed}"
    )
