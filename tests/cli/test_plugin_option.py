"""`--plugin FILE`: a source that is not installed, in every command and its processes."""

import json
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import click
import pytest

from support.commands import CommandRunner
from support.plugin_files import BODY, SECRET, text
from support.processes import environment, free_port, get, output, segue, until
from webhooks.cli.main import WITH_PLUGINS, main
from webhooks.cli.plugin_option import plugin_option
from webhooks.journal import open_existing


@pytest.fixture
def file(tmp_path: Path):
    path = tmp_path / "filed.py"
    path.write_text(text())
    return path


def test_translate_shows_the_messages_of_a_file(run: CommandRunner, file) -> None:
    done = run("translate", "--plugin", "./filed.py", "filed", "-", "--json", input=BODY)
    assert done.exit_code == 0, done.output
    (message,) = json.loads(done.output)[0]["messages"]
    assert (message["event"], message["properties"], message["userId"]) == ("File Read", {"size": 3}, "u1")
    assert message["timestamp"] == "2026-03-31T12:00:00.000Z"


def test_several_files_are_loaded_and_listed_with_their_path(run: CommandRunner, file, tmp_path: Path) -> None:
    (tmp_path / "more" / "crm_in_files").mkdir(parents=True)
    (tmp_path / "more" / "crm_in_files" / "__init__.py").write_text(text("crm"))
    both = ("--plugin", "filed.py", "--plugin", str(tmp_path / "more" / "crm_in_files"))
    entries = {entry["name"]: entry for entry in json.loads(run("sources", "--json", *both).output)["sources"]}
    assert (entries["filed"]["file"], entries["filed"]["distribution"]) == (str(file), "")
    assert (entries["stripe"]["file"], entries["stripe"]["distribution"]) == ("", "segue")
    listed = run("sources", *both).output
    assert "./filed.py" in listed
    assert "./more/crm_in_files" in listed
    assert "(filed, ./filed.py)" in run("sources", "filed", *both).output


