"""The service as real processes: serve, web, work, send, and how they end."""

import contextlib
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from support.processes import EVENT, SECRET, environment, free_port, get, output, segue, until
from webhooks.cli.supervisor import Supervisor


def send(folder, port, *more, name="event.json", body=EVENT):
    (folder / name).write_bytes(body)
    command = [
        sys.executable,
        "-m",
        "webhooks.cli",
        "send",
        "acme",
        name,
        "--to",
        f"http://127.0.0.1:{port}",
        "--json",
        *more,
    ]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    return done.returncode, json.loads(done.stdout)


def ready(port, folder):
    until(lambda: get(port, "/readyz") == 200, lambda: f"readiness: {output(folder)}")


def test_serve_accepts_delivers_and_stops_on_sigterm(tmp_path: Path, receiver) -> None:
    environ, got = receiver
    port = free_port()
    with segue(tmp_path, "serve", PORT=str(port), **environ) as service:
        ready(port, tmp_path)
        code, answer = send(tmp_path, port)
        assert (code, answer["answer"]["status"]) == (0, "accepted")
        assert send(tmp_path, port)[1]["answer"]["status"] == "duplicate"
        code, answer = send(tmp_path, port, "--tamper")
        assert (code, answer["status"], answer["answer"]["error"]) == (1, 401, "wrong_secret")
        until(lambda: len(got()) == 1, "the message")
        assert got()[0]["timestamp"] == "2026-03-31T12:00:00.000Z"
        until(lambda: "Segue listens on" in output(tmp_path), "the banner")
        children = psutil.Process(service.pid).children(recursive=True)
        service.send_signal(signal.SIGTERM)
        assert service.wait(25) == 0
        assert not psutil.wait_procs(children, timeout=5)[1]
    assert get(port, "/healthz") == 0
    text = output(tmp_path)
    assert f"open   http://127.0.0.1:{port}/webhooks/acme" in text
    assert SECRET not in text
    assert "wk_test" not in text


def test_serve_restarts_a_killed_child_without_loss(tmp_path: Path, receiver) -> None:
    environ, got = receiver
    port = free_port()
    with segue(tmp_path, "serve", PORT=str(port), **environ) as service:
        ready(port, tmp_path)
        before = {child.pid for child in psutil.Process(service.pid).children()}
        for child in psutil.Process(service.pid).children():
            child.kill()
        until(
            lambda: len({child.pid for child in psutil.Process(service.pid).children()} - before) == 2,
            lambda: f"new children: {output(tmp_path)}",
        )
        ready(port, tmp_path)
        assert send(tmp_path, port)[0] == 0
        until(lambda: len(got()) == 1, lambda: f"the message: {output(tmp_path)}")
        assert output(tmp_path).count("ended unexpectedly") == 2


def test_children_end_if_serve_is_killed(tmp_path: Path, receiver) -> None:
    port = free_port()
    with segue(tmp_path, "serve", PORT=str(port), **receiver[0]) as service:
        ready(port, tmp_path)
        children = psutil.Process(service.pid).children(recursive=True)
        service.kill()
        assert not psutil.wait_procs(children, timeout=25)[1]


def test_ctrl_c_stops_serve_gracefully(tmp_path: Path, receiver) -> None:
    port = free_port()
    with segue(tmp_path, "serve", PORT=str(port), **receiver[0]) as service:
        ready(port, tmp_path)
        service.send_signal(signal.SIGINT)
        assert service.wait(25) == 0
    assert "Traceback" not in output(tmp_path)


def test_web_and_work_as_separate_processes(tmp_path: Path, receiver) -> None:
    environ, got = receiver
    port = free_port()
    with segue(tmp_path, "web", PORT=str(port)) as web:
        ready(port, tmp_path)
        assert send(tmp_path, port)[0] == 0
        with segue(tmp_path, "work", **environ) as worker:
            until(lambda: len(got()) == 1, lambda: f"the message: {output(tmp_path)}")
            worker.send_signal(signal.SIGTERM)
            assert worker.wait(25) == 0
        web.send_signal(signal.SIGTERM)
        assert web.wait(25) == 0


