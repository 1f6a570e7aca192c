"""An operator's commands: list and show events, replay, drop, prune, and read the audit log."""

import getpass
import json
import re
import socket
import sys
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from support.commands import CommandRunner, Shop
from support.processes import SECRET, segue, until
from webhooks.cli import confirm
from webhooks.journal import State
from webhooks.operations import progress


def parsed(result):
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def keys(result):
    return [event["key"] for event in parsed(result)["events"]]


# events


def test_events_are_listed_newest_first(run: CommandRunner, filled: Shop) -> None:
    lines = run("events").stdout.splitlines()
    assert lines[0].split() == ["#", "received", "source", "type", "state", "key", "reason"]
    assert [line.split()[6] for line in lines[1:]] == ["new", "anonymous", "torn", "odd", "quiet", "good"]
    assert "no translation" in lines[4]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["--state", "dead"], ["anonymous", "torn"]),
        (["--state", "dead", "--state", "pending"], ["new", "anonymous", "torn"]),
        (["--source", "ac*", "--type", "test.*"], ["quiet"]),
        (["--source", "stripe"], []),
        (["--text", "EXPLODED"], ["odd"]),
        (["--id", "1"], ["good"]),
        (["--id", "torn", "--id", "acme/odd"], ["torn", "odd"]),
        (["--until", "3h30m"], None),
        (["--since", "3h"], ["new", "anonymous", "torn"]),
        (["--until", "3h", "--oldest-first"], ["good", "quiet", "odd"]),
        (["--occurred-since", "1h"], ["new"]),
        (["--occurred-until", "4h"], ["quiet", "good"]),
        (["--settled-since", "1m", "--state", "delivered"], ["good"]),
        (["--settled-until", "1m"], []),
    ],
)
def test_events_are_filtered(run: CommandRunner, filled: Shop, options, expected) -> None:
    result = run("events", "--json", *options)
    if expected is None:
        assert result.exit_code == 1
        assert "--until '3h30m' is not a time" in result.output
    else:
        assert keys(result) == expected


def test_events_are_paged_by_a_cursor(run: CommandRunner, filled: Shop) -> None:
    first = parsed(run("events", "--json", "--limit", "4"))
    assert [event["key"] for event in first["events"]] == ["new", "anonymous", "torn", "odd"]
    rest = parsed(run("events", "--json", "--limit", "4", "--after", first["next"]))
    assert [event["key"] for event in rest["events"]] == ["quiet", "good"]
    assert rest["next"] is None
    text = run("events", "--limit", "4")
    assert f"--after {first['next']}" in text.stderr
    assert run("events", "--after", "nonsense").exit_code == 1


def test_events_json_has_all_members_of_an_event(run: CommandRunner, filled: Shop) -> None:
    (event,) = parsed(run("events", "--json", "--id", "torn"))["events"]
    assert event.pop("reason") == "malformed: $.user is a list, not an id"
    settled = datetime.fromisoformat(event.pop("settled_at"))
    assert timedelta() < datetime.now(UTC) - settled < timedelta(minutes=5)
    row = filled.row("torn")
    at = row.event.received_at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    assert event == {
        "seq": row.seq, "cursor": row.cursor, "source": "acme", "key": "torn", "type": "order.paid", "state": "dead",
        "occurred_at": at, "received_at": at, "clock": "event", "trust": "verified", "locked": None, "attempts": 1,
        "edition": 0, "due_at": None, "leased_until": None,
    }  # fmt: skip
    (new,) = parsed(run("events", "--json", "--id", "new"))["events"]
    assert new["due_at"] == new["received_at"]


def test_empty_selection_names_the_stored_sources(run: CommandRunner, shop: Shop) -> None:
    assert "The journal has no events" in run("events").stderr
    shop.receive(id="a")
    assert "The journal has events of acme" in run("events", "--source", "stripe").stderr


def test_control_characters_of_a_sender_are_escaped(run: CommandRunner, shop: Shop) -> None:
    shop.receive(id="\x1b[2Jevil\nline", type="order.paid\x07")
    for command in (["events"], ["show", "1"], ["tail", "--from", "start", "--no-follow"]):
        output = run(*command).output
        assert "\\x1b[2Jevil\\nline" in output
        assert "\x1b[2J" not in output
        assert "\x07" not in output


# ids


