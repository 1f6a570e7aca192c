"""Text from senders in logs and on the operator's terminal."""

import io
import json
import logging
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from support.processes import SECRET
from support.raw_requests import request, web
from webhooks.cli import output
from webhooks.errors import SettingsError
from webhooks.logs import JsonFormatter

FORGED = (
    'x\n{"at": "2026", "level": "info", "message": "all is well"}\r\n\x1b[2J\x1b]0;title\x07\x9b31m\u2028\u202e\x7f\x00'
)


def logged(message, name="webhooks.web.handler", **extra):
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger(name)
    logger.addHandler(handler)
    logger.propagate, before = False, logger.propagate  # pytest's own capture cannot hold half a surrogate pair
    try:
        logger.warning(message, extra=extra)
    finally:
        logger.removeHandler(handler)
        logger.propagate = before
    return stream.getvalue()


def test_forged_log_line_stays_on_one_line() -> None:
    text = logged(FORGED, endpoint=FORGED)
    assert text.count("\n") == 1
    entry = json.loads(text)
    assert entry["message"] == entry["endpoint"] == FORGED


def test_log_has_no_terminal_control_characters() -> None:
    text = logged(FORGED, endpoint=FORGED).removesuffix("\n")
    assert [c for c in text if not c.isprintable()] == []


def test_lone_surrogate_is_logged_as_one_line() -> None:
    assert json.loads(logged("bad \ud800 text", endpoint="\udfff"))["endpoint"] == "\udfff"


def test_traceback_with_foreign_text_is_one_line() -> None:
    stream = io.StringIO()
    try:
        int(FORGED)
    except ValueError:
        record = logging.LogRecord("x", logging.ERROR, "", 1, "failed", (), sys.exc_info())
        stream.write(JsonFormatter().format(record))
    assert "\n" not in stream.getvalue()
    assert json.loads(stream.getvalue())["traceback"].startswith("Traceback")


@pytest.mark.parametrize(
    "message",
    [
        "Error handling request /webhooks/salesforce/s3cr3t-token",
        "Invalid request from ip=1.2.3.4: Invalid HTTP request line: 'POST /webhooks/salesforce/s3cr3t-token?x=1 HTTP/9'",
        "Error handling request /webhooks/freshdesk?token=s3cr3t-token",
    ],
)
def test_token_in_a_path_quoted_by_gunicorn_is_masked(message) -> None:
    text = logged(message, name="gunicorn.error")
    assert "s3cr3t" not in text


def test_real_server_never_logs_a_token_or_secret(tmp_path: Path) -> None:
    with web(tmp_path, SEGUE_LOG_LEVEL="debug") as wire:
        for data in (
            request(path=b"/webhooks/acme/t0ken-in-path"),
            request(path=b"/webhooks/acme?token=t0ken-in-path", signed=False),
            request(path=b"/webhooks/acme/t0ken-in-path").replace(b"HTTP/1.1", b"HTTP/7.7", 1),
            request(b"bad header t0ken-in-path", path=b"/webhooks/acme/t0ken-in-path"),
            request(b"Authorization: Basic t0ken-in-path", b"X-Evil: \x1b[2J", body=b"{}"),
            request(path=b"/webhooks/acme/t0ken-in-path")[:-20],
        ):
            wire.send(data)
        lines = wire.log()
    text = (tmp_path / "output.txt").read_text()
    assert len(lines) > 3
    assert "t0ken" not in text
    assert SECRET not in text
    assert "\x1b" not in text


def printed(work):
    @click.command()
    def command():
        work()

    result = CliRunner().invoke(command, color=True)
    return result.output + (result.stderr if result.stderr_bytes else "")


@pytest.mark.parametrize(
    "work",
    [
        lambda: output.print_columns([[FORGED, "b"]], heading=["a", "b"]),
        lambda: output.good(FORGED),
        lambda: output.warn(FORGED),
        lambda: output.bad(FORGED),
        lambda: output.print_json({"type": FORGED}),
        lambda: (_ for _ in ()).throw(output.fail(FORGED, "hint")),
        lambda: (_ for _ in ()).throw(output.Failure(SettingsError([FORGED]))),
    ],
    ids=["columns", "good", "warn", "bad", "json", "failure", "settings"],
)
def test_cli_output_escapes_control_characters_of_senders(work) -> None:
    text = printed(work)
    for allowed in ("\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[0m", "\x1b[1m", "\x1b[22m"):
        text = text.replace(allowed, "")
    assert not any(c in text for c in "\x1b\x07\x9b\x7f\x00\u2028\u202e\r")
