"""`segue settings`: effective values, where they come from, and no secret."""

import contextlib
import fcntl
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from support.commands import CommandRunner
from support.processes import environment
from webhooks.settings.schema import ENDPOINT, TABLES

SECRETS = {
    "SEGMENT_WRITE_KEY": "wk_hidden_in_settings", "SEGUE_ENCRYPTION_KEY": "0f1e2d3c4b5a69788796a5b4c3d2e1f0" * 2,
    "SEGUE_METRICS_TOKEN": "hidden_token_of_metrics", "SEGUE_ALERT_WEBHOOK_URL": "https://a.example.com/hidden_path",
    "SEGUE_ALERT_SIGNING_SECRET": "whsec_MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIz", "SEGUE_ALERT_SLACK_URL": "https://s.example.com/hidden",
    "SEGUE_SMTP_URL": "smtps://u:hidden_password@smtp.example.com", "STRIPE_WEBHOOK_SECRET": "whsec_hidden_stripe",
    "SEGUE_ALERT_EMAIL_FROM": "a@example.com", "SEGUE_ALERT_EMAIL_TO": "b@example.com",
    "SEGUE_STRIPE_WRITE_KEY": "wk_hidden_of_stripe", "SEGUE_DATABASE": "postgresql://u:hidden_db@db.example.com/segue",
}  # fmt: skip


def listed(result):
    assert result.exit_code == 0, result.output
    return {setting["name"]: setting for setting in json.loads(result.stdout)["settings"]}


def test_every_setting_is_listed_with_its_default(run: CommandRunner) -> None:
    values = listed(run("settings", "--json"))
    names = {f"{table}.{key}".lstrip(".") for table, schema in TABLES.items() for key in schema.fields}
    names |= {f"endpoints.acme.{key}" for key in ENDPOINT.fields}
    assert names <= set(values)
    assert values["segment.rate"] | {"about": ""} == {
        "name": "segment.rate", "value": 1000.0, "is_set": True, "secret": False, "origin": "default", "where": "",
        "variable": "SEGUE_SEGMENT_RATE", "about": "",
    }  # fmt: skip
    assert (values["worker.poll"]["value"], values["segment.region"]["value"]) == ("200ms", "us")


def test_settings_show_the_origin_of_a_value(run: CommandRunner, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("wk_from_a_file")
    with (tmp_path / "segue.toml").open("a") as file:
        file.write('\n[web]\nrequest_timeout = 5\n[segment]\nregion = "eu"\nrate = 7\n')
    values = listed(run("settings", "--json", SEGUE_SEGMENT_RATE="9", SEGMENT_WRITE_KEY_FILE=str(tmp_path / "key")))
    where = {name: (values[name]["value"], values[name]["origin"], values[name]["where"]) for name in values}
    assert where["web.request_timeout"] == (5.0, "file", "segue.toml")
    assert where["segment.rate"] == (9.0, "variable", "SEGUE_SEGMENT_RATE"), "the variable wins over the file"
    assert where["segment.write_key"] == (None, "secret_file", "SEGMENT_WRITE_KEY_FILE")
    assert where["segment.url"] == ("https://events.eu1.segmentapis.com", "default", "")
    assert where["endpoints.acme.secrets"] == (None, "variable", "ACME_WEBHOOK_SECRET")


def test_a_source_s_options_and_scheme_are_effective(run: CommandRunner) -> None:
    values = listed(
        run(
            "settings",
            "endpoints.stripe",
            "--json",
            STRIPE_WEBHOOK_SECRET="whsec_abcdefgh1",
            SEGUE_STRIPE_LIVEMODE="both",
        )
    )
    assert (values["endpoints.stripe.livemode"]["value"], values["endpoints.stripe.livemode"]["origin"]) == (
        "both",
        "variable",
    )
    assert values["endpoints.stripe.tolerance"]["value"] == 300
    assert not any(name.startswith("web.") for name in values)


@pytest.mark.parametrize("arguments", [("settings",), ("settings", "--json"), ("settings", "--changed")])
def test_no_secret_is_ever_shown(run: CommandRunner, arguments) -> None:
    result = run(*arguments, **SECRETS)
    assert result.exit_code == 0, result.output
    shown = result.output + result.stderr
    for name, value in SECRETS.items():
        if name not in {"SEGUE_ALERT_EMAIL_FROM", "SEGUE_ALERT_EMAIL_TO", "SEGUE_DATABASE"}:
            assert value not in shown
    assert "hidden_" not in shown
    assert "0f1e2d3c" not in shown


def test_changed_leaves_defaults_out(run: CommandRunner) -> None:
    result = run("settings", "--changed", PORT="8123")
    assert re.search(r"^web\.port +8123 +PORT$", result.stdout, re.MULTILINE)
    assert not re.search(r" default$", result.stdout, re.MULTILINE)


def test_name_filters_and_a_wrong_one_suggests_the_closest(run: CommandRunner) -> None:
    result = run("settings", "web.port", PORT="8124")
    assert result.stdout.splitlines()[1].split() == ["web.port", "8124", "PORT"]
    assert "Variable: PORT" in result.stdout
    wrong = run("settings", "web.prot")
    assert (wrong.exit_code, wrong.stdout) == (1, "")
    assert "Did you mean web.port?" in wrong.stderr


def test_a_wrong_configuration_is_a_failure_with_its_faults(run: CommandRunner) -> None:
    result = run("settings", SEGMENT_REGION="uk")
    assert result.exit_code == 1
    assert "SEGMENT_REGION is 'uk'" in result.stderr


def test_nothing_changed_is_an_empty_table(run: CommandRunner, tmp_path: Path) -> None:
    (tmp_path / "segue.toml").unlink()
    result = run("settings", "alerts", "--changed")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "there is no segue.toml here" in result.stderr


def test_the_table_fits_a_terminal(tmp_path: Path) -> None:
    keys = ",".join(f"key_number_{number}" for number in range(20))
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 70, 0, 0))
    environ = {**environment(tmp_path, SEGUE_USER_ID_KEYS=keys), "TERM": "dumb"}
    command = [sys.executable, "-m", "webhooks.cli", "settings"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environ, stdin=terminal, stdout=terminal, stderr=subprocess.DEVNULL
    ) as process:
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # the other end is closed
            while piece := os.read(main, 65536):
                shown += piece
    os.close(main)
    assert process.returncode == 0
    lines = [re.sub(r"\x1b\[[0-9;]*m", "", line) for line in shown.decode().splitlines()]
    assert len(lines) > 40
    assert max(map(len, lines)) <= 70
    assert any(line.startswith("identity.user_id_keys") and "\u2026" in line for line in lines)
