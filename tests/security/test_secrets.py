"""Secrets are never in a repr, response, log, traceback, table, export, or a file that other users can read."""

import ast
import json
import os
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner

from support.events import NOW, event
from support.installed_endpoints import ENDPOINTS_BY_NAME, all_endpoints, call_wsgi, handle, make_handler, sources
from support.memory_journal import MemoryJournal
from support.processes import SECRET, environment
from support.raw_requests import request, web
from webhooks.cli.main import COMMANDS, main
from webhooks.errors import SettingsError
from webhooks.journal import open_journal
from webhooks.journal.encryption import Encryption
from webhooks.runtime import Runtime
from webhooks.segment import Clients
from webhooks.settings import load
from webhooks.settings.schema import ENDPOINT, TABLES
from webhooks.sources import plugins
from webhooks.sources.endpoints import bind

ROOT = Path(__file__).parents[2]
KEY = bytes(range(32)).hex()
VALUES = {
    "SEGMENT_WRITE_KEY": "wk-s3cr3t-1", "SEGUE_GITHUB_WRITE_KEY": "wk-s3cr3t-2", "GITHUB_WEBHOOK_SECRET": "gh-s3cr3t-3",
    "SEGUE_ENCRYPTION_KEY": KEY, "SEGUE_METRICS_TOKEN": "metrics-s3cr3t-token-4",
}  # fmt: skip


def has_secret(text):
    return any(value in text for value in VALUES.values())


def test_repr_shows_no_secret() -> None:
    settings = load(VALUES, sources=sources())
    endpoints = bind(settings, sources())
    clients = Clients(settings.segment)
    objects = [
        settings,
        settings.segment,
        settings.metrics,
        endpoints,
        clients,
        clients.of("wk-s3cr3t-2"),
        Encryption((KEY,)),
    ]
    for value in objects:
        assert not has_secret(repr(value)), type(value)


def test_every_secret_setting_has_repr_false() -> None:
    """A new secret setting must have it too."""
    names = {
        key
        for schema in (*TABLES.values(), ENDPOINT)
        for key, rule in schema.fields.items()
        if rule.metadata.get("secret")
    }
    assert {"write_key", "secrets", "encryption_key"} <= names
    source = ast.parse((ROOT / "webhooks" / "settings" / "model.py").read_text())
    fields = [
        node for node in ast.walk(source) if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) in names
    ]
    assert fields
    for node in fields:
        assert "repr=False" in ast.unparse(node)


@pytest.mark.parametrize("installed", all_endpoints(), ids=lambda installed: installed.name)
def test_responses_show_no_secret_and_every_refusal_has_a_hint(installed) -> None:
    secret = installed.endpoint.secrets[0]
    genuine = installed.request()
    for body in (genuine.body, b"", b"x", genuine.body + b" "):
        response = handle(make_handler(MemoryJournal()), installed.name, replace(genuine, body=body, path_token=""))
        assert secret.encode() not in response.body
        if response.status >= 400:
            assert set(json.loads(response.body)) == {"error", "reason", "hint"}


def test_web_pages_show_no_secret_and_have_nosniff(tmp_path: Path) -> None:
    settings = load({**VALUES, "SEGUE_DATABASE": f"sqlite:///{tmp_path}/j.db"}, sources=sources())
    app = Runtime(settings, plugins.load()).web_service().app
    client = app.test_client()
    rules = {str(rule) for rule in app.url_map.iter_rules()}
    assert "/metrics" in rules
    for rule in rules:
        path = rule.replace("<name>", "github").replace("<path:token>", "x")
        for headers in ({}, {"Authorization": f"Bearer {VALUES['SEGUE_METRICS_TOKEN']}"}):
            response = client.get(path, headers=headers)
            assert not has_secret(response.text), path
            assert response.headers["X-Content-Type-Options"] == "nosniff"
    app.extensions["segue"].journal.close()


def test_unexpected_error_shows_the_sender_no_details(tmp_path: Path) -> None:
    class BrokenJournal(MemoryJournal):
        def append(self, *_, **__):
            raise RuntimeError("postgres://user:s3cr3t-pass@host/db")

    installed = ENDPOINTS_BY_NAME["github"]
    handler = make_handler(BrokenJournal())
    status, _, body = call_wsgi(handler, "/webhooks/github", installed.request())
    assert status == 500
    assert b"s3cr3t" not in body
    assert b"Traceback" not in body


KEPT = {"authorization", "cookie", "proxy-authorization", "x-api-key"}


