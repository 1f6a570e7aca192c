"""`segue demo`: real webhooks go in, and each has the expected result."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from support.processes import until


def demo(folder, *arguments, **more):
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), **more}
    return subprocess.Popen(
        [sys.executable, "-m", "webhooks.cli", "demo", *arguments],
        cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_demo_once_shows_webhooks_with_their_messages(tmp_path: Path) -> None:
    process = demo(tmp_path, "--json", SEGUE_NONSENSE="1", PORT="x", http_proxy="http://127.0.0.1:9")
    out, err = process.communicate(timeout=110)
    assert process.returncode == 0, err + out
    report = json.loads(out)
    assert report["ok"]
    words = [webhook["answer"].get("status") or webhook["answer"]["error"] for webhook in report["webhooks"]]
    ends = [
        webhook["state"] or webhook["answer"].get("error") or webhook["answer"]["status"]
        for webhook in report["webhooks"]
    ]
    assert words.count("duplicate") == 1
    assert {"delivered", "unsupported", "duplicate", "wrong_secret", "body_changed"} == set(ends)
    for webhook in report["webhooks"]:
        assert bool(webhook["messages"]) == (webhook["state"] == "delivered")
        for message in webhook["messages"]:
            assert message["timestamp"] <= webhook["occurred_at"] < webhook["sent_at"]
    assert list(tmp_path.iterdir()) == [], "the demo leaves nothing behind"


def test_demo_serves_until_ctrl_c_and_cleans_up(tmp_path: Path) -> None:
    process = demo(tmp_path)
    children = []
    try:
        until(lambda: bool(process.stdout.readline().startswith("It keeps running")), "the invitation", timeout=110)
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) >= 4
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=40)
    finally:
        process.kill()
    assert process.returncode == 0, out + err
    assert "Traceback" not in err
    assert not psutil.wait_procs(children, timeout=5)[1]
    assert list(tmp_path.iterdir()) == []
