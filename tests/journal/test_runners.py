"""Commits that block, in plain threads and under gevent."""

import subprocess
import sys

SCRIPT = """
from gevent import monkey
monkey.patch_all()
import sys
import gevent
from webhooks.journal.runners import runner

class Full:
    def write(self, text):
        raise OSError(27, "File too large")
    flush = write

def fail():
    raise OSError("no space")

run = runner()
stderr, sys.stderr = sys.stderr, Full()
with gevent.Timeout(20):
    try:
        run(fail)
    except OSError as error:
        first = str(error)
    second = run(lambda word: word, "goes on")
sys.stderr = stderr
print(first, "|", second)
"""


def test_under_gevent_a_failed_commit_ends_no_thread_if_stderr_is_full() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout == "no space | goes on\n", done.stderr