@pytest.mark.parametrize("installed", all_endpoints(), ids=lambda installed: installed.name)
def test_signature_and_token_headers_are_not_stored(installed) -> None:
    scheme = installed.endpoint.scheme
    proof = {getattr(scheme, name, None) or "" for name in ("header", "name")} | {
        f"{prefix}-signature" for prefix in getattr(scheme, "prefixes", ())
    }
    assert not installed.source.keep_headers & (KEPT | {name.lower() for name in proof})
    genuine = installed.request()
    noisy = replace(genuine, headers={**genuine.headers, "cookie": "s=s3cr3t", "x-api-key": "s3cr3t"})
    delivery = installed.endpoint.delivery(noisy, received_at=NOW)
    for stored in installed.endpoint.runtime.events(delivery, trust="verified"):
        assert set(stored.headers) <= installed.source.keep_headers
        assert "s3cr3t" not in json.dumps([dict(stored.headers), dict(stored.envelope)])


def test_session_id_of_an_outbound_message_is_not_stored() -> None:
    installed = ENDPOINTS_BY_NAME["salesforce_token"]
    journal = MemoryJournal()
    golden = next(golden for golden in installed.goldens if b"SessionId" in golden.body)
    session = golden.body.partition(b"<SessionId>")[2].partition(b"</SessionId>")[0]
    body = golden.body.replace(session, b"00D!live-session") if session else golden.body.replace(
        b"<SessionId/>", b"<SessionId>00D!live-session</SessionId>"
    )  # fmt: skip
    if b"live-session" not in body:
        body = body.replace(b'<SessionId xsi:nil="true"/>', b"<SessionId>00D!live-session</SessionId>")
    assert b"live-session" in body
    handle(make_handler(journal), installed.name, installed.request(body=body))
    assert journal.rows()
    assert "live-session" not in repr(journal.rows())


@pytest.mark.parametrize(
    "command", [name for name in COMMANDS if name not in {"serve", "web", "work", "demo", "new-source", "tail"}]
)
def test_commands_print_no_secret(command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environ = {**environment(tmp_path), **VALUES}
    journal = open_journal(environ["SEGUE_DATABASE"], (KEY,))
    journal.append([event("1")], now=NOW)
    journal.close()
    for arguments in ([command], [command, "--json"], [command, "--help"], [command, "acme"], [command, "github"]):
        result = CliRunner(env=environ).invoke(main, arguments)
        assert not has_secret(result.output), arguments
        assert SECRET not in result.output, arguments


def test_settings_errors_show_no_values() -> None:
    wrong = {
        **VALUES,
        "GITHUB_WEBHOOK_SECRET": "gh s3cr3t \x00",
        "SEGMENT_WRITE_KEY": "wk s3cr3t",
        "SEGUE_ENCRYPTION_KEY": "s3cr3t",
    }
    with pytest.raises(SettingsError) as refused:
        load(wrong, sources=sources())
    assert "s3cr3t" not in str(refused.value) + refused.value.hint


def modes(folder):
    return {
        path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir() if path.name.startswith("segue.db")
    }


def test_journal_files_are_readable_by_their_owner_only(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        journal = open_journal(f"sqlite:///{tmp_path}/segue.db")
        journal.append([event("1")], now=NOW)
        assert set(modes(tmp_path).values()) == {0o600}
        assert {"segue.db", "segue.db-wal", "segue.db.lock"} <= set(modes(tmp_path))
        journal.close()
    finally:
        os.umask(before)


def test_file_mode_is_kept_and_check_warns_of_a_public_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    environ = environment(tmp_path)
    open_journal(environ["SEGUE_DATABASE"]).close()
    for mode, warns in ((0o660, False), (0o644, True)):
        (tmp_path / "segue.db").chmod(mode)
        output = CliRunner(env=environ).invoke(main, ["check"]).output
        assert ("every user of this machine can open" in output) is warns
        assert stat.S_IMODE((tmp_path / "segue.db").stat().st_mode) == mode


def test_real_service_writes_no_secret_to_files_or_output(tmp_path: Path) -> None:
    with web(tmp_path, SEGUE_LOG_LEVEL="debug", **VALUES) as wire:
        wire.send(request())
        wire.send(request(signed=False))
        wire.send(request(body=b"not json"))
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        assert not any(value.encode() in data for value in VALUES.values()), path
        assert path.name == "segue.toml" or SECRET.encode() not in data, path
