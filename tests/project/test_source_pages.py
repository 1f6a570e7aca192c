"""Every source has a page and a file of tests; all pages have the same sections in the same order."""

import re
from pathlib import Path

import pytest

from webhooks.sources import plugins

FOLDER = Path(__file__).parents[2] / "docs" / "sources"
SOURCES = plugins.load().sources
PAGES = {path.stem: path.read_text() for path in FOLDER.glob("*.md")}
SECTIONS = ["Register", "Secret and signature", "Who", "When", "What", "What names an event", "Settings", "Traps"]


def sections(page: str) -> dict[str, str]:
    """Return each section of the second level with its text; code blocks may hold lines with #."""
    parts = re.split(r"^## (.+)$", re.sub(r"^```.*?^```", "", page, flags=re.MULTILINE | re.DOTALL), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_source_has_a_page_and_every_page_a_source() -> None:
    assert set(PAGES) == set(SOURCES)


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_a_source_has_a_test_file_of_its_name(name) -> None:
    tests = Path(__file__).parents[1] / "sources" / f"test_{name}.py"
    assert re.search(r"^def test_\w+", tests.read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_source_page_has_the_sections_in_their_order(name) -> None:
    assert list(sections(PAGES[name])) == SECTIONS
    assert [title for title, text in sections(PAGES[name]).items() if len(text.split()) < 1] == []


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_source_page_has_one_title_and_names_endpoint_and_secret(name) -> None:
    text = re.sub(r"^```.*?^```", "", PAGES[name], flags=re.MULTILINE | re.DOTALL)
    assert len(re.findall(r"^# ", text, re.MULTILINE)) == 1
    assert f"/webhooks/{name}" in PAGES[name]
    assert f"{name.upper()}_WEBHOOK_SECRET" in PAGES[name]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_every_option_of_a_source_is_on_its_page(name) -> None:
    missing = [
        option for option in SOURCES[name].options
        if not re.search(rf"(\b|_){option.upper()}\b|`{option}`", PAGES[name])
    ]  # fmt: skip
    assert missing == []
