"""A third-party package, installed by pip into a fresh environment, is a source like any other.

The environment has its own interpreter and site-packages. Third-party libraries are those of this one, by a .pth file, so
that nothing is downloaded; Segue itself is built and installed as a wheel.
"""

import json
import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from support.processes import free_port, get, until

ROOT = Path(__file__).parent.parent.parent
pytestmark = pytest.mark.slow


class Fresh:
    """A virtual environment, with a folder to work in."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "venv" / "bin"

    def run(self, *command: str, cwd: Path | None = None, code: int = 0) -> str:
        environ = {"PATH": os.environ["PATH"], "HOME": str(self.folder), "PIP_CONFIG_FILE": os.devnull}
        done = subprocess.run(
            [str(self.bin / command[0]), *command[1:]], cwd=cwd or self.folder, env=environ, capture_output=True,
            text=True, check=False, timeout=110,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def pip(self, *arguments: str) -> None:
        self.run("python", "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments)

    def install(self, *what: str) -> None:
        self.pip("install", "--no-index", "--no-build-isolation", *what)


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Fresh:
    folder = tmp_path_factory.mktemp("fresh")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "venv")], check=True)
    made = Fresh(folder)
    site = Path(made.run("python", "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").strip())
    (site / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = made.bin / "pip"
    pip.write_text(f'#!/bin/sh\nexec {made.bin}/python -m pip "$@"\n')
    pip.chmod(0o755)
    source = folder / "segue"
    copied = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "pyproject.toml", "README.md", "LICENSE",
         "translators", "webhooks", "segue.py"], cwd=ROOT, capture_output=True, check=True,
    ).stdout.decode().split("\0")  # fmt: skip
    for name in filter(None, copied):
        if (ROOT / name).exists():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            (source / name).write_bytes((ROOT / name).read_bytes())
    made.install("--no-deps", str(source))
    return made


@pytest.fixture(scope="module")
def acme(fresh: Fresh) -> Path:
    fresh.run("segue", "new-source", "acme", "--title", "Acme Billing")
    package = fresh.folder / "acme-segue"
    fresh.install(f"{package}[test]")
    return package


def test_service_runs_from_the_installed_package(fresh: Fresh) -> None:
    where = fresh.run("python", "-c", "import webhooks, translators; print(webhooks.__file__, translators.__file__)")
    assert all(path.startswith(str(fresh.folder)) for path in where.split())


def test_installing_a_package_adds_its_source(fresh: Fresh, acme: Path) -> None:
    listed = json.loads(fresh.run("segue", "sources", "acme", "--json"))["sources"][0]
    assert (listed["distribution"], listed["version"]) == ("acme-segue", "0.1.0")
    assert "acme-segue 0.1.0" in fresh.run("segue", "sources")
    entries = json.loads(fresh.run("segue", "translate", "acme", str(acme / "tests/golden/order.paid.json"), "--json"))
    assert entries[0]["messages"][0]["event"] == "Order Completed"
    assert "by hand" in fresh.run("segue", "register", "acme", "--url", "https://h.example.com/webhooks/acme")


def test_generated_tests_pass(fresh: Fresh, acme: Path) -> None:
    assert " passed" in fresh.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=acme)


def test_generated_tests_fail_if_a_handler_breaks_a_rule(fresh: Fresh, acme: Path) -> None:
    """The invariants hold whatever the goldens say: a float for money, an invented person, our time, a KeyError."""
    module = acme / "acme_segue" / "__init__.py"
    good = module.read_text()
    for before, after, says in (
        ('order.money("amount", "currency")', 'order.integer("amount") / 100', "test_money_and_numbers_are_exact"),
        ('("customer", data.id("customer_id"))', '("customer", "anyone")', "test_no_identity_is_invented"),
        ('item.body.iso("created_at")', "item.received_at", "test_the_timestamp_is_the_providers"),
        ('item.body.id("id")', 'item.body.value["id"]', "test_mutated_payloads_raise_only"),
    ):
        assert before in good
        module.write_text(good.replace(before, after))
        output = fresh.run(
            "python",
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "--update-goldens",
            "-k",
            f"test_golden or {says}",
            cwd=acme,
            code=1,
        )
        assert says in output, output
        module.write_text(good)
    fresh.run("python", "-m", "pytest", "-q", "-p", "no:cacheprovider", "--update-goldens", cwd=acme)


@pytest.mark.parametrize("fault", ["1 / 0", "import not_there_at_all", "raise SystemExit(3)", "acme = object()"])
def test_broken_plugin_is_reported_and_does_not_affect_others(fresh: Fresh, acme: Path, fault: str) -> None:
    installed = Path(fresh.run("python", "-c", "import acme_segue; print(acme_segue.__file__)").strip())
    good = installed.read_text()
    installed.write_text(f"{fault}\n")
    try:
        output = fresh.run("segue", "sources", "--verbose")
        assert "acme (acme-segue 0.1.0) does not load" in output
        assert fault in output or "not a translators.kit.Source" in output
        assert "stripe" in output
        assert "acme-segue 0.1.0" in fresh.run("segue", "check", code=1)
        fresh.run("segue", "translate", "stripe", str(ROOT / "tests/golden/stripe/charge.succeeded.json"))
    finally:
        installed.write_text(good)


def test_catalog_lists_the_plugin_in_every_format(fresh: Fresh, acme: Path) -> None:
    shipped = acme / "acme_segue" / "catalog.json"
    fresh.run("segue", "catalog", "acme", "--goldens", str(acme / "tests/golden"), "--update", str(shipped))
    fresh.install("--force-reinstall", "--no-deps", str(acme))
    assert "| `order.paid` | Order Completed |" in fresh.run("segue", "catalog", "acme")
    assert json.loads(fresh.run("segue", "catalog", "acme", "--format", "json"))[0]["name"] == "acme"
    rules = json.loads(fresh.run("segue", "catalog", "acme", "--format", "tracking-plan"))["rules"]
    assert {rule.get("key") for rule in rules} == {"Order Completed", None}


def test_every_command_of_the_guide_works(fresh: Fresh, tmp_path: Path) -> None:
    """Every command of docs/adding-a-source.md, in its order, on the examples that step 1 writes."""
    page = (ROOT / "docs" / "adding-a-source.md").read_text()
    fresh.pip("uninstall", "--yes", "acme-segue")
    lines = [
        line.partition("  #")[0].strip()
        for block in page.split("```sh\n")[1:]
        for line in block.partition("```")[0].splitlines()
    ]
    port = free_port()
    environ = {
        "PATH": f"{fresh.bin}:{os.environ['PATH']}", "HOME": str(tmp_path), "PIP_CONFIG_FILE": os.devnull, "PORT": str(port),
        "PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_QUIET": "1", "ACME_WEBHOOK_SECRET": "a long text to try it",
        "SEGUE_DATABASE": f"sqlite:///{tmp_path}/journal.db", "SEGUE_HOST": "127.0.0.1", "WEB_CONCURRENCY": "1",
    }  # fmt: skip
    folder, running, output = tmp_path, None, ""
    try:
        for line in lines:
            if line.startswith("cd "):
                folder /= line.removeprefix("cd ")
            elif line == "segue web":
                running = subprocess.Popen(["segue", "web"], cwd=folder, env=environ, start_new_session=True)
                until(lambda: get(port, "/healthz") == 200, "segue web")
            elif not line.startswith("export "):
                command = line.replace("http://localhost:8000", f"http://localhost:{port}")
                done = subprocess.run(
                    command,
                    shell=True,
                    cwd=folder,
                    env=environ,
                    capture_output=True,
                    text=True,
                    check=False,
                    timeout=110,
                )
                assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
                output += done.stdout
    finally:
        if running is not None:
            os.killpg(running.pid, signal.SIGTERM)
            running.wait(40)
    assert running is not None
    assert "Order Completed" in output
    assert "status: accepted" in output


def test_uninstalling_removes_the_source(fresh: Fresh, acme: Path) -> None:
    fresh.pip("uninstall", "--yes", "acme-segue")
    fresh.run("segue", "sources", "acme", code=1)
