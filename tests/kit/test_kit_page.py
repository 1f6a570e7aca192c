"""docs/kit.md: every public name of the kit, with today's signature and an example that runs."""

import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from webhooks.testing import SourceTests

ROOT = Path(__file__).parents[2]
SPEC = spec_from_file_location("kit_page", ROOT / "tools" / "kit_page.py")
assert SPEC is not None
assert SPEC.loader is not None
kit_page = module_from_spec(SPEC)
SPEC.loader.exec_module(kit_page)
PAGE = (ROOT / "docs" / "kit.md").read_text()
FENCES = [(match.start(), match[1]) for match in re.finditer(r"```python\n(.*?)```", PAGE, re.DOTALL)]
UPDATE = "run `python3 dev.py kit`"


def test_every_public_name_is_on_the_page_once() -> None:
    names = kit_page.names_on(PAGE)
    missing = sorted(set(kit_page.surface()) - set(names))
    assert not missing, f"put them into a `<!-- kit: ... -->` of docs/kit.md and {UPDATE}: {missing}"
    assert sorted(names) == sorted(set(names))


def test_the_page_names_nothing_that_does_not_exist() -> None:
    assert sorted(set(kit_page.names_on(PAGE)) - set(kit_page.surface())) == []
    classes = "|".join(kit_page.CLASSES)
    members = set(re.findall(rf"\b((?:{classes})\.[a-z_]+)", PAGE)) - {"Source.declared"}
    assert sorted(members - set(kit_page.surface())) == []


def test_signatures_and_descriptions_are_those_of_the_code() -> None:
    assert kit_page.rendered(PAGE) == PAGE, UPDATE


def test_the_examples_run_in_their_order() -> None:
    scope: dict[str, Any] = {"__name__": "examples_of_the_kit"}
    for start, code in FENCES:
        above = PAGE[:start].count("\n") + 1
        exec(compile("\n" * above + code, "docs/kit.md", "exec"), scope)
    assert issubclass(scope["TestAcme"], SourceTests)
    assert set(scope["acme"].declared.handlers) == {"order.paid", "cart.viewed", "cart.shared"}


def test_every_public_name_is_in_an_example() -> None:
    code = "\n".join(code for _, code in FENCES)
    names = {name.rpartition(".")[2] for name in kit_page.surface()}
    assert sorted(name for name in names if not re.search(rf"\b{name}\b", code)) == []


def test_members_of_the_tests_of_a_source_are_on_the_page() -> None:
    listed = set(re.findall(r"^- `(\w+)`: ", PAGE[PAGE.index("## Test it") :], re.MULTILINE))
    assert listed == set(SourceTests.__annotations__)


@pytest.mark.parametrize("name", ["nothing", "Payload.nothing", "mail.nothing", "Event.raw"])
def test_an_unknown_name_on_the_page_is_an_error(name: str) -> None:
    with pytest.raises(LookupError, match=r"nothing|raw"):
        kit_page.rendered(f"<!-- kit: {name} -->\n<!-- end -->")


def test_a_changed_signature_or_description_is_seen() -> None:
    for before, after in (
        ("`digest(*values: Any) -> str`", "`digest(value: Any) -> str`"),
        ("Return 16 hex digits", "Return 8 hex digits"),
        ("    - `metadata`: free-form", "    - `metadata`: some"),
    ):
        assert before in PAGE
        assert kit_page.rendered(PAGE.replace(before, after)) == PAGE


def test_a_name_that_is_missing_is_reported_and_the_page_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "kit.md"
    page.write_text(PAGE.replace("<!-- kit: digest joined -->", "<!-- kit: joined -->"))
    monkeypatch.setattr(kit_page, "PAGE", page)
    assert kit_page.main() == 1
    assert "digest" in capsys.readouterr().err
    assert "`digest(" not in page.read_text()
    page.write_text(PAGE)
    assert kit_page.main() == 0
    assert page.read_text() == PAGE