def test_a_file_outside_of_the_folder_is_listed_with_its_whole_path(
    run: CommandRunner, file, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    assert f"(filed, {file})" in run("sources", "filed", "--plugin", "../filed.py").output


def test_the_variable_names_files_for_every_command_and_the_option_counts_instead(
    run: CommandRunner, file, tmp_path: Path
) -> None:
    (tmp_path / "other.py").write_text(text("other"))
    assert run("sources", "filed", SEGUE_PLUGINS="filed.py").exit_code == 0
    assert run("status", SEGUE_PLUGINS="none.py").output.startswith(f"Error: There is no file {tmp_path}/none.py.")
    assert run("sources", "filed", "--plugin", "other.py", SEGUE_PLUGINS="filed.py").exit_code == 1


def test_its_endpoint_is_configured_as_that_of_an_installed_source(run: CommandRunner, file, tmp_path: Path) -> None:
    checked = run("check", "--plugin", "filed.py", FILED_WEBHOOK_SECRET=SECRET)
    assert "/webhooks/filed is open" in checked.output
    assert f"source filed is loaded from {file}, which is not installed" in checked.output
    assert "FILED_WEBHOOK_SECRET" in run("check", FILED_WEBHOOK_SECRET=SECRET).output, "unknown without the file"
    with (tmp_path / "segue.toml").open("a") as toml:
        toml.write('\n[endpoints.filed_test]\nsource = "filed"\nsecrets = ["a_secret_of_the_test"]\n')
    assert "/webhooks/filed_test is open" in run("check", "--plugin", "filed.py").output


def test_a_file_works_if_the_settings_are_wrong_in_commands_that_only_read_payloads(run: CommandRunner, file) -> None:
    done = run("translate", "filed", "-", "--plugin", "filed.py", input=BODY, PORT="none")
    assert done.exit_code == 0, done.output
    assert "File Read" in done.output


@pytest.mark.parametrize("command", ["translate filed -", "check", "sources", "web", "serve", "work", "catalog"])
def test_a_file_that_does_not_load_is_an_error_with_traceback_and_hint(run: CommandRunner, file, command) -> None:
    file.write_text("import segue\n1 / 0\n")
    done = run(*command.split(), "--plugin", "filed.py", input=BODY)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {file} does not load:\nTraceback (most recent call last):\n")
    assert f'File "{file}", line 2, in <module>' in done.output
    assert "plugins.py" not in done.output
    assert done.output.endswith("ZeroDivisionError: division by zero\nChange the file and try again.\n")


def test_a_name_of_an_installed_source_is_refused(run: CommandRunner, file) -> None:
    file.write_text(text("stripe"))
    done = run("sources", "--plugin", "filed.py")
    assert done.exit_code == 1
    assert "has a source called 'stripe', which is installed already (segue " in done.output


def test_catalog_and_trigger_read_what_a_package_brings(run: CommandRunner, tmp_path: Path) -> None:
    package = tmp_path / "filed_in_files"
    (package / "golden").mkdir(parents=True)
    (package / "__init__.py").write_text(text())
    (package / "golden" / "file.read.json").write_bytes(BODY)
    plugin = ("--plugin", "filed_in_files")
    files = ("--update", str(package / "catalog.json"), "--samples", str(package / "samples.json"))
    written = run("catalog", "filed", "--goldens", str(package / "golden"), *files, *plugin)
    assert written.exit_code == 0, written.output
    assert "| `file.read` | File Read |" in run("catalog", "filed", *plugin).output
    assert json.loads(run("trigger", "filed", "--json", *plugin).output) == ["file.read"]


def test_every_command_that_takes_a_source_has_the_option_once() -> None:
    context = click.Context(main)
    for name in main.list_commands(context):
        command = main.get_command(context, name)
        assert command is not None
        parameters = [parameter.name for parameter in command.params]
        assert parameters.count("plugin") == (name in WITH_PLUGINS), name
        completes = {
            parameter._custom_shell_complete.__name__
            for parameter in command.params
            if parameter._custom_shell_complete
        }
        assert name in WITH_PLUGINS or not completes & {"source_names", "endpoint_names"}, name
    web = main.get_command(context, "web")
    assert web is not None
    help = plugin_option().help
    assert help is not None
    assert help in web.get_help(context).replace("\n" + " " * 18, " ")


def send(folder, port):
    """Send the body, signed, and return the response."""
    (folder / "body.json").write_bytes(BODY)
    command = [
        *(sys.executable, "-m", "webhooks.cli", "send", "filed", "body.json", "--to", f"http://127.0.0.1:{port}"),
        *("--json", "--plugin", "filed.py"),
    ]
    environ = environment(folder, FILED_WEBHOOK_SECRET=SECRET)
    done = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_web_stores_signed_webhooks_of_a_file_and_sighup_loads_a_changed_one(file, tmp_path: Path) -> None:
    port = free_port()
    environ = {"PORT": str(port), "FILED_WEBHOOK_SECRET": SECRET, "WEB_CONCURRENCY": "2"}
    with segue(tmp_path, "web", "--plugin", "./filed.py", **environ) as service:
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        answer = send(tmp_path, port)
        assert (answer["status"], answer["answer"]["status"]) == (200, "accepted"), answer
        file.write_text(text().replace('item.body.id("id")', 'item.body.id("id") + "_changed"'))
        service.send_signal(signal.SIGHUP)

        def changed() -> bool:
            with closing(open_existing(f"sqlite:///{tmp_path}/segue.db", ())) as journal:
                return {row.event.id for row in journal.rows(limit=10)} == {"f1", "f1_changed"}

        until(lambda: send(tmp_path, port) and changed(), lambda: output(tmp_path))


def test_serve_delivers_the_events_of_a_file(file, tmp_path: Path, receiver) -> None:
    environ, got = receiver
    port = free_port()
    settings = {"PORT": str(port), "FILED_WEBHOOK_SECRET": SECRET, **environ}
    with segue(tmp_path, "serve", "--plugin", "filed.py", **settings):
        until(lambda: get(port, "/readyz") == 200, lambda: output(tmp_path))
        assert send(tmp_path, port)["status"] == 200
        until(lambda: len(got()) == 1, lambda: f"the message: {output(tmp_path)}")
    assert got()[0]["event"] == "File Read"


def test_translate_names_the_messages_that_segment_would_drop(tmp_path: Path, run: CommandRunner) -> None:
    """A first plugin often has no identity yet: its messages look right, and Segment would drop them unseen."""
    plugin, body = tmp_path / "acme.py", tmp_path / "order.json"
    plugin.write_text(
        "from translators.kit import HmacBody, Source\n"
        "acme = Source('acme', scheme=HmacBody(header='X-Sig'))\n"
        "acme.head_at(id='id', type='type', occurred_at='at:iso')\n"
        "acme.tracks({'order.paid': 'Order Completed'})(lambda event: {})\n"
    )
    body.write_text('{"id": "e1", "type": "order.paid", "at": "2026-11-28T10:00:00Z"}')
    result = run("translate", "--plugin", str(plugin), "acme", str(body))
    assert result.exit_code == 1
    assert "Segment would drop acme-order-completed-" in result.output
    assert "neither userId nor anonymousId" in result.output
    (entry,) = json.loads(run("translate", "--plugin", str(plugin), "acme", str(body), "--json").output)
    assert entry["outcome"] == "translated"
    assert entry["refused"][0]["message_id"] == entry["messages"][0]["messageId"]
