"""segue.example.toml is generated from the schema, has every setting, and every example is valid."""

import re
import tomllib
from pathlib import Path

import pytest

from webhooks.errors import SettingsError
from webhooks.settings import Settings, load
from webhooks.settings.descriptions import ABOUT, EXAMPLES, TABLES_ABOUT
from webhooks.settings.example import toml
from webhooks.settings.schema import ENDPOINT, TABLES
from webhooks.sources import plugins

FILE = Path(__file__).parents[2] / "segue.example.toml"
SETTING = re.compile(r"^# (\[[a-z_.]+\]|\w+ = .*)$", re.MULTILINE)
SOURCES = plugins.load().sources
NAMES = {f"{table}.{key}".lstrip(".") for table, schema in TABLES.items() for key in schema.fields}
NAMES |= {f"endpoints.{key}" for key in ENDPOINT.fields}


def loaded(text, tmp_path, **environ):
    (tmp_path / "segue.toml").write_text(text)
    return load(environ, sources=SOURCES, config_file=tmp_path / "segue.toml")


def test_the_example_file_is_generated_from_the_schema() -> None:
    command = "python -c 'from webhooks.settings.example import toml; print(toml(), end=\"\")' > segue.example.toml"
    assert FILE.read_text() == toml(), f"write it again: .venv/bin/{command}"


def test_exactly_the_existing_settings_and_tables_are_described() -> None:
    assert set(ABOUT) == NAMES
    assert set(TABLES_ABOUT) == set(TABLES)
    assert set(EXAMPLES) <= NAMES


def test_the_unchanged_example_has_only_defaults(tmp_path: Path) -> None:
    written = loaded(toml(), tmp_path)
    for field in Settings.__slots__:
        if field not in {"config_file", "warnings"}:
            assert getattr(written, field) == getattr(Settings(), field), field


def test_every_example_is_valid_without_its_comment_sign(tmp_path: Path) -> None:
    text = SETTING.sub(r"\1", toml())
    tables = tomllib.loads(text)
    assert {f"{table}.{key}" for table in TABLES if table for key in tables[table]} == {
        n for n in NAMES if "." in n and not n.startswith("endpoints.")
    }
    placeholders = [line for line in text.splitlines() if '"..."' in line]
    assert {line.split(" =")[0] for line in placeholders} == {
        "encryption_key",
        "write_key",
        "tokens",
        "signing_secret",
        "secrets",
    }
    text = "\n".join(line for line in text.splitlines() if '"..."' not in line).replace('"default"', '"stripe"')
    written = loaded(
        text,
        tmp_path,
        STRIPE_TEST_SECRET="whsec_of_the_example_1",
        SEGUE_ALERT_SIGNING_SECRET="whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz",
    )
    assert (written.namespace, written.endpoints["stripe_test"].source) == ("acme-production", "stripe")


@pytest.mark.parametrize("setting", ["encryption_key", "metrics.tokens", "alerts.signing_secret"])
def test_a_secret_of_the_example_is_refused(setting, tmp_path: Path) -> None:
    table, _, key = setting.rpartition(".")
    text = f"[{table}]\n" if table else ""
    with pytest.raises(SettingsError, match=key):
        loaded(f"{text}{key} = {EXAMPLES[setting]}\n", tmp_path)


def test_defaults_shown_are_the_defaults_in_effect() -> None:
    for table, schema in TABLES.items():
        model = Settings() if table in {"", "identity"} else getattr(Settings(), table)
        section = tomllib.loads(SETTING.sub(r"\1", toml()))
        for key, rule in schema.fields.items():
            name = f"{table}.{key}".lstrip(".")
            if name not in EXAMPLES or name == "web.max_body":
                value = section[table][key] if table else section[key]
                assert rule.deserialize(value) == getattr(model, key), name


def test_values_passed_to_the_example_are_effective(tmp_path: Path) -> None:
    text = toml(
        {
            "segment.region": "eu",
            "namespace": "acme-1",
            "retention.dead": TABLES["retention"].fields["dead"].deserialize("100d"),
        },
        notes=["a note"],
    )
    written = loaded(text, tmp_path)
    assert (written.namespace, written.retention.dead.days) == ("acme-1", 100)
    assert written.segment.url == "https://events.eu1.segmentapis.com"
    assert "\n# a note\n" in text