def test_many_machines_share_one_postgresql(tmp_path: Path, receiver, postgres_url: str) -> None:
    """Two web servers and two workers, each in its own folder; the provider sends the same event to both servers."""
    environ, got = receiver
    environ = environ | {"SEGUE_DATABASE": "", "DATABASE_URL": postgres_url}
    folders = [tmp_path / "one", tmp_path / "two"]
    ports = [free_port(), free_port()]
    with contextlib.ExitStack() as stack:
        for folder, port in zip(folders, ports, strict=True):
            folder.mkdir()
            stack.enter_context(segue(folder, "serve", PORT=str(port), **environ))
        for folder, port in zip(folders, ports, strict=True):
            ready(port, folder)
        answers = []
        for number in range(6):
            body = EVENT.replace(b"evt_1", b"evt_%d" % number)
            for folder, port in zip(folders, ports, strict=True):
                answers.append(send(folder, port, body=body)[1]["answer"]["status"])
        assert answers == ["accepted", "duplicate"] * 6
        until(lambda: len(got()) == 6, lambda: f"the messages: {[output(folder) for folder in folders]}")
        status = subprocess.run(
            [sys.executable, "-m", "webhooks.cli", "status", "--json"],
            cwd=tmp_path, env=environment(tmp_path, **environ), capture_output=True, text=True, check=True,
        )  # fmt: skip
    report = json.loads(status.stdout)
    assert len(report["workers"]) == 2
    assert len({message["messageId"] for message in got()}) == 6
    assert got()[0]["timestamp"] == "2026-03-31T12:00:00.000Z"
    password = postgres_url.rpartition("@")[0].rpartition(":")[2]
    for text in (status.stdout, *map(output, folders)):
        assert password not in text
        assert "Traceback" not in text


@pytest.mark.parametrize("command", ["serve", "web"])
def test_port_in_use_is_reported_at_once_with_a_hint(tmp_path: Path, command) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with segue(tmp_path, command, PORT=str(port), SEGMENT_WRITE_KEY="wk_test") as service:
            assert service.wait(30) == 1
    assert f"Port {port} is in use by another program." in output(tmp_path)
    assert "such as PORT=" in output(tmp_path)


def supervised(tmp_path, commands, *, grace, ready=""):
    """Run a supervisor in a process of its own, since it owns the signals."""
    code = (
        "import sys; from webhooks.cli.supervisor import Supervisor\n"
        f"s = Supervisor({commands!r}, grace={grace}, backoff=0.1, log_event=lambda m, f: print(m, f, flush=True))\n"
        f"s.has_started({ready!r})\n"
        "sys.exit(s.run())"
    )
    with (tmp_path / "output.txt").open("w") as out:
        return subprocess.Popen([sys.executable, "-c", code], stdout=out, stderr=out, start_new_session=True)


