"""Processes of a measurement are counted as a tree, and all of them end."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bench.processes import CommandError, ProcessTree, free_port, running, uninterrupted

ROOT = Path(__file__).parents[2]
PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import signal, time; {child}print('child', flush=True); time.sleep(60)"])
time.sleep(60)
"""
IGNORES = "signal.signal(signal.SIGTERM, signal.SIG_IGN); "


def python(code):
    return [sys.executable, "-c", code]


def family(tree, members=2):
    """Return the tree's processes, when there are so many and the child is ready."""
    end = time.monotonic() + 20
    while time.monotonic() < end:
        processes = tree._tree()
        if len(processes) == members and tree.output:
            return processes
        time.sleep(0.02)
    raise AssertionError(f"{len(tree._tree())} processes: {tree.output}")


def alive(processes):
    return [process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE]


def ended(processes):
    end = time.monotonic() + 20
    while alive(processes) and time.monotonic() < end:
        time.sleep(0.02)
    return alive(processes) == []


@pytest.mark.parametrize("child", ["", IGNORES], ids=["child ends with its parent's group", "child ignores SIGTERM"])
def test_the_whole_tree_ends_with_its_block(tmp_path, child):
    with running(python(PARENT.format(child=child)), folder=tmp_path) as tree:
        processes = family(tree)
    assert ended(processes)


def test_the_tree_ends_after_an_error(tmp_path):
    with pytest.raises(KeyboardInterrupt), running(python(PARENT.format(child="")), folder=tmp_path) as tree:
        processes = family(tree)
        raise KeyboardInterrupt
    assert ended(processes)


def test_a_process_that_ignores_sigterm_is_killed(tmp_path, monkeypatch):
    monkeypatch.setattr("bench.processes.TERMINATION", 0.2)
    code = f"import signal, time; {IGNORES}print('ready', flush=True); time.sleep(60)"
    with running(python(code), folder=tmp_path) as tree:
        assert tree.wait_for_line() == "ready"
        processes = family(tree, 1)
    assert ended(processes)


def test_processor_time_is_of_the_whole_tree(tmp_path):
    busy = "import time\nwhile time.process_time() < 0.3: pass\nprint('done', flush=True); time.sleep(60)"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {busy!r}])"
    with running(python(code), folder=tmp_path) as tree:
        assert tree.wait_for_line() == "done"
        assert tree.cpu_seconds() >= 0.3


@pytest.mark.skipif(not shutil.which("strace"), reason="strace is not installed")
def test_fsyncs_are_counted_and_the_traced_process_ends(tmp_path):
    code = (
        "import os, signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: (print('ended well', flush=True), os._exit(0)))\n"
        "file = os.open('f', os.O_CREAT | os.O_WRONLY)\n"
        "for _ in range(3): os.fsync(file); os.fdatasync(file)\n"
        "print('done', flush=True); time.sleep(60)"
    )
    with running(python(code), folder=tmp_path, trace=True) as tree:
        assert tree.wait_for_line() == "done"
        assert tree.fsyncs == 6
        processes = tree._tree()
    assert "ended well" in tree.output
    assert ended(processes)


def test_without_a_trace_no_fsyncs_are_counted(tmp_path):
    tree = ProcessTree(python("import os; os.sync()"), folder=tmp_path)
    tree.wait_for_end()
    assert tree.fsyncs == 0
    tree.stop()


def test_a_process_that_ends_early_is_an_error_with_its_output(tmp_path):
    with running(python("import sys; sys.exit('no such setting')"), folder=tmp_path) as tree:
        with pytest.raises(CommandError, match="ended with 1: no such setting"):
            tree.wait_for_port(free_port())
        with pytest.raises(CommandError, match="no such setting"):
            tree.wait_for_end()


def test_a_process_that_does_not_listen_or_write_is_an_error(tmp_path):
    with running(python("import time; time.sleep(60)"), folder=tmp_path) as tree:
        with pytest.raises(CommandError, match="did not listen"):
            tree.wait_for_port(free_port(), 0.2)
        with pytest.raises(CommandError, match="wrote no line"):
            tree.wait_for_line(0.2)


def test_a_server_is_waited_for(tmp_path):
    port = free_port()
    with running([sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"], folder=tmp_path) as tree:
        tree.wait_for_port(port)
        tree.require_running()


def test_a_second_interrupt_does_not_end_the_cleanup():
    before = signal.getsignal(signal.SIGINT)
    with uninterrupted():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.01)
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_benchmark_ends_every_process_and_writes_nothing(tmp_path, number):
    command = [sys.executable, "-m", "bench", "--only", "ingest", "--rows", "Segue", "--no-install", "--seconds", "30"]
    command += ["--postgres", "", "--out", str(tmp_path / "out")]
    process = subprocess.Popen(
        command, cwd=ROOT, stderr=subprocess.PIPE, text=True, env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    root, end = psutil.Process(process.pid), time.monotonic() + 60
    processes: list[psutil.Process] = []
    while len(processes) < 3 and time.monotonic() < end:  # gunicorn and its two workers
        time.sleep(0.1)
        processes = root.children(recursive=True)
    assert len(processes) >= 3
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "nothing was written" in errors
    assert ended(processes)
    assert list(tmp_path.iterdir()) == []
