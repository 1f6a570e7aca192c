"""The catalog is built from the code and its goldens, and the docs must match it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from translators.kit.vocabulary import VOCABULARY
from webhooks.cli.main import main
from webhooks.sources import plugins

ROOT = Path(__file__).parent.parent.parent
SOURCES = plugins.load().sources
SPEC = json.loads((ROOT / "translators" / "spec_events.json").read_text())


def catalog(*arguments: str) -> str:
    done = CliRunner().invoke(main, ["catalog", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout


def test_shipped_catalog_matches_the_goldens(tmp_path: Path) -> None:
    fresh = tmp_path / "catalog.json"
    catalog("--goldens", str(ROOT / "tests" / "golden"), "--update", str(fresh))
    assert (ROOT / "translators" / "catalog.json").read_text() == fresh.read_text(), (
        "run: segue catalog --goldens tests/golden --update translators/catalog.json"
    )


def test_docs_catalog_is_the_command_output() -> None:
    assert (ROOT / "docs" / "catalog.md").read_text() == catalog(), "run: segue catalog > docs/catalog.md"


def test_docs_table_of_sources_matches_the_code() -> None:
    """Read as a reader reads it, and held to the declarations, not to what wrote it."""
    head, *lines = [line for line in (ROOT / "docs" / "catalog.md").read_text().splitlines() if line.startswith("|")]
    assert [cell.strip() for cell in head.strip("|").split("|")] == [
        "source", "signature", "strength", "registered by", "event types", "messages",
    ]  # fmt: skip
    table = {}
    for line in lines[1 : len(SOURCES) + 1]:
        title, *cells = (cell.strip() for cell in line.strip("|").split("|"))
        table[title.partition("(#")[2].rstrip(")")] = (title.partition("]")[0].lstrip("["), *cells)
    assert sorted(table) == sorted(SOURCES)
    for name, source in SOURCES.items():
        title, signature, strength, registered, types, messages = table[name]
        assert title == source.title
        for way, scheme in source.schemes.items():
            assert type(scheme).__name__ in signature
            assert scheme.strength in strength
            for cell, word in ((signature, type(scheme).__name__), (strength, scheme.strength)):
                assert "(" not in cell or way in cell.partition(f"{word} (")[2].partition(")")[0].split(", ")
        assert (registered == "API") == (source.declared.registration is not None)
        assert int(types) == len(source.declared.handlers)
        learnt = json.loads((ROOT / "translators" / "catalog.json").read_text())[name]
        message_names = {message["name"] or message["kind"] for entries in learnt.values() for message in entries}
        assert int(messages) == len(message_names)


def test_every_event_name_is_in_segments_spec_or_our_vocabulary() -> None:
    """But for types by a pattern: their names are the sender's, by a documented rule, or the operator's."""
    names = {
        message["name"]
        for entry in json.loads(catalog("--format", "json"))
        for type_ in entry["types"]
        if "*" not in type_["type"]
        for message in type_["messages"]
        if message["kind"] == "track"
    }
    assert len(names) > 80
    assert sorted(names - set(SPEC) - set(VOCABULARY)) == []


def test_every_handled_type_has_messages_in_the_catalog() -> None:
    bare = [
        f"{entry['name']} {type_['type']}"
        for entry in json.loads(catalog("--format", "json"))
        for type_ in entry["types"]
        if not type_["messages"]
    ]
    assert bare == []


@pytest.mark.parametrize("name", sorted(SOURCES))
def test_every_source_has_a_docs_page(name: str) -> None:
    page = ROOT / "docs" / "sources" / f"{name}.md"
    assert page.exists()
    assert f"{name.upper()}_WEBHOOK_SECRET" in page.read_text()


def test_tracking_plan_has_a_rule_for_every_event() -> None:
    plan = json.loads(catalog("stripe", "--format", "tracking-plan"))
    rules = {rule.get("key", rule["type"]): rule for rule in plan["rules"]}
    order = rules["Order Completed"]["jsonSchema"]["properties"]["properties"]["properties"]
    assert order["revenue"] == {"type": ["number"]}
    assert "IDENTIFY" in rules


def test_catalog_refuses_wrong_arguments_with_a_hint() -> None:
    for arguments, says in ((["nothing"], "No source"), (["--update", "x.json"], "--goldens")):
        done = CliRunner().invoke(main, ["catalog", *arguments])
        assert done.exit_code == 1
        assert says in done.output
