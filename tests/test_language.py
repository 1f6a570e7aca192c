"""The words of docs/style.md in names, strings, comments and pages, and each class name defined once.

`python tests/test_language.py` prints each line that holds a word which may not stand.

Not checked are the pages that explain the words, the change log, this file, the goldens, and a provider's own fields: a
quoted text without white space in the sources, their tests and their pages.
"""

import ast
import io
import re
import tokenize
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
WORDS = {
    "told": r"told",
    "mend": r"mend(?:s|ed|ing)?",
    "anew": r"anew",
    "nobody": r"nobody(?:'s)?",
    "somebody": r"somebody(?:'s)?",
    "stranger": r"strangers?(?:'s?)?",
    "greet": r"greet(?:s|ed|ing|ings|er)?",
    "hearer": r"hearers?",
    "door": r"doors?",
    "room": r"rooms?",
    "lane": r"lanes?",
    "parcel": r"parcels?",
    "ledger": r"ledgers?",
    "seal": r"(?:re)?seal(?:s|ed|ing)?",
    "pulse": r"pulses?",
    "survey": r"surveys?",
    "patience": r"patience",
    "suspicion": r"suspicions?",
    "setback": r"setbacks?",
    "is away": r"(?:is|are|was|were) away",
    "be had": r"be had",
    "let go of": r"let go of",
    "turned away": r"turn(?:s|ed)? away",
    "who is": r"who is",
    "the one that": r"the one that",
    "where there is none": r"where there is none",
}
PATTERN = re.compile(
    "|".join(f"(?P<w{number}>\\b{pattern}\\b)" for number, pattern in enumerate(WORDS.values())), re.IGNORECASE
)
NAMES_ONLY = frozenset({"survey"})
"""Words that a text may hold: a customer answers a survey."""
NAMES = frozenset({"found", "said", "each", "here", "thing", "wanted", "given", "who"})
"""Words that say nothing as the name of a variable or parameter."""
PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
FREE = {ROOT / "docs" / "style.md", ROOT / "docs" / "glossary.md", ROOT / "CHANGELOG.md", Path(__file__).resolve()}
CODE = ("webhooks", "translators", "tests", "bench", "tools", "dev.py", "segue.py")
PAGES = ("docs", "README.md", "CONTRIBUTING.md", "SECURITY.md")
GOLDENS = ROOT / "tests" / "golden"
SOURCES = ("translators", "tests/sources", "docs/sources", "docs/catalog.md")
Hit = tuple[str, str, int, str]
"""The word, the file, the line and its text."""


def files(names: tuple[str, ...], pattern: str) -> list[Path]:
    paths = (path for name in names for path in ([ROOT / name] if "." in name else (ROOT / name).rglob(pattern)))
    return sorted(path for path in paths if path not in FREE and GOLDENS not in path.parents)


def words_in(text: str) -> set[str]:
    keys = list(WORDS)
    return {keys[int(str(match.lastgroup)[1:])] for match in PATTERN.finditer(text)}


def spaced(name: str) -> str:
    """Return the words of an identifier: `is_away` and `IsAway` are "is away"."""
    return " ".join(PART.findall(name)).lower()


def is_of_a_source(path: Path) -> bool:
    """Return whether a file describes or tests a provider, so that quoted names in it are the provider's."""
    name = path.relative_to(ROOT).as_posix()
    return name.startswith(SOURCES) and not name.startswith("translators/kit/")


def words_of_text(text: str, *, of_a_source: bool = False) -> set[str]:
    """Return the words in a line of a string, a comment or a page."""
    if of_a_source:
        text = re.sub(r"([`\"'])[^`\"'\s]+\1", "", text)
    return words_in(text.replace("_", " ")) - NAMES_ONLY


def identifiers(node: ast.AST) -> list[str]:
    """Return the names that a node defines or uses."""
    fields = ("id", "arg", "attr", "name", "asname", "rest")
    values = [getattr(node, field, None) for field in fields if not isinstance(node, ast.Constant)]
    return [value for value in values if isinstance(value, str)]


def is_binding(node: ast.AST) -> bool:
    """Return whether a node names a variable or a parameter."""
    return isinstance(node, ast.arg) or (isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store))


def hits_of_code(path: Path) -> Iterator[Hit]:
    source = path.read_text()
    name, of_a_source = str(path.relative_to(ROOT)), is_of_a_source(path)
    parents: dict[ast.AST, int] = {}
    for node in ast.walk(ast.parse(source)):
        line = getattr(node, "lineno", parents.get(node, 1))
        parents.update(dict.fromkeys(ast.iter_child_nodes(node), line))
        for identifier in identifiers(node):
            words = words_in(spaced(identifier)) - (NAMES_ONLY if of_a_source else set())
            yield from ((word, name, line, identifier) for word in words)
            if identifier in NAMES and is_binding(node):
                yield f"variable {identifier}", name, line, identifier
        if isinstance(node, ast.Constant) and isinstance(node.value, str):  # bytes are formats, not prose
            text = node.value
            if of_a_source and len(text.split()) < 2:
                continue
            for offset, part in enumerate(text.splitlines()):
                words = words_of_text(part, of_a_source=of_a_source)
                yield from ((word, name, line + offset, part.strip()) for word in words)
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            words = words_of_text(token.string, of_a_source=of_a_source)
            yield from ((word, name, token.start[0], token.string) for word in words)


def hits_of_page(path: Path) -> Iterator[Hit]:
    name, of_a_source = str(path.relative_to(ROOT)), is_of_a_source(path)
    for number, line in enumerate(path.read_text().splitlines(), 1):
        words = words_of_text(line, of_a_source=of_a_source)
        yield from ((word, name, number, line.strip()) for word in words)


def hits() -> list[Hit]:
    """Return each word once a line."""
    in_code = (hit for path in files(CODE, "*.py") for hit in hits_of_code(path))
    in_pages = (hit for path in files(PAGES, "*.md") for hit in hits_of_page(path))
    unique = {hit[:3]: hit for hits in (in_code, in_pages) for hit in hits}
    return sorted(unique.values(), key=lambda hit: hit[1:3])


def doubled_classes() -> dict[str, list[str]]:
    """Return the places of each class name of the service and the sources that is defined more than once."""
    places: dict[str, list[str]] = defaultdict(list)
    for path in files(("webhooks", "translators"), "*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ClassDef):
                places[node.name].append(f"{path.relative_to(ROOT)}:{node.lineno}")
    return {name: defined for name, defined in places.items() if len(defined) > 1}


def test_plain_words_in_names_texts_and_pages() -> None:
    lines = [f"{path}:{line}: {word}: {text[:100]}" for word, path, line, text in hits()]
    assert not lines, "see docs/style.md\n" + "\n".join(lines)


def test_a_class_name_is_defined_once() -> None:
    assert not doubled_classes()


def test_words_are_recognised_in_every_form() -> None:
    assert words_in(spaced("is_away")) == words_in(spaced("IsAway")) == {"is away"}
    assert words_in(spaced("HTTPDoorHandler2")) == {"door"}
    assert words_in("Mended, and nobody's door; a bedroom") == {"mend", "nobody", "door"}
    assert words_of_text("who is there: `told`") == {"who is", "told"}
    assert words_of_text("a `room.created` told", of_a_source=True) == {"told"}


if __name__ == "__main__":
    for word, path, line, text in hits():
        print(f"{path}:{line}: {word}: {text[:140]}")
