"""`segue init`: a segue.toml that loads, and variables to fill in."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from support.commands import CommandRunner
from webhooks.settings import load
from webhooks.sources import plugins


@pytest.fixture
def init(run: CommandRunner, tmp_path: Path):
    """Run `segue init` in a folder without a segue.toml."""
    (tmp_path / "segue.toml").unlink()
    return lambda *arguments, **more: run("init", *arguments, **more)


def settings(tmp_path, **environ):
    return load(environ, sources=plugins.load().sources, config_file=tmp_path / "segue.toml")


def test_options_alone_write_a_file_that_loads(init, tmp_path: Path) -> None:
    result = init(
        "--source",
        "stripe",
        "--source",
        "square",
        "--region",
        "eu",
        "--namespace",
        "acme-1",
        "--public-url",
        "https://h.example.com",
    )
    assert result.exit_code == 0, result.output
    loaded = settings(tmp_path, STRIPE_WEBHOOK_SECRET="whsec_abcdefgh1")
    assert (loaded.namespace, loaded.segment.url) == ("acme-1", "https://events.eu1.segmentapis.com")
    assert (loaded.database, loaded.web.public_url) == ("sqlite:///segue.db", "https://h.example.com")
    assert "segue register square --url https://h.example.com/webhooks/square" in result.stdout
    env = (tmp_path / ".env").read_text()
    assert [line for line in env.splitlines() if "=" in line] == [
        "SEGMENT_WRITE_KEY=", "STRIPE_WEBHOOK_SECRET=", "SQUARE_WEBHOOK_SECRET="
    ]  # fmt: skip
    for name in (".env", "segue.toml"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600


def test_the_namespace_is_random_and_stays(init, tmp_path: Path) -> None:
    assert init().exit_code == 0
    first = settings(tmp_path).namespace
    assert init("--force").exit_code == 0
    assert first.startswith("segue-")
    assert settings(tmp_path).namespace != first


def test_a_password_goes_into_env_and_not_into_the_file(init, tmp_path: Path) -> None:
    assert init("--database", "postgresql://u:p%40ss@db.example.com/segue").exit_code == 0
    assert "p%40ss" not in (tmp_path / "segue.toml").read_text()
    assert "SEGUE_DATABASE=postgresql://u:p%40ss@db.example.com/segue" in (tmp_path / ".env").read_text().splitlines()


def test_an_existing_file_is_kept_without_force(init, tmp_path: Path) -> None:
    (tmp_path / "segue.toml").write_text("# mine\n")
    result = init("--region", "eu")
    assert result.exit_code == 1
    assert "--force" in result.stderr
    assert (tmp_path / "segue.toml").read_text() == "# mine\n"
    assert not (tmp_path / ".env").exists()


def test_lines_of_an_existing_env_are_kept(init, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("export STRIPE_WEBHOOK_SECRET='whsec_mine'\nOTHER=1")
    (tmp_path / ".env").chmod(0o640)
    assert init("--source", "stripe").exit_code == 0
    env = (tmp_path / ".env").read_text()
    assert env.startswith("export STRIPE_WEBHOOK_SECRET='whsec_mine'\nOTHER=1\n")
    assert env.count("STRIPE_WEBHOOK_SECRET") == 1
    assert "\nSEGMENT_WRITE_KEY=\n" in env
    assert stat.S_IMODE((tmp_path / ".env").stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (("--source", "strpe"), "did you mean stripe?"),
        (("--region", "uk"), "choose us or eu"),
        (("--namespace", "two words"), "give up to 64 letters"),
        (("--database", "mysql://db/segue"), "give one of PostgreSQL"),
        (("--public-url", "hooks.example.com"), "give a URL"),
    ],
)
def test_a_wrong_value_is_refused_and_nothing_is_written(init, tmp_path: Path, arguments, hint) -> None:
    before = set(tmp_path.iterdir())
    result = init(*arguments)
    assert result.exit_code == 2
    assert hint in result.stderr
    assert set(tmp_path.iterdir()) == before


def test_a_folder_that_cannot_be_written_is_a_failure(init, tmp_path: Path) -> None:
    result = init("--config", str(tmp_path / "missing" / "segue.toml"))
    assert result.exit_code == 1
    assert "cannot be written" in result.stderr


def test_invalid_answers_are_asked_again(init, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webhooks.cli.init._at_a_terminal", lambda: True)
    answers = "strpe\nStripe, square\n\nacme-2\nuk\neu\n\n"
    result = init(input=answers)
    assert result.exit_code == 0, result.output
    assert "did you mean stripe?" in result.output
    assert "choose us or eu" in result.output
    loaded = settings(tmp_path)
    assert (loaded.namespace, loaded.segment.url) == ("acme-2", "https://events.eu1.segmentapis.com")
    assert "SQUARE_WEBHOOK_SECRET=" in (tmp_path / ".env").read_text()


def test_env_file_can_be_loaded_by_a_shell(init, tmp_path: Path) -> None:
    assert (
        init(
            "--source", "stripe", "--source", "twilio", "--database", "postgresql://u:a'b@db.example.com/segue"
        ).exit_code
        == 0
    )
    shell = shutil.which("sh")
    assert shell is not None
    done = subprocess.run(
        [shell, "-c", 'set -a; . ./.env; printf %s "$SEGUE_DATABASE"'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == "postgresql://u:a'b@db.example.com/segue"
