"""Commands that only read: help, check, sources, translate, send, status."""

import json
import socket
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
import pytest

from support.commands import CommandRunner
from support.processes import EVENT, SECRET, free_port, get, segue, until
from webhooks.cli.main import COMMANDS, main
from webhooks.cli.post import tamper_with
from webhooks.cli.time_args import parse_time
from webhooks.journal import AuditContext, State, open_journal
from webhooks.sources import plugins


def test_the_help_lists_each_command_by_its_own_line_and_imports_none() -> None:
    context = click.Context(main)
    for name, listed in COMMANDS.items():
        command = main.get_command(context, name)
        assert command is not None
        assert command.short_help == listed.summary
    code = (
        "import sys; from webhooks.cli.main import main; main(['--help'], standalone_mode=False);"
        "print([name for name in sys.modules if name in ('flask', 'requests', 'sqlite3', 'psycopg', 'webhooks.settings')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_help_has_an_example(run: CommandRunner, name) -> None:
    result = run(name, "--help")
    assert result.exit_code == 0
    assert f"segue {name}" in result.output.split("Example", 1)[1]


def test_help_lists_every_command_and_suggests_the_closest(run: CommandRunner) -> None:
    assert all(name in run("--help").output for name in COMMANDS)
    result = run("chek")
    assert result.exit_code == 2
    assert "did you mean `segue check`?" in result.output


def test_check_succeeds_with_a_correct_configuration(run: CommandRunner) -> None:
    result = run("check", SEGMENT_WRITE_KEY="wk_test")
    assert result.exit_code == 0, result.output
    assert "/webhooks/acme is open: Acme, 1 secret, verified" in result.output
    assert "segue.db yet; `segue serve` creates it" in result.output
    assert SECRET not in result.output
    open_journal(f"sqlite:///{Path.cwd()}/segue.db").close()
    assert "stores durably" in run("check", SEGMENT_WRITE_KEY="wk_test").output


def test_check_shows_every_fault_and_fails(run: CommandRunner) -> None:
    result = run("check", PORT="x", SEGMENT_REGION="uk")
    assert result.exit_code == 1
    assert "PORT is 'x'" in result.output
    assert "SEGMENT_REGION is 'uk'" in result.output
    report = json.loads(run("check", "--json", PORT="x").output)
    assert report["ok"] is False
    assert {"grade": "fault", "about": "configuration"}.items() <= report["findings"][-1].items()


def test_check_fails_on_warnings_only_with_strict(run: CommandRunner) -> None:
    assert run("check").exit_code == 0
    result = run("check", "--strict")
    assert result.exit_code == 1
    assert "SEGMENT_WRITE_KEY is not set" in result.output


def test_check_names_a_secret_of_the_wrong_form_without_showing_it(run: CommandRunner) -> None:
    result = run("check", STANDARD_WEBHOOKS_WEBHOOK_SECRET="whsec_QUFBQUFB, whsec_!no-base64!")
    assert result.exit_code == 1
    assert "the secret number 2 of /webhooks/standard_webhooks is not base64" in result.output
    assert "!no-base64!" not in result.output


def test_check_warns_about_the_sync_worker_class(run: CommandRunner) -> None:
    assert "Choose gevent" in run("check", SEGUE_WORKER_CLASS="sync").output


def test_check_fails_for_sqlite_on_a_dyno_unless_allowed_by_name(run: CommandRunner) -> None:
    result = run("check", DYNO="release.1")
    assert result.exit_code == 1
    assert "whose disk is not kept" in result.output
    assert "SEGUE_ALLOW_SQLITE_ON_DYNO=true" in result.output
    allowed = run("check", DYNO="release.1", SEGUE_ALLOW_SQLITE_ON_DYNO="true")
    assert allowed.exit_code == 0
    assert "warn  SEGUE_ALLOW_SQLITE_ON_DYNO allows" in allowed.output
    assert "disk is not kept" not in run("check").output


def test_check_says_whether_serve_would_start(run: CommandRunner, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = "`segue serve` starts it."
    assert starts in run("check", SEGMENT_WRITE_KEY="wk_test").output
    without_key = run("check")
    assert starts not in without_key.output
    assert "`segue serve` would not start: SEGMENT_WRITE_KEY is not set" in without_key.output
    for host in ("127.0.0.1", "::"):
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as taken:
            taken.bind((host, 0))
            taken.listen()
            environ = {"SEGUE_HOST": host, "PORT": str(taken.getsockname()[1]), "SEGMENT_WRITE_KEY": "wk_test"}
            result = run("check", **environ)
            assert result.exit_code == 1
            assert f"Port {environ['PORT']} is in use by another program." in result.output
            assert starts not in result.output
        assert starts in run("check", **environ).output
    assert (
        "SEGUE_HOST '203.0.113.9' is not an address of this machine." in run("check", SEGUE_HOST="203.0.113.9").output
    )


def test_check_reports_a_running_installation(run: CommandRunner, tmp_path: Path) -> None:
    port = str(free_port())
    with segue(tmp_path, "web", PORT=port):
        until(lambda: get(int(port), "/healthz") == 200)
        result = run("check", PORT=port, SEGMENT_WRITE_KEY="wk_test")
    assert result.exit_code == 0
    assert f"ok    Port {port} is in use by a Segue that is already running" in result.output
    assert f"Segue is already running on port {port}; a second `segue serve` cannot start there." in result.output


@pytest.mark.parametrize("kind", ["gevent", "gthread", "sync"])
def test_check_imports_the_worker_class_of_gunicorn(run: CommandRunner, monkeypatch: pytest.MonkeyPatch, kind) -> None:
    import sys

    from webhooks.web import workers

    module = workers.WORKERS[kind][0]
    monkeypatch.setitem(sys.modules, module, None)
    result = run("check", SEGUE_WORKER_CLASS=kind, SEGMENT_WRITE_KEY="wk_test")
    assert result.exit_code == 1
    assert f"gunicorn's worker class {kind} cannot be imported: " in result.output
    assert "pip install" in result.output


def test_check_names_a_journal_that_cannot_store(run: CommandRunner, tmp_path: Path) -> None:
    result = run("check", SEGUE_DATABASE=f"sqlite:///{tmp_path}/no/such/folder/segue.db")
    assert result.exit_code == 1
    assert "cannot store" in result.output
    assert run("check", "--no-journal", SEGUE_DATABASE=f"sqlite:///{tmp_path}/no/x.db").exit_code == 0


def test_check_warns_if_endpoints_with_different_options_share_a_write_key(
    run: CommandRunner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from translators.kit import Head, HmacBody, Option, Source

    pay = Source("pay", scheme=HmacBody(header="X"), options=[Option("mode", "which", "live", ("live", "test"))])
    pay.head(lambda item: Head(id="1", type="t", occurred_at=None))
    monkeypatch.setattr(plugins, "load", lambda: plugins.Registry((), {"pay": pay}))
    (tmp_path / "segue.toml").write_text(
        '[endpoints.pay]\n[endpoints.pay_test]\nsource = "pay"\nsecrets = ["abcdefghij"]\nmode = "test"\n'
    )
    environ = {"PAY_WEBHOOK_SECRET": "klmnopqrst", "SEGMENT_WRITE_KEY": "wk", "ACME_WEBHOOK_SECRET": None}
    assert "pay and pay_test differ in mode but share a write key" in run("check", **environ).output
    assert "share a write key" not in run("check", **environ, SEGUE_PAY_TEST_WRITE_KEY="wk2").output


def test_sources_shows_open_endpoints_and_signatures(run: CommandRunner) -> None:
    (acme,) = [source for source in json.loads(run("sources", "--json").output)["sources"] if source["name"] == "acme"]
    assert acme["open"] == "acme"
    assert acme["schemes"] == {"default": {"class": "HmacBody", "strength": "verified"}}
    assert (acme["translated"], acme["ignored"]) == (1, 1)
    report = run("sources", "acme").output
    assert "order.paid" in report
    assert "test.*: a test" in report
    assert run("sources", "nothing").exit_code == 1


def test_sources_shows_a_broken_plugin_in_brief_or_with_traceback(
    run: CommandRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken = plugins.Plugin(
        name="crm", value="x:y", distribution="crm", version="1", error="Traceback:\n  boom\nOops: no"
    )
    monkeypatch.setattr(plugins, "load", lambda: plugins.Registry((broken,), {}))
    short, long = run("sources").output, run("sources", "--verbose").output
    assert "crm (crm 1) does not load: Oops: no" in short
    assert "boom" not in short
    assert "boom" in long
    checked = run("check")
    assert checked.exit_code == 1
    assert "source crm (crm 1) does not load: Oops: no" in checked.output


def test_translate_shows_the_messages_and_their_original_time(run: CommandRunner) -> None:
    result = run("translate", "acme", "-", "--json", input=EVENT)
    assert result.exit_code == 0, result.output
    ((entry),) = json.loads(result.output)
    assert entry["outcome"] == "translated"
    (message,) = entry["messages"]
    assert (message["event"], message["timestamp"]) == ("Order Completed", "2026-03-31T12:00:00.000Z")
    assert "Order Completed" in run("translate", "acme", "-", input=EVENT).output


def test_translate_distinguishes_ignored_unsupported_and_broken(run: CommandRunner) -> None:
    def outcome(body):
        result = run("translate", "acme", "-", input=body)
        return result.exit_code, result.output

    assert outcome(EVENT.replace(b"order.paid", b"test.ping")) == (
        0,
        outcome(EVENT.replace(b"order.paid", b"test.ping"))[1],
    )
    assert "ignored: a test" in outcome(EVENT.replace(b"order.paid", b"test.ping"))[1]
    assert "unsupported" in outcome(EVENT.replace(b"order.paid", b"order.lost"))[1]
    code, text = outcome(b"{")
    assert code == 1
    assert "broken: malformed: $ is not JSON" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nothing", "-"), "No source or endpoint is called 'nothing'"),
        (("acme", "-", "--header", "x"), "--header 'x' is not a pair"),
        (("acme", "-", "--option", "x=y"), "is not an option of Acme"),
    ],
)
def test_translate_refuses_wrong_arguments_with_a_hint(run: CommandRunner, arguments, message) -> None:
    result = run("translate", *arguments, input=EVENT)
    assert result.exit_code == 1
    assert message in result.output


def test_send_without_a_secret_or_a_server_is_a_failure(run: CommandRunner) -> None:
    to = ("send", "acme", "-", "--to", "http://127.0.0.1:9")
    result = run(*to, input=EVENT, ACME_WEBHOOK_SECRET=None)
    assert result.exit_code == 1
    assert "set ACME_WEBHOOK_SECRET" in result.output
    result = run(*to, input=EVENT)
    assert result.exit_code == 1
    assert "http://127.0.0.1:9 did not answer" in result.output
    assert "is not an http address" in run("send", "acme", "-", "--to", "ftp://x", input=EVENT).output


def test_parse_time_formats() -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)

    def at(text):
        return parse_time(text, now, option="--at")

    assert at("now") == now
    assert at("-10m") == at("10m") == now - timedelta(minutes=10)
    assert at("+1h") == now + timedelta(hours=1)
    assert at("2w") == now - timedelta(days=14)
    assert at("1774958400") == at("2026-03-31T12:00:00") == at("2026-03-31T14:00:00+02:00") == now
    assert at("2026-03-31") == at("20260331") == now - timedelta(hours=12)
    for odd in ("yesterday", "9999999999999999", "-99999999999w", "999999w", "0001-01-01T00:00:00+14:00", ""):
        with pytest.raises(click.ClickException, match="is not a time"):
            at(odd)


def test_tampering_always_changes_the_body() -> None:
    for body in (b'{"a": 1}', b'{"a": 12}', b"{}", b""):
        assert tamper_with(body) != body


def test_status_counts_by_source_and_state(run: CommandRunner) -> None:
    assert "Nothing has been received yet" in run("status").output
    now = datetime.now(UTC)
    from translators.kit import Event

    def event(key, type_):
        return Event(
            source="acme", id=key, type=type_, occurred_at=now, received_at=now - timedelta(minutes=10), raw=b"{}"
        )

    journal = open_journal(run.database)
    journal.append(
        [event(str(number), type_) for number, type_ in enumerate("abcd", 1)], now=now - timedelta(minutes=10)
    )
    journal.drop(journal.seqs()[3:], by=AuditContext(actor="ann", reason="why"), now=now)
    claims = journal.claim(2, worker="w", now=now, lease=timedelta(seconds=60))
    from webhooks.journal import Settlement

    states = [State.DEAD, State.UNSUPPORTED]
    journal.settle([Settlement(claim=c, state=s, reason="r") for c, s in zip(claims, states, strict=True)], now=now)
    journal.note("worker:w1", {"failing": {"xyz": {"seconds": 40, "reason": "no route"}}}, now=now)
    journal.note("hold:abc", {"held": True, "reason": "401"}, now=now)
    journal.note("hold:old", {"held": False, "reason": ""}, now=now)
    journal.close()
    report = json.loads(run("status", "--json").output)
    assert report["by_state"] == {"pending": 1, "delivered": 0, "ignored": 0, "unsupported": 1, "dead": 1, "dropped": 1}
    assert 590 < report["oldest_pending_seconds"] < 700
    assert [worker["name"] for worker in report["workers"]] == ["w1"]
    assert report["held_write_keys"] == [{"write_key": "abc", "reason": "401"}]
    assert report["unsupported_types"] == [{"source": "acme", "type": "b", "count": 1}]
    assert [(key["write_key"], key["reason"]) for key in report["failing_write_keys"]] == [("xyz", "no route")]
    assert report["waiting_for_configuration"] == {}
    text = run("status").output
    assert "worker w1: heartbeat" in text
    assert "write key abc is held" in text
    assert "It is retried every minute" in text
    assert "Segment has not accepted a batch of write key xyz for 4" in text
    left = run("status", ACME_WEBHOOK_SECRET="")
    assert "1 events of acme wait: no endpoint of this name is configured" in left.output
    assert "1 dead" in text


@pytest.mark.parametrize("command", ["serve", "work"])
def test_nothing_is_delivered_without_a_write_key(run: CommandRunner, command) -> None:
    result = run(command)
    assert result.exit_code == 1
    assert "SEGMENT_WRITE_KEY is not set, so nothing can be delivered" in result.output


@pytest.mark.parametrize("command", ["serve", "web", "work", "status"])
def test_a_wrong_configuration_stops_every_command_with_all_faults_and_no_traceback(
    run: CommandRunner, command
) -> None:
    result = run(command, PORT="x", SEGMENT_REGION="uk")
    assert result.exit_code == 1
    assert "The configuration has 2 faults" in result.output
    assert "Traceback" not in result.output