def test_unknown_or_ambiguous_id_is_refused_with_a_hint(run: CommandRunner, shop: Shop) -> None:
    shop.receive(id="2")
    shop.receive(id="b")
    for command in (["show"], ["replay"], ["drop", "--reason", "r"], ["events", "--id"]):
        nothing = run(*command, "evt_404")
        assert nothing.exit_code == 1
        assert "No event has the number or key 'evt_404'" in nothing.output
        two = run(*command, "2")
        assert two.exit_code == 1
        assert "matches 2 events: acme/2 (#1), acme/b (#2)" in two.output
    assert parsed(run("show", "acme/2", "--json"))["seq"] == 1
    assert parsed(run("show", "2", "--source", "acme", "--json"))["seq"] == 1
    assert "No event of other has" in run("show", "2", "--source", "other").output


# show


def test_show_prints_everything_about_an_event(run: CommandRunner, filled: Shop) -> None:
    result = run("show", "good")
    assert result.exit_code == 0, result.output
    for part in (
        "acme order.paid  good", "state     delivered", "settled", '"order": "o1"', "with today's code: send",
        '"event": "Order Completed"', '"userId": "u1"',
    ):  # fmt: skip
        assert part in result.stdout, part
    assert SECRET not in result.stdout
    dead = run("show", "torn").stdout
    assert "reason\n  malformed: $.user is a list, not an id" in dead
    assert "w1  dead  malformed: $.user is a list, not an id" in dead
    assert "with today's code: dead" in dead
    assert "due" in run("show", "new").stdout


def test_show_as_json_has_body_history_audit_and_messages(run: CommandRunner, filled: Shop) -> None:
    run("drop", "torn", "--reason", "a test", "--who", "ann")
    event = parsed(run("show", "torn", "--json"))
    assert json.loads(event["body"])["id"] == "torn"
    assert [attempt["outcome"] for attempt in event["history"]] == ["dead", "dropped"]
    assert [(line["who"], line["action"], line["reason"]) for line in event["audit"]] == [("ann", "drop", "a test")]
    assert event["today"] == {
        "would": "dead",
        "reason": "malformed: $.user is a list, not an id",
        "messages": [],
        "refused": [],
    }
    good = parsed(run("show", "good", "--json"))
    (message,) = good["today"]["messages"]
    assert message["timestamp"] == good["occurred_at"]


def test_show_raw_writes_the_exact_bytes(run: CommandRunner, filled: Shop) -> None:
    assert run("show", "good", "--raw").stdout_bytes == filled.row("good").event.raw


def test_show_hides_secrets_of_a_body_except_with_raw(run: CommandRunner, shop: Shop) -> None:
    shop.receive(id="a", verification_token="keep-secret")
    assert "keep-secret" not in run("show", "a").stdout
    assert "(hidden" in run("show", "a").stdout
    assert b"keep-secret" in run("show", "a", "--raw").stdout_bytes


def test_show_says_that_an_event_without_endpoint_waits(run: CommandRunner, filled: Shop) -> None:
    from dataclasses import replace

    row = filled.row("new")
    filled.journal.load([replace(row, event=replace(row.event, source="gone"))])
    assert "no endpoint 'gone' is configured" in run("show", "gone/new").stdout


# replay


def test_replay_delivers_again_with_the_same_ids_or_new_ones(
    run: CommandRunner, shop: Shop, receiver, tmp_path: Path
) -> None:
    environ, got = receiver
    shop.receive(id="a")
    shop.receive(id="b")
    with segue(tmp_path, "work", SEGUE_DATABASE=run.database, **environ):
        until(lambda: shop.states() == {"a": "delivered", "b": "delivered"}, "delivery")
        assert parsed(run("replay", "a", "--json"))["replayed"] == 1
        until(lambda: len(got()) == 3, "the replay")
        assert parsed(run("replay", "acme/a", "--as-new", "--json"))["replayed"] == 1
        until(lambda: len(got()) == 4, "the replay as new")
        until(lambda: set(shop.states().values()) == {"delivered"}, "the end")
    sent = [message["messageId"] for message in got() if message["context"]["webhook"]["id"] == "a"]
    assert sent[0] == sent[1] != sent[2]
    assert [entry.outcome for entry in shop.row("a").history] == ["replayed", "delivered", "replayed", "delivered"]