def test_child_is_killed_after_the_grace_period(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    process = supervised(tmp_path, {"stubborn": [sys.executable, "-c", stubborn]}, grace=0.3)
    until(lambda: "up" in output(tmp_path), "the child")
    (child,) = psutil.Process(process.pid).children()
    process.terminate()
    assert process.wait(20) == 1
    assert not child.is_running()
    assert "killed" in output(tmp_path)


def test_crashed_child_restarts_with_growing_pauses(tmp_path: Path) -> None:
    process = supervised(
        tmp_path, {"crashing": [sys.executable, "-c", "raise SystemExit(3)"]}, grace=5, ready="crashing"
    )
    until(lambda: output(tmp_path).count("ended unexpectedly") >= 4, "four crashes")
    process.terminate()
    assert process.wait(20) == 0
    pauses = [
        line.partition("restart_in': ")[2].rstrip("}\n") for line in output(tmp_path).splitlines() if "unexp" in line
    ]
    assert pauses[:4] == ["0.1", "0.2", "0.4", "0.8"]


def test_supervisor_stops_if_a_child_cannot_start(tmp_path: Path) -> None:
    up = [sys.executable, "-c", "import os, time; print('up', os.getpid(), flush=True); time.sleep(600)"]
    process = supervised(tmp_path, {"up": up, "broken": [sys.executable, "-c", "raise SystemExit(3)"]}, grace=5)
    until(lambda: "up " in output(tmp_path), "the other child")
    other = psutil.Process(int(output(tmp_path).partition("up ")[2].split()[0]))
    assert process.wait(30) == 1
    assert not other.is_running()
    assert output(tmp_path).count("ended unexpectedly") == 2
    assert "cannot start {'child': 'broken', 'code': 3, 'tries': 3}" in output(tmp_path)


@pytest.mark.parametrize("command", ["serve", "web"])
def test_a_worker_class_that_cannot_be_imported_ends_the_command(tmp_path: Path, command) -> None:
    """As gunicorn 27 without `packaging`."""
    (tmp_path / "packaging").mkdir()
    (tmp_path / "packaging" / "__init__.py").write_text("raise ImportError(\"No module named 'packaging'\")")
    with segue(
        tmp_path, command, PYTHONPATH=str(tmp_path), SEGMENT_WRITE_KEY="wk_test", PORT=str(free_port())
    ) as service:
        assert service.wait(30) == 1
    assert "worker class gevent cannot be imported: No module named 'packaging'." in output(tmp_path)
    assert "pip install" in output(tmp_path)
    assert "Traceback" not in output(tmp_path)


@pytest.mark.parametrize(("command", "module"), [("work", "webhooks.deliver"), ("web", "flask")])
def test_serve_gives_up_on_a_process_that_cannot_start(tmp_path: Path, receiver, command, module) -> None:
    """The cause is one that nothing asked before: a module is missing, in web's case after gunicorn listens."""
    (tmp_path / "sitecustomize.py").write_text(
        f"import sys\nif {command!r} in sys.argv or any('gunicorn' in each for each in sys.orig_argv):\n"
        f"    sys.modules[{module!r}] = None\n"
    )
    with segue(tmp_path, "serve", PYTHONPATH=str(tmp_path), PORT=str(free_port()), **receiver[0]) as service:
        children = []

        def found_children():
            children.extend(psutil.Process(service.pid).children())
            return bool(children)

        until(found_children, "children")
        assert service.wait(90) == 1
    assert not psutil.wait_procs(children, timeout=5)[1]
    text = output(tmp_path)
    assert f"import of {module} halted" in text
    assert f"Error: `segue {command}` cannot start: it ended with exit code" in text
    assert command == "work" or "Segue listens on" not in text


@pytest.mark.parametrize("command", ["serve", "web", "work"])
def test_sqlite_on_a_dyno_ends_the_command_unless_allowed_by_name(tmp_path: Path, receiver, command) -> None:
    environ = receiver[0] | {"DYNO": f"{command}.1", "PORT": str(free_port())}
    with segue(tmp_path, command, **environ) as service:
        assert service.wait(30) == 1
    assert "whose disk is not kept" in output(tmp_path)
    assert "SEGUE_ALLOW_SQLITE_ON_DYNO=true" in output(tmp_path)
    assert not (tmp_path / "segue.db").exists()
    with segue(tmp_path, command, **environ, SEGUE_ALLOW_SQLITE_ON_DYNO="true"):
        until((tmp_path / "segue.db").exists, "the journal")


def test_host_and_port_as_options_also_ipv6(tmp_path: Path, receiver) -> None:
    port = free_port()
    with segue(tmp_path, "serve", "--host", "::", "--port", str(port), **receiver[0]):
        until(lambda: "Segue listens on" in output(tmp_path), lambda: output(tmp_path))
        assert f"http://[::1]:{port}/webhooks/acme" in output(tmp_path)
        assert get(port, "/readyz") == 200
        with socket.create_connection(("::1", port), timeout=5):
            pass
    (tmp_path / "output.txt").unlink()
    with segue(tmp_path, "web", "--port", "70000") as service:
        assert service.wait(30) == 1
    assert "PORT is '70000'" in output(tmp_path)


def test_python_dash_m_segue_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "segue", "--version"], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert done.stdout.startswith("segue ")


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    process = supervised(tmp_path, {"stubborn": [sys.executable, "-c", stubborn]}, grace=600)
    until(lambda: "up" in output(tmp_path), "the child")
    process.terminate()
    until(lambda: "stopping" in output(tmp_path), "the first signal")
    time.sleep(0.2)
    process.terminate()
    assert process.wait(20) == 1


def test_supervisor_restores_signal_handlers() -> None:
    before = signal.getsignal(signal.SIGTERM)

    def tend():
        signal.raise_signal(signal.SIGTERM)

    assert Supervisor({}, grace=1, log_event=lambda *_: None, on_tick=tend).run() == 0
    assert signal.getsignal(signal.SIGTERM) is before


def test_on_a_terminal_serve_prints_one_readable_line_for_each_step_of_an_event(tmp_path: Path, receiver) -> None:
    environ, got = receiver
    port = free_port()
    master, slave = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "webhooks.cli", "serve"],
        cwd=tmp_path, env=environment(tmp_path, PORT=str(port), **environ), stdout=slave, stderr=slave, stdin=slave,
        start_new_session=True,
    )  # fmt: skip
    os.close(slave)
    shown = bytearray()

    def read():
        with contextlib.suppress(OSError):
            while piece := os.read(master, 65536):
                shown.extend(piece)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        until(lambda: get(port, "/readyz") == 200, shown.decode)
        ignored = EVENT.replace(b"order.paid", b"test.ping").replace(b"evt_1", b"evt_2")
        assert send(tmp_path, port)[0] == send(tmp_path, port, body=ignored)[0] == 0
        until(lambda: len(got()) == 1 and b"ignored" in shown, shown.decode)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(25)
        os.close(master)
    lines = [line[10:].split(maxsplit=4) for line in shown.decode().splitlines()]
    assert ["received", "acme", "order.paid", "evt_1"] in lines
    assert ["delivered", "acme", "order.paid", "evt_1"] in lines
    assert ["ignored", "acme", "test.ping", "evt_2", "a test"] in lines
    assert b'{"at"' not in shown
