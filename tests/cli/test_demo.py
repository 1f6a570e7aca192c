"""The front door: everything starts, real webhooks go in, and every one ends as it should."""

import json
import os
import signal
import subprocess
import sys

import psutil

from running import until


def demo(folder, *arguments, **more):
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "TMPDIR": str(folder), **more}
    return subprocess.Popen(
        [sys.executable, "-m", "webhooks.cli", "demo", *arguments],
        cwd=folder, env=environ, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_the_demo_shows_webhooks_beside_their_messages_and_ends_by_itself(tmp_path):
    process = demo(tmp_path, "--json", SEGUE_NONSENSE="1", PORT="x", http_proxy="http://127.0.0.1:9")
    out, err = process.communicate(timeout=110)
    assert process.returncode == 0, err + out
    told = json.loads(out)
    assert told["ok"]
    words = [each["answer"].get("status") or each["answer"]["error"] for each in told["webhooks"]]
    ends = [each["state"] or each["answer"].get("error") or each["answer"]["status"] for each in told["webhooks"]]
    assert words.count("duplicate") == 1
    assert {"delivered", "unsupported", "duplicate", "wrong_secret", "body_changed"} == set(ends)
    for each in told["webhooks"]:
        assert bool(each["messages"]) == (each["state"] == "delivered")
        for message in each["messages"]:
            assert message["timestamp"] <= each["occurred_at"] < each["sent_at"]
    assert list(tmp_path.iterdir()) == [], "the demo leaves nothing behind"


def test_the_demo_keeps_serving_until_ctrl_c_and_cleans_up(tmp_path):
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