def test_replay_dry_run_shows_before_and_after_and_changes_nothing(run: CommandRunner, filled: Shop) -> None:
    text = run("replay", "--all", "--dry-run").stdout
    for line in (
        "delivered -> send 1 message", "dead -> the same, dead: malformed: $.user is a list, not an id",
        "ignored -> the same, ignore: a test", "unsupported -> the same, unsupported", "pending -> skipped, it is pending",
        "Nothing was changed or sent",
    ):  # fmt: skip
        assert line in text, line
    events = parsed(run("replay", "--all", "--dry-run", "--json"))["events"]
    assert [event["today"]["would"] for event in events] == ["send", "ignore", "unsupported", "dead", "dead", "send"]
    assert events[4]["today"]["refused"][0]["fault"].startswith("neither userId")
    assert filled.journal.audits() == []
    assert filled.row("good").state is State.DELIVERED


def test_replay_dry_run_uses_todays_code(run: CommandRunner, filled: Shop, tmp_path: Path) -> None:
    toml = tmp_path / "segue.toml"
    toml.write_text(toml.read_text().replace('user_id = "user"', 'user_id = "id"'))
    (event,) = parsed(run("replay", "torn", "--dry-run", "--json"))["events"]
    assert event["state"] == "dead"
    assert event["today"]["messages"][0]["userId"] == "torn"
    assert "dead -> send 1 message" in run("replay", "torn", "--dry-run").stdout
    old, new = (
        parsed(run("replay", "good", "--dry-run", "--json", *more))["events"][0] for more in ((), ("--as-new",))
    )
    assert old["today"]["messages"][0]["messageId"] != new["today"]["messages"][0]["messageId"]


def test_replay_needs_ids_or_options(run: CommandRunner, filled: Shop) -> None:
    result = run("replay")
    assert result.exit_code == 1
    assert "No event is selected" in result.output
    result = run("replay", "--state", "dead", "--reason", "fixed", "--who", "ann")
    assert "2 events will be delivered again." in result.output
    assert filled.states() == {
        "good": "delivered", "quiet": "ignored", "odd": "unsupported", "torn": "pending", "anonymous": "pending",
        "new": "pending",
    }  # fmt: skip
    (line,) = filled.journal.audits()
    assert (line.actor, line.action, line.reason, line.events) == (
        "ann",
        "replay",
        "fixed",
        ("acme/torn", "acme/anonymous"),
    )


def test_replay_skips_and_counts_pending_events(run: CommandRunner, filled: Shop) -> None:
    result = run("replay", "good", "new")
    assert "1 event will be delivered again." in result.output
    assert "1 event skipped: already pending" in result.output
    assert parsed(run("replay", "--state", "pending", "--json")) | {"operation": ""} == {
        "replayed": 0, "left_alone": 2, "operation": "", "due_over_seconds": 0.0, "beyond_deduplication": 0,
    }  # fmt: skip
    assert "No event matches" in run("replay", "--source", "stripe").output


def test_replay_limit_takes_the_oldest(run: CommandRunner, filled: Shop) -> None:
    assert parsed(run("replay", "--state", "dead", "--limit", "1", "--json"))["replayed"] == 1
    assert filled.states()["torn"] == "pending"
    assert filled.states()["anonymous"] == "dead"


def many(shop, count):
    for number in range(count):
        shop.receive(id=f"e{number}", user=["u1"])
    shop.work(at=datetime.now(UTC) + timedelta(days=30))


