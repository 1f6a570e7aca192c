"""`segue alerts`, and a real worker that sends alerts."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path

from support.commands import CommandRunner
from support.fake_receivers import certificate, hook, smtp
from support.processes import environment, output, until
from translators.kit import Event
from webhooks.journal import open_journal

__all__ = ["certificate", "hook", "smtp"]
SECRET = "whsec_" + "QUFB" * 8


def dead(tmp_path):
    """A journal with a dead event in it."""
    now = datetime.now(UTC)
    journal = open_journal(f"sqlite:///{tmp_path}/segue.db")
    event = Event(source="acme", id="k", type="t", occurred_at=now, received_at=now, raw=b"{", problem="no JSON")
    journal.append([event], now=now - timedelta(minutes=10))
    journal.close()


def test_alerts_lists_current_alerts(run: CommandRunner, tmp_path: Path) -> None:
    done = run("alerts", SEGUE_ALERT_DISK_FREE="0")
    assert (done.exit_code, done.stdout) == (0, "ok    nothing is wrong\n")
    assert json.loads(run("alerts", "--json").output)["ok"] is True
    dead(tmp_path)
    done = run("alerts", SEGUE_ALERT_DISK_FREE="0")
    assert done.exit_code == 1
    assert "1 dead event of acme" in done.output
    assert "What to do:" in done.output
    report = json.loads(run("alerts", "--json", SEGUE_ALERT_DISK_FREE="0").output)
    assert [alert["key"] for alert in report["alerts"]] == ["dead:acme"]


def test_alerts_test_sends_to_every_channel_and_reports_each(run: CommandRunner, hook, smtp) -> None:
    port, mails = smtp()
    ways = {
        "SEGUE_ALERT_WEBHOOK_URL": hook.url, "SEGUE_ALERT_SIGNING_SECRET": SECRET, "SEGUE_ALERT_SLACK_URL": hook.url,
        "SEGUE_SMTP_URL": f"smtp://127.0.0.1:{port}", "SEGUE_ALERT_EMAIL_FROM": "segue@example.com",
        "SEGUE_ALERT_EMAIL_TO": "ops@example.com", "SEGUE_PUBLIC_URL": "https://hooks.example.com",
    }  # fmt: skip
    done = run("alerts", "test", **ways)
    assert (done.exit_code, done.output) == (0, "ok    webhook: sent\nok    slack: sent\nok    email: sent\n")
    assert len(hook.got) == 2
    mail = message_from_bytes(mails.got[0][2], policy=default)
    assert mail["Subject"] == "[segue] test: This is a test of Segue's alerts"
    assert "Segue on hooks.example.com" in mail.get_content()
    hook.plan.extend([(200, {}), (403, {})])
    done = run("alerts", "test", "--json", **ways)
    assert done.exit_code == 1
    report = json.loads(done.output)
    assert report["ok"] is False
    assert {channel["name"]: channel["fault"] for channel in report["channels"]} == {
        "webhook": "",
        "slack": "the channel answered 403",
        "email": "",
    }
    assert "s3cret" not in done.output


def test_alerts_test_without_a_channel_names_the_settings(run: CommandRunner) -> None:
    done = run("alerts", "test")
    assert done.exit_code == 1
    assert "SEGUE_ALERT_SLACK_URL" in done.output


def test_worker_sends_each_alert_once(tmp_path: Path, hook) -> None:
    dead(tmp_path)
    code = tmp_path / "quick.py"
    code.write_text(
        "import webhooks.monitoring.alerts as alerts, webhooks.monitoring.alerts.watch as watch\n"
        "alerts.EVERY = watch.EVERY = 0.2\n"
        "from webhooks.cli.main import main\nmain()\n"
    )
    environ = environment(
        tmp_path, SEGMENT_WRITE_KEY="wk", SEGMENT_URL="http://127.0.0.1:9", SEGUE_ALERT_SLACK_URL=hook.url,
        SEGUE_ALERT_DISK_FREE="0",
    )  # fmt: skip
    with (tmp_path / "output.txt").open("w") as out:
        process = subprocess.Popen(
            [sys.executable, str(code), "work"], cwd=tmp_path, env=environ, stdout=out, stderr=out
        )
    try:
        until(lambda: hook.got, lambda: output(tmp_path))
        until(lambda: "worker started" in output(tmp_path), "the worker")
        assert "1 dead event of acme" in json.loads(hook.got[0][2])["text"]
        journal = open_journal(f"sqlite:///{tmp_path}/segue.db")
        until(lambda: "alerts" in journal.notes(), "the note")
        journal.close()
    finally:
        process.terminate()
        assert process.wait(30) == 0
    assert len(hook.got) == 1
