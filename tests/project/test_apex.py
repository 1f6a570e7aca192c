"""The Apex in docs/salesforce is read by an Apex grammar, so that a syntax error cannot ship."""

from pathlib import Path

import pytest
from tree_sitter_language_pack import get_parser

FOLDER = Path(__file__).parents[2] / "docs" / "salesforce"
FILES = sorted([*FOLDER.glob("*.cls"), *FOLDER.glob("*.trigger")])
PARSER = get_parser("apex")


def errors(source: bytes) -> list[str]:
    """Return the line and text of each place that the grammar cannot read."""
    messages, nodes = [], [PARSER.parse(source).root_node]
    while nodes:
        node = nodes.pop()
        if node.is_error or node.is_missing:
            messages.append(f"line {node.start_point[0] + 1}: {(node.text or b'').decode()[:60]!r}")
        nodes.extend(node.children)
    return messages


def code_without(text: str) -> list[bytes]:
    """Return the source once for each bracket, brace and semicolon of its code, without that character."""
    lines, places, start = text.splitlines(keepends=True), [], 0
    for line in lines:
        is_code = not line.lstrip().startswith(("/*", "*", "//")) and "'" not in line and "/**" not in line
        places += [start + at for at, sign in enumerate(line) if is_code and sign in "(){};"]
        start += len(line)
    return [(text[:at] + text[at + 1 :]).encode() for at in places]


def test_every_kind_of_apex_file_is_there() -> None:
    assert {path.suffix for path in FILES} == {".cls", ".trigger"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_apex_parses(path) -> None:
    assert errors(path.read_bytes()) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_apex_without_one_bracket_or_semicolon_does_not_parse(path) -> None:
    broken = code_without(path.read_text())
    assert len(broken) > 3
    assert [source for source in broken if not errors(source)] == []
