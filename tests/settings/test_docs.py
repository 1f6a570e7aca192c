"""docs/configuration.md and the schema have the same settings."""

import re
from pathlib import Path

from webhooks.settings.schema import CONFIG, ENDPOINT, PLUGINS, TABLES

PAGE = (Path(__file__).parents[2] / "docs" / "configuration.md").read_text()
HEADINGS = {"": "General", "endpoints.<name>": "[endpoints.<name>]"}


def rows(table):
    heading = HEADINGS.get(table, f"[{table}]")
    section = next(part for part in re.split(r"^## ", PAGE, flags=re.MULTILINE) if part.strip("`").startswith(heading))
    lines = [line.split("|")[1:3] for line in section.splitlines() if line.startswith("|") and "`" in line]
    return {tuple(re.findall(r"`([^`]+)`", cell)) for line in lines for cell in [" ".join(line)]}


def declared(schema):
    settings = set()
    for key, rule in schema.fields.items():
        env = rule.metadata.get("env", "").replace("{NAME}", "<NAME>")
        settings.add(tuple(filter(None, (key, env, rule.metadata.get("also")))))
    return settings


def test_exactly_the_existing_settings_are_documented() -> None:
    for table, schema in TABLES.items():
        extra = {(CONFIG,), (PLUGINS,)} if not table else set()
        assert rows(table) == declared(schema) | extra, f"docs/configuration.md [{table}] differs from the schema"
    assert rows("endpoints.<name>") == declared(ENDPOINT), "docs/configuration.md [endpoints] differs from the schema"


def test_settings_that_may_be_a_file_are_documented() -> None:
    for schema in (*TABLES.values(), ENDPOINT):
        for rule in schema.fields.values():
            if rule.metadata.get("secret"):
                assert f"`{rule.metadata['env']}_FILE`".replace("{NAME}", "<NAME>") in PAGE
