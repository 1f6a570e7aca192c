"""docs/configured-sources.md, followed word for word without Python, up to the message at Segment."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.processes import free_port, get, until

PAGE = (Path(__file__).parent.parent.parent / "docs" / "configured-sources.md").read_text()


def blocks(kind: str) -> list[str]:
    return [block.partition("```")[0] for block in PAGE.split(f"```{kind}\n")[1:]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "segue.toml").write_text(blocks("toml")[0])
    (tmp_path / "order.json").write_text(blocks("json")[0])
    return tmp_path


def environment(folder: Path, **more: str) -> dict[str, str]:
    database = f"sqlite:///{folder}/segue.db"
    return {
        "PATH": os.environ["PATH"], "HOME": str(folder), "SEGUE_DATABASE": database, "SEGUE_HOST": "127.0.0.1",
        "WEB_CONCURRENCY": "1", "ACME_WEBHOOK_SECRET": "a-long-random-secret", **more,
    }  # fmt: skip


def run(folder: Path, command: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "webhooks.cli", *command.split()[1:]], cwd=folder, env=environment(folder),
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def receiver(folder: Path) -> Iterator[tuple[int, Path]]:
    port, log = free_port(), folder / "received.jsonl"
    process = subprocess.Popen(
        [sys.executable, "-m", "webhooks.segment.fake", "--port", str(port), "--log", str(log)],
        stdout=subprocess.DEVNULL,
    )
    until(lambda: get(port, "/") == 200, "the receiver")
    yield port, log
    process.terminate()
    process.wait()


def test_docs_commands_deliver_a_message_to_segment(folder: Path, receiver: tuple[int, Path]) -> None:
    commands, waits = ("\n".join(blocks("sh")[place].splitlines()) for place in (0, 1))
    for line in (line.partition("  #")[0].strip() for line in commands.splitlines()):
        if line.startswith(("segue check", "segue translate")):
            run(folder, line)
    at, log = receiver
    port = free_port()
    more = {"SEGMENT_URL": f"http://127.0.0.1:{at}", "SEGMENT_WRITE_KEY": "wk_test", "PORT": str(port)}
    service = subprocess.Popen(
        [sys.executable, "-m", "webhooks.cli", "serve"], cwd=folder, env=environment(folder, **more),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        until(lambda: get(port, "/readyz") == 200, "readiness")
        for line in waits.splitlines():
            run(folder, line.replace("localhost:8000", f"127.0.0.1:{port}"))
        until(lambda: log.exists() and bool(log.read_text()), "the message")
    finally:
        service.terminate()
        service.wait(40)
    (message,) = (json.loads(line) for line in log.read_text().splitlines())
    assert message["event"] == "Order Completed"
    assert message["userId"] == "usr_1"
    assert message["timestamp"] == "2026-03-31T12:00:00.000Z"
    assert message["properties"] == {"order_id": "1001", "revenue": 19.99, "currency": "eur"}
    assert (
        json.loads(run(folder, "segue translate acme order.json --json"))[0]["messages"][0]["event"] == message["event"]
    )


def test_every_example_of_the_page_is_valid(folder: Path) -> None:
    toml = folder / "segue.toml"
    toml.write_text(toml.read_text() + blocks("toml")[1])
    run(folder, "segue check")
    listed = run(folder, "segue catalog acme")
    assert "| `user.saved` | Signed Up |" in listed
    assert "| `order.paid` | Order Completed | `currency`, `order_id`, `revenue` |" in listed


def test_every_fault_of_a_configured_source_is_reported_with_its_path(folder: Path) -> None:
    toml = folder / "segue.toml"
    toml.write_text(toml.read_text().replace("encoding", "encodng").replace("user_id", "user"))
    output = run(folder, "segue check", code=1)
    assert "sources.acme.scheme.encodng is not a setting: did you mean encoding? in segue.toml" in output
    assert "sources.acme.identity.user is not a setting: did you mean user_id? in segue.toml" in output
    assert "2 faults" in output


def test_malformed_payload_is_reported_with_its_path(folder: Path) -> None:
    order = folder / "order.json"
    order.write_text(order.read_text().replace("1999", '"many"'))
    assert "$.data.cents is text, not a whole number" in run(folder, "segue translate acme order.json", code=1)
    order.write_text(order.read_text().replace('"2026-03-31T12:00:00Z"', '"2026-03-31T12:00:00"'))
    assert "naive_times_are_utc" in run(folder, "segue translate acme order.json", code=1)
