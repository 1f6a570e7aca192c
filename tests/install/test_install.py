"""A production install: no development group, a real PostgreSQL, the Procfile's own commands, a signed event delivered."""

import base64
import contextlib
import fcntl
import hashlib
import hmac
import http.client
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

from support.processes import free_port, get, until

ROOT = Path(__file__).parents[2]
KINDS = ("wheel", "sdist", "folder", "requirements")
PARTS = (
    "pyproject.toml",
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    "MANIFEST.in",
    "segue.example.toml",
    "docs",
    "Procfile",
    "requirements.txt",
    "segue.py",
    "bin",
    "translators",
    "webhooks",
)
SECRET = "whsec_of_the_install_test"
EVENT = {
    "id": "evt_1InstallTest", "object": "event", "type": "customer.created", "created": 1767225600, "livemode": True,
    "data": {"object": {"id": "cus_InstallTest", "object": "customer", "created": 1767225600,
                        "email": "ada@example.com", "name": "Ada", "metadata": {"user_id": "user_ada"}}},
}  # fmt: skip

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def run(*command, cwd=ROOT, env=None, timeout=600, check=True):
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=timeout
    )
    assert not check or done.returncode == 0, f"{command} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


@pytest.fixture(scope="session")
def artefacts(tmp_path_factory: pytest.TempPathFactory):
    """A wheel, an sdist, the sources and an environment with pip, built once for all of pytest's processes."""
    base = tmp_path_factory.getbasetemp()
    shared = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / "install-artefacts"
    shared.mkdir(exist_ok=True)
    with (shared / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (shared / "built").exists():
            source = shared / "source"
            source.mkdir()
            for name in PARTS:
                part = ROOT / name
                if part.is_dir():
                    shutil.copytree(part, source / name, ignore=shutil.ignore_patterns("__pycache__"))
                else:
                    shutil.copy(part, source / name)
            index_reached(shared)
            build = "from setuptools import build_meta as b; print(b.build_sdist('../dist'), b.build_wheel('../dist'))"
            run(sys.executable, "-c", build, cwd=source)
            for left in ("build", "segue.egg-info"):
                shutil.rmtree(source / left, ignore_errors=True)
            run(sys.executable, "-m", "venv", shared / "environment")
            (shared / "built").touch()
    return shared


def index_reached(folder):
    pinned = re.search(r"^(packaging==\S+)", (ROOT / "requirements.txt").read_text(), re.MULTILINE)
    assert pinned, "requirements.txt lacks packaging, which gunicorn's gevent worker imports"
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--retries=1",
        "--dest",
        folder / "probe",
        pinned[1],
    ]
    done = run(*command, check=False)
    if done.returncode:
        pytest.skip(f"no package index can be reached: {done.stderr.strip().splitlines()[-1]}")


def new_environment(artefacts, home):
    """A copy of an environment that has pip alone: to install pip takes seconds."""
    shutil.copytree(artefacts / "environment", home, symlinks=True)
    for script in (home / "bin").glob("pip*"):
        script.write_text(script.read_text().replace(str(artefacts / "environment"), str(home)))


def install(kind, artefacts, home):
    """An environment with what this way of installing brings, and nothing else."""
    new_environment(artefacts, home)
    pip = [
        home / "bin" / "python",
        "-m",
        "pip",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "install",
        "--no-compile",
    ]
    source = home / "source"
    shutil.copytree(artefacts / "source", source)
    if kind == "folder":  # as the README says: pip install .
        run(*pip, ".", cwd=source)
    elif kind == "requirements":  # as Heroku does, then bin/post_compile
        run(*pip, "--require-hashes", "-r", source / "requirements.txt")
        run("bash", source / "bin" / "post_compile", cwd=source, env=environment(home))
    else:
        (built,) = (artefacts / "dist").glob({"wheel": "*.whl", "sdist": "*.tar.gz"}[kind])
        run(*pip, built)


def environment(home, **more):
    return {"PATH": f"{home / 'bin'}:/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", **pip_settings(), **more}


def pip_settings():
    """How this machine reaches a package index."""
    names = ("PIP_", "HTTP", "http", "NO_PROXY", "no_proxy", "SSL_", "REQUESTS_", "XDG_")
    return {name: value for name, value in os.environ.items() if name.startswith(names)}


def procfile():
    lines = (ROOT / "Procfile").read_text().splitlines()
    commands = (line.split(":", 1) for line in lines if line.strip())
    return {name.strip(): command.strip() for name, command in commands}


@contextlib.contextmanager
def process(command, folder, env, name):
    """One of the Procfile's processes, as a platform starts it."""
    with (folder / f"{name}.log").open("w") as log:
        started = subprocess.Popen(
            ["sh", "-c", f"exec {command}"], cwd=folder, env=env, stdout=log, stderr=log, start_new_session=True
        )
    try:
        yield started
        started.send_signal(signal.SIGTERM)
        assert started.wait(30) == 0, (folder / f"{name}.log").read_text()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGKILL)
        started.wait()


