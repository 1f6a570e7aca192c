"""Secrets are compared in constant time, and no regular expression backtracks exponentially."""

import ast
import importlib
import pkgutil
import re
from pathlib import Path
from re import _constants as sre  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]

import pytest

import translators
import webhooks

ROOT = Path(__file__).parents[2]
SECRET = re.compile(
    r"secret|signature|token|digest|presented|password|credential|hmac|write_key|\bmac\b", re.IGNORECASE
)
ALLOWED = {
    ("webhooks/signatures/verify.py", "remember(token, body, until) != body"),  # digests of bodies
    ("webhooks/signatures/presented.py", "pair[0] == scheme.sig_key"),  # the name of a part
    ("webhooks/signatures/diagnose.py", "bare != secret"),  # a configured secret with itself
}
"""Comparisons that look like comparisons of secrets, but are not."""


def comparisons(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Constant) for side in sides):
                continue  # with a constant, such as a kind or an empty text
            text = ast.unparse(node)
            if any(SECRET.search(ast.unparse(side)) for side in sides):
                yield text


def test_secrets_are_never_compared_by_equality() -> None:
    """Check the service, the verifiers and every translator; they use `hmac.compare_digest`."""
    files = [*(ROOT / "webhooks" / "signatures").rglob("*.py"), *(ROOT / "webhooks").glob("*.py")]
    files += [*(ROOT / "translators").rglob("*.py")]
    comparisons_found = {(str(path.relative_to(ROOT)), text) for path in files for text in comparisons(path)}
    assert comparisons_found <= ALLOWED


def test_comparison_check_detects_an_equality(tmp_path: Path) -> None:
    (tmp_path / "x.py").write_text("ok = value == secret\nno = kind == 'token'\nif token != expected: pass\n")
    assert list(comparisons(tmp_path / "x.py")) == ["value == secret", "token != expected"]


@pytest.mark.parametrize("module", ["verify.py", "presented.py", "../web/app.py"])
def test_module_compares_secrets_by_compare_digest(module) -> None:
    assert "hmac.compare_digest(" in (ROOT / "webhooks" / "signatures" / module).resolve().read_text()


def patterns():
    """Return every module-level regular expression by its name."""
    by_name = {}
    for package in (translators, webhooks):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(("__main__", "gunicorn_conf", ".testing")):
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    by_name[f"{module.name}.{name}"] = value
    return by_name


def members(items):
    """Return the characters of the Basic Latin range that a part can match; all if it can match more than one character."""
    letters = {chr(code) for code in range(128)}
    if len(items) == 1 and items[0][0] in {sre.IN, sre.LITERAL, sre.NOT_LITERAL, sre.ANY}:
        return {letter for letter in letters if _matches(items[0], letter)}
    return letters


def beginnings(items):
    """Return the characters that a part can begin with; all if this is unknown."""
    kind, value = items[0]
    if kind in {sre.IN, sre.LITERAL, sre.NOT_LITERAL, sre.ANY}:
        return members(items[:1])
    if kind is sre.SUBPATTERN:
        return beginnings(list(value[3]))
    if kind in {sre.MAX_REPEAT, sre.MIN_REPEAT} and value[0] > 0:
        return beginnings(list(value[2]))
    return members(items)


def _matches(item, letter):
    kind, value = item
    if kind is sre.LITERAL:
        return ord(letter) == value
    if kind is sre.NOT_LITERAL:
        return ord(letter) != value
    if kind is sre.ANY:
        return letter != "\n"
    negated = value[0][0] is sre.NEGATE
    hit = any(_in(item, letter) for item in value)
    return hit != negated


def _in(item, letter):
    kind, value = item
    if kind is sre.LITERAL:
        return ord(letter) == value
    if kind is sre.RANGE:
        return value[0] <= ord(letter) <= value[1]
    if kind is sre.CATEGORY:
        return {
            sre.CATEGORY_SPACE: letter.isspace(), sre.CATEGORY_NOT_SPACE: not letter.isspace(),
            sre.CATEGORY_DIGIT: letter.isdigit(), sre.CATEGORY_NOT_DIGIT: not letter.isdigit(),
            sre.CATEGORY_WORD: letter.isalnum() or letter == "_",
            sre.CATEGORY_NOT_WORD: not (letter.isalnum() or letter == "_"),
        }[value]  # fmt: skip
    return False


def ambiguous(items):
    """Return whether two adjacent unbounded repeats can match the same character, which allows backtracking."""
    before: set[int] = set()
    for kind, value in items:
        if kind in {sre.MAX_REPEAT, sre.MIN_REPEAT}:
            low, high, inner = value
            inside = members(list(inner))
            if high is sre.MAXREPEAT:
                if before & beginnings(list(inner)):
                    return True
                before = before | inside if low == 0 else inside
            elif low > 0:
                before = set()
            if ambiguous(list(inner)):
                return True
        elif kind is sre.SUBPATTERN:
            inner = list(value[3])
            if len(inner) == 1 and inner[0][0] in {sre.MAX_REPEAT, sre.MIN_REPEAT} and inner[0][1][1] is sre.MAXREPEAT:
                inside = members(list(inner[0][1][2]))
                if before & inside:
                    return True
                before = before | inside if inner[0][1][0] == 0 else inside
            else:
                if ambiguous(inner):
                    return True
                before = set()
        elif kind is sre.BRANCH:
            if any(ambiguous(list(branch)) for branch in value[1]):
                return True
            before = set()
        elif kind is not sre.AT:
            before = set()
    return False


OPERATORS = {"translators.salesforce.custom._LINE"}
"""Patterns for the operator's settings."""


@pytest.mark.parametrize(("name", "pattern"), patterns().items(), ids=patterns())
def test_no_regular_expression_backtracks_exponentially(name, pattern) -> None:
    assert not ambiguous(list(parser.parse(pattern.pattern, pattern.flags))) or name in OPERATORS


def test_backtracking_check_detects_a_known_pattern() -> None:
    """Freshdesk's old pattern took a minute for some thousand blanks in a field that a customer may fill."""
    assert ambiguous(list(parser.parse(r"\{\s*from\s*:\s*([^,{}]*?)\s*,")))
    assert not ambiguous(list(parser.parse(r"\{\s*from\s*:([^,{}]*),")))
