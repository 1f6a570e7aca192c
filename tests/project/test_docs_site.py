"""The documentation is a site: every page in its navigation, every link leads somewhere, every `error` word is explained."""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from webhooks.signatures import Fault

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
PARTS = ["Home", "Tutorial", "How-to", "Reference", "Explanation"]
LINK = re.compile(r"\]\((?!https?://|mailto:)([^)#\s]+)")
HTTP = (DOCS / "http.md").read_text()


class Loader(yaml.SafeLoader):
    """Reads mkdocs.yml, which names a Python function for its diagrams."""


Loader.add_multi_constructor("tag:yaml.org,2002:python/", lambda *_: None)
CONFIG = yaml.load((ROOT / "mkdocs.yml").read_text(), Loader)


def pages(nav):
    for entry in nav:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        yield from [value] if isinstance(value, str) else pages(value)


def refusals():
    """Every `error` word in the code with its statuses: a call that begins with a status of 4xx or 5xx and a word."""
    statuses: dict[str, set[object]] = {}
    for path in (ROOT / "webhooks").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or len(node.args) < 3:
                continue
            status, word = node.args[:2]
            if (
                isinstance(word, ast.Constant)
                and isinstance(word.value, str)
                and re.fullmatch(r"[a-z]+(_[a-z]+)*", word.value)
            ):
                numbers = {constant.value for constant in ast.walk(status) if isinstance(constant, ast.Constant)}
                if any(isinstance(number, int) and 400 <= number < 600 for number in numbers):
                    statuses.setdefault(word.value, set()).update(
                        {status.value} if isinstance(status, ast.Constant) else set()
                    )
    for fault in Fault:
        if fault not in {Fault.NONE, Fault.NOT_CONFIGURED}:
            statuses.setdefault(fault.value, set()).add(401)
    return statuses


@pytest.mark.slow
def test_the_site_builds_strictly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(tmp_path / "site")]
    environ = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "site" / "architecture" / "index.html").read_text().count('class="mermaid"') == 4


def test_every_page_is_in_the_navigation_once_and_in_one_of_its_parts() -> None:
    assert [next(iter(part)) for part in CONFIG["nav"]] == PARTS
    assert sorted(pages(CONFIG["nav"])) == [str(path.relative_to(DOCS)) for path in PAGES]


def test_the_index_names_every_page_but_those_of_sources() -> None:
    named = set(LINK.findall((DOCS / "index.md").read_text()))
    missing = [
        name for name in pages(CONFIG["nav"]) if name not in named | {"index.md"} and not name.startswith("sources/")
    ]
    assert missing == []


@pytest.mark.parametrize("file", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md"])
def test_links_of_the_files_beside_the_documentation_lead_somewhere(file) -> None:
    assert [link for link in LINK.findall((ROOT / file).read_text()) if not (ROOT / link).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_links_of_a_page_stay_within_the_documentation(page) -> None:
    for link in LINK.findall(page.read_text()):
        target = (page.parent / link).resolve()
        assert target.is_relative_to(DOCS), link
        assert target.is_file(), link


def test_every_error_word_is_explained_with_its_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (\d{3}) \| (.+) \| (.+) \|$", HTTP, re.MULTILINE)
    documented = {word: int(status) for word, status, _, _ in rows}
    code = refusals()
    assert len(code) > 20
    assert set(documented) == set(code)
    assert {word: status for word, status in documented.items() if code[word] and status not in code[word]} == {}


def test_every_path_of_the_service_is_on_the_page() -> None:
    routes = {
        rule for path in (ROOT / "webhooks").rglob("*.py")
        for rule in re.findall(r"@app\.(?:get|post|route)\(\"([^\"]+)\"", path.read_text())
    }  # fmt: skip
    assert routes >= {"/healthz", "/readyz", "/metrics"}
    for rule in routes:
        assert re.search(rf"`GET {rule}`", HTTP), rule


def test_decisions_are_numbered_and_say_why_and_what_they_cost() -> None:
    decisions = sorted((DOCS / "adr").glob("*.md"))
    assert [path.name[:4] for path in decisions] == [f"{number:04}" for number in range(1, len(decisions) + 1)]
    for path in decisions:
        text = path.read_text()
        assert text.startswith(f"# {int(path.name[:4])}. ")
        assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == [
            "Decision",
            "Why",
            "What it costs",
            "Instead of it",
        ]


def test_the_wheel_has_every_page_with_links_that_work() -> None:
    """A user who installed by pip has them in share/doc/segue, in the same folders."""
    files = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["data-files"]
    installed = {
        str(Path(folder).relative_to("share/doc/segue") / path.name)
        for folder, patterns in files.items() for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()
    }  # fmt: skip
    every = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*") if path.is_file()}
    assert installed - {"segue.example.toml", "CHANGELOG.md"} == every


def test_diagrams_have_no_semicolon_which_ends_a_statement_of_mermaid() -> None:
    diagrams = [block for page in PAGES for block in re.findall(r"```mermaid\n(.*?)```", page.read_text(), re.DOTALL)]
    assert len(diagrams) == 4
    assert [diagram for diagram in diagrams if ";" in diagram] == []