def post_signed(port):
    """As Stripe signs: https://docs.stripe.com/webhooks#verify-manually"""
    body, now = json.dumps(EVENT).encode(), str(int(time.time()))
    signature = hmac.new(SECRET.encode(), f"{now}.".encode() + body, hashlib.sha256).hexdigest()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("POST", "/webhooks/stripe", body, {"Stripe-Signature": f"t={now},v1={signature}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_production_install_checks_demonstrates_and_delivers(
    kind, artefacts, tmp_path: Path, postgres_url: str
) -> None:
    home, folder = tmp_path / "env", tmp_path / "app"
    folder.mkdir()
    install(kind, artefacts, home)
    python = home / "bin" / "python"
    assert run(python, "-c", "import pytest", cwd=folder, check=False).returncode == 1, "development packages are here"
    pages = home / "share" / "doc" / "segue"
    assert {"index.md", "configuration.md", "sources", "segue.example.toml"} <= {path.name for path in pages.iterdir()}

    demo = run(home / "bin" / "segue", "demo", "--json", cwd=folder, env=environment(home), timeout=240)
    assert json.loads(demo.stdout)["ok"]

    received, receiver_port, port = folder / "received.jsonl", free_port(), free_port()
    env = environment(
        home,
        DYNO="run.1",
        DATABASE_URL=f"{postgres_url}?sslmode=disable",
        SEGMENT_WRITE_KEY="wk_install",
        SEGMENT_URL=f"http://127.0.0.1:{receiver_port}",
        STRIPE_WEBHOOK_SECRET=SECRET,
        PORT=str(port),
        WEB_CONCURRENCY="1",
    )
    run("sh", "-c", procfile()["release"], cwd=folder, env=env)
    checked = run(home / "bin" / "segue", "check", "--json", cwd=folder, env=env)
    findings = json.loads(checked.stdout)["findings"]
    assert {"grade": "ok", "about": "web", "text": "1 web processes of the class gevent"} in findings
    receiver = (
        f"{shlex.quote(str(python))} -m webhooks.segment.fake --port {receiver_port} --log {shlex.quote(str(received))}"
    )
    with (
        standin(receiver, folder, env),
        process(procfile()["web"], folder, env | {"DYNO": "web.1"}, "web"),
        process(procfile()["worker"], folder, env | {"DYNO": "worker.1"}, "worker"),
    ):
        logs = lambda: "\n".join(f"{path.name}: {path.read_text()[-3000:]}" for path in folder.glob("*.log"))  # noqa: E731
        until(lambda: get(receiver_port, "/") == 200 and get(port, "/readyz") == 200, logs, timeout=90)
        status, answer = post_signed(port)
        assert (status, answer["status"]) == (200, "accepted")
        until(lambda: received.exists() and bool(received.read_text().strip()), logs, timeout=60)
    messages = [json.loads(line) for line in received.read_text().splitlines()]
    assert {message["type"] for message in messages} == {"identify", "track"}
    assert {(message["userId"], message["timestamp"]) for message in messages} == {
        ("user_ada", "2026-01-01T00:00:00.000Z")
    }


@contextlib.contextmanager
def standin(command, folder, env):
    with (folder / "receiver.log").open("w") as log:
        started = subprocess.Popen(shlex.split(command), cwd=folder, env=env, stdout=log, stderr=log)
    try:
        yield
    finally:
        started.terminate()
        started.wait()


def wheel_of(package, folder):
    """A distribution that installs a package of that name, as PyPI's `translators` and `webhooks` do."""
    files = {
        f"{package}/__init__.py": "raise SystemExit('code of another distribution ran')",
        f"{package}-9.9.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {package}\nVersion: 9.9\n",
        f"{package}-9.9.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip('=')},{len(text)}"
        for name, text in files.items()
    ]
    path = folder / f"{package}-9.9-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
        archive.writestr(f"{package}-9.9.dist-info/RECORD", "\n".join([*record, f"{package}-9.9.dist-info/RECORD,,\n"]))
    return path


def test_another_distribution_installed_over_ours_is_repaired_by_the_commands_shown(artefacts, tmp_path: Path) -> None:
    home = tmp_path / "env"
    new_environment(artefacts, home)
    settings = home / "pyvenv.cfg"
    settings.write_text(settings.read_text().replace("site-packages = false", "site-packages = true"))
    install_ours = [home / "bin" / "python", "-m", "pip", "--quiet", "install", "--no-deps"]
    (built,) = (artefacts / "dist").glob("*.whl")
    run(*install_ours, "--force-reinstall", built)
    packages = next(home.glob("lib/python*/site-packages"))
    (packages / "dependencies.pth").write_text(f"{next(Path(sys.prefix).glob('lib/python*/site-packages'))}\n")
    segue = [home / "bin" / "segue", "sources"]
    env = environment(home)
    for package in ("translators", "webhooks"):
        assert "stripe" in run(*segue, cwd=tmp_path, env=env).stdout
        run(*install_ours, wheel_of(package, tmp_path))
        broken = run(*segue, cwd=tmp_path, env=env, check=False)
        assert broken.returncode == 1
        assert f"the distribution {package} has replaced Segue's package `{package}`" in broken.stderr
        assert "another distribution ran" not in broken.stdout + broken.stderr
        commands = [line.strip() for line in broken.stderr.splitlines() if line.startswith("  ")]
        assert len(commands) == 2
        run("sh", "-c", commands[0], env=env, cwd=tmp_path)
        half = run(*segue, cwd=tmp_path, env=env, check=False)
        assert half.returncode == 1
        run("sh", "-c", commands[1], env=env, cwd=tmp_path)