def test_replay_of_over_100_events_asks_for_confirmation(
    run: CommandRunner, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.start -= timedelta(days=20)
    many(shop, 101)
    refused = run("replay", "--state", "dead")
    assert refused.exit_code == 1
    assert "Deliver 101 events again? Without a terminal there is no one to ask" in refused.output
    assert "--yes" in refused.output
    monkeypatch.setattr(confirm, "terminal", lambda: True)
    assert run("replay", "--state", "dead", input="n\n").exit_code == 1
    assert set(shop.states().values()) == {"dead"}
    assert "101 events will be delivered again" in run("replay", "--state", "dead", input="y\n").output
    shop.work(at=datetime.now(UTC) + timedelta(days=30))
    assert parsed(run("replay", "--state", "dead", "--yes", "--json"))["replayed"] == 101


def test_replayed_events_become_due_at_the_rate(run: CommandRunner, shop: Shop) -> None:
    shop.start -= timedelta(days=20)
    many(shop, 10)
    result = parsed(run("replay", "--state", "dead", "--rate", "2", "--json"))
    assert result["due_over_seconds"] == 5.0
    due = [row.due_at for row in shop.journal.rows() if row.due_at is not None]
    assert [(at - due[0]).total_seconds() for at in due] == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    shop.work(at=datetime.now(UTC) + timedelta(days=30))
    run("replay", "--state", "dead", "--rate", "0")
    assert len({row.due_at for row in shop.journal.rows()}) == 1
    assert len({line.operation for line in shop.journal.audits()}) == 2


# dead


def test_dead_groups_by_reason_with_hint_and_forecast(run: CommandRunner, filled: Shop, tmp_path: Path) -> None:
    filled.start -= timedelta(hours=1)
    filled.receive(id="torn2", user=["u1"])
    filled.work()
    text = run("dead").stdout
    assert "2 x acme order.paid\n  reason   malformed: $.user is a list, not an id" in text
    assert "not what the provider documents" in text
    assert "with today's code: dead" in text
    assert "segue replay --state dead --source acme --type order.paid --dry-run" in text
    assert "neither userId nor anonymousId" in text
    toml = tmp_path / "segue.toml"
    toml.write_text(toml.read_text().replace('user_id = "user"', 'user_id = "id"'))
    report = parsed(run("dead", "--json"))
    assert report["dead"] == 3
    torn, anonymous = report["groups"]
    assert (torn["count"], torn["example"]["seq"]) == (2, filled.row("torn2").seq)
    assert torn["first_received"] < torn["last_received"]
    assert torn["example"]["today"]["would"] == "send"
    assert anonymous["reason"].startswith("neither userId")
    assert anonymous["example"]["reason"].startswith("acme-order-completed-")
    assert "user_id_keys" in anonymous["hint"]
    assert parsed(run("dead", "--text", "torn2", "--json"))["dead"] == 1


def test_dead_hint_for_an_unreadable_event_names_replay(run: CommandRunner, shop: Shop) -> None:
    shop.receive_unreadable()
    (group,) = parsed(run("dead", "--json"))["groups"]
    assert (group["type"], group["reason"]) == ("(malformed)", "$.type is missing, and it names the event's type")
    assert "A replay reads it with today's code" in group["hint"]
    assert group["example"]["today"] == {
        "would": "dead", "reason": f"malformed: {group['reason']}", "messages": [], "refused": [],
    }  # fmt: skip


def test_dead_without_dead_events(run: CommandRunner, shop: Shop) -> None:
    assert "nothing is dead" in run("dead").stdout
    assert parsed(run("dead", "--json")) == {"dead": 0, "groups": []}


# drop and audit


def test_a_drop_needs_a_reason_and_keeps_it(run: CommandRunner, filled: Shop) -> None:
    assert run("drop", "torn").exit_code == 2
    assert run("drop", "torn", "--reason", " ").exit_code == 1
    assert run("drop", "--reason", "r").exit_code == 1
    assert filled.states()["torn"] == "dead"
    result = run("drop", "torn", "new", "good", "--reason", "test data", "--who", "ann")
    assert result.output == "2 dropped, 1 skipped: delivered or dropped already.\n"
    assert filled.states()["new"] == filled.states()["torn"] == "dropped"
    assert filled.row("new").reason == "test data"
    assert parsed(run("status", "--json"))["by_state"]["dropped"] == 2
    assert parsed(run("drop", "odd", "--reason", "r", "--json"))["dropped"] == 1
    assert "No event" in run("drop", "--source", "stripe", "--reason", "r").stderr


def test_drop_dry_run_shows_the_events(run: CommandRunner, filled: Shop) -> None:
    text = run("drop", "--state", "dead", "--state", "delivered", "--dry-run", "--reason", "r").stdout
    assert "2 would be dropped, 1 skipped. Nothing was changed." in text
    assert "torn" in text
    assert parsed(run("drop", "--state", "dead", "--dry-run", "--reason", "r", "--json")) == {
        "dry_run": True, "would_drop": 2, "left_alone": 0, "seqs": [4, 5],
    }  # fmt: skip
    assert "No event" in run("drop", "--source", "stripe", "--dry-run", "--reason", "r").stderr
    assert filled.states()["torn"] == "dead"


def test_drop_of_over_10_events_asks_for_confirmation(run: CommandRunner, shop: Shop) -> None:
    shop.start -= timedelta(days=20)
    many(shop, 11)
    assert "Drop 11 events, so that they are not delivered?" in run("drop", "--state", "dead", "--reason", "r").output
    assert set(shop.states().values()) == {"dead"}
    assert "11 dropped" in run("drop", "--state", "dead", "--reason", "r", "--yes").output


def test_the_audit_log_is_read(run: CommandRunner, filled: Shop) -> None:
    assert "The audit log is empty" in run("audit").stderr
    run("drop", "torn", "anonymous", "--reason", "first", "--who", "ann")
    run("replay", "torn", "--as-new", "--reason", "second", "--who", "bob")
    lines = run("audit").stdout.splitlines()
    assert "bob" in lines[1]
    assert "replay  1 (acme/torn)" in lines[1]
    assert '{"as_new":true}' in lines[1]
    assert "drop    2" in lines[2]
    log = parsed(run("audit", "--json", "--limit", "1"))
    assert [line["reason"] for line in log["lines"]] == ["second"]
    rest = parsed(run("audit", "--json", "--before", str(log["next"])))
    assert [line["events"] for line in rest["lines"]] == [["acme/torn", "acme/anonymous"]]
    assert rest["next"] is None
    assert "--before" in run("audit", "--limit", "1").stderr
    for id_ in ("anonymous", "acme/anonymous", "5"):
        assert [line["reason"] for line in parsed(run("audit", "--json", "--event", id_))["lines"]] == ["first"]
    assert parsed(run("audit", "--json", "--since", "now"))["lines"] == []


def test_audit_shows_one_line_per_command(run: CommandRunner, shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "STEP", 2)
    shop.start -= timedelta(days=20)
    many(shop, 5)
    run("replay", "--state", "dead", "--rate", "2")
    assert len(shop.journal.audits()) == 3
    lines = run("audit").stdout.splitlines()
    assert len(lines) == 2
    assert "replay  5" in lines[1]


def test_default_actor_is_user_at_host(run: CommandRunner, filled: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(getpass, "getuser", lambda: "op")
    monkeypatch.setattr(socket, "gethostname", lambda: "desk")
    run("drop", "torn", "--reason", "r")

    def unknown_user():
        raise OSError("no user")

    monkeypatch.setattr(getpass, "getuser", unknown_user)
    run("drop", "odd", "--reason", "r")
    assert [line.actor for line in filled.journal.audits()] == ["unknown@desk", "op@desk"]


# prune


def test_prune_deletes_by_state_and_age_and_never_within_three_days(run: CommandRunner, shop: Shop) -> None:
    old = datetime.now(UTC) - timedelta(days=10)
    shop.start = old
    shop.receive(id="old")
    shop.receive(id="old and dead", user=["u1"])
    shop.work(at=old + timedelta(days=1))
    shop.receive(id="waits")
    assert run("prune", "--older-than", "71h").exit_code == 1
    assert run("prune", "--older-than", "soon").exit_code == 1
    assert run("prune", "--state", "pending").exit_code == 2
    dry = parsed(run("prune", "--dry-run", "--json"))
    assert dry["old_enough"] == {"delivered": 1, "ignored": 0, "unsupported": 0, "dead": 0, "dropped": 0}
    assert dry["deleted"] == 0
    assert "Nothing was deleted" in run("prune", "--dry-run").stdout
    assert run("prune").exit_code == 1
    assert len(shop.states()) == 3
    result = run("prune", "--yes", "--who", "ann", "--reason", "disk")
    assert "delivered    7d" in result.stdout
    if run.database.startswith("postgres"):
        assert "0 deleted.\nThe others are deleted with their whole day" in result.stdout
        assert len(shop.states()) == 3
        return
    assert "1 deleted.\n" in result.stdout
    assert shop.states() == {"old and dead": "dead", "waits": "pending"}
    assert parsed(run("prune", "--state", "dead", "--older-than", "73h", "--yes", "--json"))["deleted"] == 1
    assert shop.states() == {"waits": "pending"}
    assert [(line.action, line.reason) for line in shop.journal.audits()] == [
        ("prune", "pruned by hand"), ("prune", "disk"),
    ]  # fmt: skip
    assert parsed(run("prune", "--json"))["deleted"] == 0


# all of them


OWN = ("headers", "envelope", "messages", "detail", "by_source")
"""Members whose own members are a sender's or a source's."""


def members(value):
    if isinstance(value, dict):
        return {*value, *(nested for name, member in value.items() if name not in OWN for nested in members(member))}
    return {name for member in value for name in members(member)} if isinstance(value, list) else set()


def test_docs_list_every_json_member(run: CommandRunner, filled: Shop, tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs/operating.md").read_text()
    listed = set(re.findall(r"[a-z_0-9]+", page))
    run("replay", "torn", "--reason", "r")
    commands = (
        ["events"], ["show", "torn"], ["dead"], ["replay", "quiet", "--dry-run"], ["replay", "quiet"], ["audit"],
        ["drop", "odd", "--reason", "r", "--dry-run"], ["drop", "odd", "--reason", "r"], ["prune"],
        ["export", "a.jsonl"], ["import", "a.jsonl"], ["status"],
    )  # fmt: skip
    for command in commands:
        report = parsed(run(*command, "--json"))
        assert members(report) - listed == set(), command
    exported = json.loads((tmp_path / "a.jsonl").read_text().splitlines()[1])
    assert members(exported) - listed == set()


@pytest.mark.parametrize(
    "arguments",
    [
        ["events"], ["show", "1"], ["dead"], ["replay", "--all", "--dry-run"], ["drop", "1", "--reason", "r"],
        ["tail", "--no-follow"], ["audit"], ["prune", "--dry-run"], ["export", "-"],
    ],
)  # fmt: skip
def test_unusable_journal_is_reported_with_a_hint(run: CommandRunner, tmp_path: Path, arguments) -> None:
    result = run(*arguments, SEGUE_DATABASE=f"sqlite:///{tmp_path}/no/such/folder.db")
    assert result.exit_code == 1
    assert "Error: the journal folder.db cannot be used" in result.stderr
    assert "Traceback" not in result.output


def test_progress_bar_is_shown_on_a_terminal_only(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with confirm.bar("copying", 2) as advance:
        advance(1)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    with confirm.bar("copying", 2) as advance:
        advance(2)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "copying" in shown.err
    assert "2/2" in shown.err


def test_each_phase_of_an_operation_has_a_bar_of_its_own() -> None:
    steps: list[object] = []

    @contextmanager
    def bar(label, length):
        steps.append((label, length))
        try:
            yield steps.append
        finally:
            steps.append("end")

    with pytest.raises(KeyboardInterrupt), confirm.progress_bars(bar) as report:
        copying = progress.begin_phase(report, "copying", 5)
        copying(3)
        copying(2)
        progress.begin_phase(report, "comparing", 5)(4)
        raise KeyboardInterrupt
    assert steps == [("copying", 5), 0, 3, 2, "end", ("comparing", 5), 0, 4, "end"]


# what Segment still recognises


def test_replay_of_events_delivered_over_24_hours_ago_warns(run: CommandRunner, shop: Shop) -> None:
    shop.start -= timedelta(hours=30)
    for key in ("old", "late"):
        shop.receive(id=key)
    shop.work(at=datetime.now(UTC) - timedelta(hours=25))
    shop.receive(id="fresh")
    shop.work()
    for words in (("--all", "--dry-run"), ("--all", "--reason", "a test")):
        result = run("replay", *words)
        assert result.exit_code == 0, result.output
        assert "2 events were delivered more than 24 hours ago" in result.stderr
        assert "their messages are counted once more" in result.stderr


def test_replay_within_24_hours_or_as_new_does_not_warn(run: CommandRunner, shop: Shop) -> None:
    shop.receive(id="fresh")
    shop.work()
    assert "24 hours" not in run("replay", "fresh", "--reason", "a test").stderr
    shop.work()
    shop.start -= timedelta(hours=30)
    shop.receive(id="old")
    shop.work(at=datetime.now(UTC) - timedelta(hours=25))
    result = run("replay", "old", "--as-new", "--json")
    assert "24 hours" not in result.stderr
    assert parsed(result)["beyond_deduplication"] == 0


def test_text_search_reports_its_extent_and_how_to_continue(run: CommandRunner, filled: Shop) -> None:
    first = run("events", "--text", "exploded", "--search", "3")
    assert "Matches: 0. Searched 3 events, back to 20" in first.stderr
    assert "there are more." in first.stderr
    after = first.stderr.split("--after ")[1].split()[0]
    rest = run("events", "--text", "exploded", "--search", "3", "--after", after)
    assert [line.split()[6] for line in rest.stdout.splitlines()[1:]] == ["odd"]
    assert "Matches: 1. Searched 3 events" in rest.stderr
    assert "there are no more." in rest.stderr
    answer = parsed(run("events", "--text", "exploded", "--search", "2", "--json"))
    assert (answer["events"], answer["searched"], bool(answer["next"])) == ([], 2, True)
    assert parsed(run("events", "--json"))["searched"] is None
