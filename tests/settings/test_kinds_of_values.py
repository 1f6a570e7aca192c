"""Values of a wrong type in segue.toml: each is an error with a hint, never an exception."""

from datetime import timedelta
from pathlib import Path

import pytest
from marshmallow import ValidationError

from translators.kit import HmacBody, Option, Source
from webhooks.errors import SettingsError
from webhooks.settings import load, secrets_for
from webhooks.settings.fields import Duration, Flag
from webhooks.settings.file import readable_by_all

ACME = Source(
    "acme", scheme=HmacBody(header="X"), options=[Option("level", "which", "1", ("1", "2")), Option("live", "which", "true", ("true", "false")), Option("code", "two letters", "", pattern="[a-z]{2}")],
)  # fmt: skip


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)


def loaded(tmp_path, text, **environ):
    (tmp_path / "segue.toml").write_text(text)
    return load(environ, sources={"acme": ACME})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[endpoints.acme]\nsecrets = 5", "is not a list of secrets: give text, with commas between several"),
        ("[endpoints.acme]\nsecrets = [1, 2]", "is not a list of secrets"),
        ("[endpoints.acme]\nsecrets = []", "contains no secret: give at least one"),
        ("[endpoints.acme]\nsecrets = ' , '", "contains no secret"),
        ("[identity]\nuser_id_keys = 5", "is 5: give words, separated by commas"),
        ("[identity]\nuser_id_keys = [' ']", "give words, separated by commas"),
        ("[segment]\ngzip = 'perhaps'", "is 'perhaps': choose true or false"),
        ("[segment]\nrate = 'many'", "give messages a second"),
        ("[segment]\nrate = true", "give messages a second"),
        ("[segment]\nrate = [1]", "give messages a second"),
        ("[segment]\nin_flight = true", "give a whole number from 1 to 64"),
        ("[worker]\nlease = true", "give a duration such as"),
        ("segment = 5", "segment in segue.toml must be a table: write [segment]"),
        ("endpoints = []", "endpoints in segue.toml must be a table"),
        ("[endpoints]\nacme = 5", "endpoints.acme in segue.toml is not an endpoint"),
        ("[endpoints.acme]\nlevel = [1]", "level in segue.toml is [1]"),
        ("[endpoints.acme]\ncode = 'abc'", "is 'abc', but must be: two letters"),
        ("[endpoints.acme]\nlevel = 3", "is '3': choose 1 or 2"),
        ("[endpoints.acme]\nlevle = 1", "did you mean level?"),
        ("[endpoints.acme]\nsource = 'nothing'\nlevel = 1", "endpoints.acme.source is 'nothing'"),
    ],
)
def test_a_value_of_a_wrong_type_is_an_error_with_a_hint(tmp_path: Path, text, fault) -> None:
    with pytest.raises(SettingsError) as caught:
        loaded(tmp_path, text)
    assert [message for message in caught.value.faults if fault in message], caught.value.faults


def test_toml_numbers_and_booleans_are_read_as_option_text(tmp_path: Path) -> None:
    settings = loaded(tmp_path, "[endpoints.acme]\nsecrets = ['acme_secret_1']\nlevel = 2\nlive = false\n")
    assert settings.endpoints["acme"].options == {"level": "2", "live": "false"}


@pytest.mark.parametrize(
    ("word", "value"), [("yes", True), ("ON", True), ("1", True), (True, True), ("off", False), (0, False)]
)
def test_flags_accept_the_usual_words(word, value) -> None:
    assert Flag().deserialize(word) is value


def test_a_number_without_unit_is_seconds_only_if_allowed() -> None:
    low, high = timedelta(seconds=1), timedelta(hours=1)
    assert Duration(low, high, bare=True).deserialize(90) == timedelta(seconds=90)
    with pytest.raises(ValidationError, match="add the unit, such as 90d or 90h"):
        Duration(low, high).deserialize(90)


def test_secrets_are_read_without_other_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    assert secrets_for("acme", {"ACME_WEBHOOK_SECRET": "one_secret, another"}) == ("one_secret", "another")
    assert secrets_for("acme", {"ACME_WEBHOOK_SECRET": "  "}) == ()
    monkeypatch.setenv("ACME_WEBHOOK_SECRET", "from_the_environment")
    assert secrets_for("acme") == ("from_the_environment",)


def test_a_file_whose_mode_cannot_be_read_causes_no_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("STRIPE_WEBHOOK_SECRET=whsec_1\n")
    (tmp_path / ".env").chmod(0o644)
    assert len(list(readable_by_all(None, []))) == 1

    def fails(*_, **__):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.read_bytes", fails)
        assert list(readable_by_all(None, [])) == []
    with monkeypatch.context() as patched:
        patched.setattr("pathlib.Path.is_file", fails)
        assert list(readable_by_all(None, [])) == []
