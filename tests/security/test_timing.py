"""Structural: whatever is secret is compared in constant time, and regular expressions take no time by design."""

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
JUDGED = {
    ("webhooks/signatures/verify.py", "remember(token, body, until) != body"),  # digests of bodies, and no secret
    ("webhooks/signatures/presented.py", "pair[0] == scheme.sig_key"),  # the name of a part
    ("webhooks/signatures/diagnose.py", "bare != secret"),  # a configured one with itself
}
"""What reads like a comparison of secrets and is none."""


def comparisons(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Compare) and any(isinstance(op, ast.Eq | ast.NotEq) for op in node.ops):
            sides = [node.left, *node.comparators]
            if any(isinstance(side, ast.Constant) for side in sides):
                continue  # with a word of ours, such as a kind or an empty text
            text = ast.unparse(node)
            if any(SECRET.search(ast.unparse(side)) for side in sides):
                yield text


def test_no_secret_is_compared_by_equality():
    """In the door, the verifiers and every translator; `hmac.compare_digest` is the way."""
    rooms = [*(ROOT / "webhooks" / "signatures").rglob("*.py"), *(ROOT / "webhooks").glob("*.py")]
    rooms += [*(ROOT / "translators").rglob("*.py")]
    found = {(str(path.relative_to(ROOT)), text) for path in rooms for text in comparisons(path)}
    assert found <= JUDGED


def test_the_test_above_would_see_one(tmp_path):
    (tmp_path / "x.py").write_text("ok = given == secret\nno = kind == 'token'\nif token != expected: pass\n")
    assert list(comparisons(tmp_path / "x.py")) == ["given == secret", "token != expected"]


@pytest.mark.parametrize("room", ["verify.py", "presented.py", "../web/app.py"])
def test_where_secrets_are_compared_it_is_by_compare_digest(room):
    assert "hmac.compare_digest(" in (ROOT / "webhooks" / "signatures" / room).resolve().read_text()


def patterns():
    """Every regular expression of a module's own, by its name."""
    found = {}
    for package in (translators, webhooks):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name.endswith(("__main__", "gunicorn_conf", ".testing")):
                continue
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    found[f"{module.name}.{name}"] = value
    return found


def members(items):
    """The characters of the Basic Latin range that a part can match; all where it is more than one character."""
    letters = {chr(code) for code in range(128)}
    if len(items) == 1 and items[0][0] in {sre.IN, sre.LITERAL, sre.NOT_LITERAL, sre.ANY}:
        return {letter for letter in letters if _matches(items[0], letter)}
    return letters


def beginnings(items):
    """The characters that a part can begin with; all where that cannot be told."""
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
    hit = any(_in(each, letter) for each in value)
    return hit != negated


def _in(each, letter):
    kind, value = each
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
    """Two unbounded repeats side by side that can match the same character: the text can be shared out in many ways."""
    before = set()
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
"""Of what the operator writes into the settings."""


@pytest.mark.parametrize(("name", "pattern"), patterns().items(), ids=patterns())
def test_no_regular_expression_can_be_made_to_share_a_text_out_in_many_ways(name, pattern):
    assert not ambiguous(list(parser.parse(pattern.pattern, pattern.flags))) or name in OPERATORS


def test_the_test_above_would_see_the_one_that_was_here():
    """Freshdesk's, which took a minute for some thousand blanks in a field that a customer may fill."""
    assert ambiguous(list(parser.parse(r"\{\s*from\s*:\s*([^,{}]*?)\s*,")))
    assert not ambiguous(list(parser.parse(r"\{\s*from\s*:([^,{}]*),")))
