"""`segue new-source` generates a package whose tests pass; installing it adds the source."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from webhooks.cli.main import main


def generate(folder: Path, name: str = "acme", *more: str) -> Path:
    target = folder / "package"
    done = CliRunner().invoke(main, ["new-source", name, "--into", str(target), *more])
    assert done.exit_code == 0, done.output
    return target


def run(*command: str, cwd: Path, path: Path) -> "subprocess.CompletedProcess[str]":
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(path), "HOME": str(cwd)}
    return subprocess.run(
        [sys.executable, *command], cwd=cwd, env=env, capture_output=True, text=True, check=False, timeout=90
    )


def install(package: Path, name: str = "acme", value: str = "acme_segue:acme") -> None:
    """What pip would leave beside the module: the metadata with its entry point."""
    info = package / f"{name}_segue-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-segue\nVersion: 0.1.0\n")
    (info / "entry_points.txt").write_text(f"[segue.translators]\n{name} = {value}\n")


@pytest.mark.parametrize(("name", "title"), [("acme", "Acme Billing"), ("acme_2", "9to5 & Söhne")])
def test_the_generated_tests_pass(tmp_path: Path, name: str, title: str) -> None:
    package = generate(tmp_path, name, "--title", title)
    done = run("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=package, path=package)
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout


def test_an_installed_package_is_a_source_like_any_other(tmp_path: Path) -> None:
    package = generate(tmp_path)
    install(package)
    listed = json.loads(run("-m", "webhooks.cli", "sources", "acme", "--json", cwd=tmp_path, path=package).stdout)
    assert listed["sources"][0]["distribution"] == "acme-segue"
    assert listed["sources"][0]["version"] == "0.1.0"
    golden = package / "tests" / "golden" / "order.paid.json"
    completed = run("-m", "webhooks.cli", "translate", "acme", str(golden), "--json", cwd=tmp_path, path=package)
    assert json.loads(completed.stdout)[0]["messages"][0]["event"] == "Order Completed"


def test_generated_package_ships_its_catalog(tmp_path: Path) -> None:
    package = generate(tmp_path)
    install(package)
    assert "Order Completed" in run("-m", "webhooks.cli", "catalog", "acme", cwd=tmp_path, path=package).stdout
    shipped = package / "acme_segue" / "catalog.json"
    generated = shipped.read_text()
    arguments = ("acme", "--goldens", str(package / "tests" / "golden"), "--update", str(shipped))
    assert run("-m", "webhooks.cli", "catalog", *arguments, cwd=tmp_path, path=package).returncode == 0
    assert shipped.read_text() == generated


def test_broken_package_is_reported_and_does_not_affect_others(tmp_path: Path) -> None:
    package = generate(tmp_path)
    (package / "acme_segue" / "__init__.py").write_text("1 / 0\n")
    install(package)
    done = run("-m", "webhooks.cli", "sources", "--verbose", cwd=tmp_path, path=package)
    assert "ZeroDivisionError" in done.stdout
    assert "stripe" in done.stdout


def test_third_party_source_cannot_take_a_built_in_name(tmp_path: Path) -> None:
    package = generate(tmp_path)
    install(package, "stripe", "acme_segue:acme")
    listed = json.loads(run("-m", "webhooks.cli", "sources", "--json", cwd=tmp_path, path=package).stdout)
    assert [source["distribution"] for source in listed["sources"] if source["name"] == "stripe"] == ["segue"]
    assert "use the same name" in listed["broken"][0]["error"] or "already exists" in listed["broken"][0]["error"]


@pytest.mark.parametrize("name", ["Acme", "class", "a-b", "1a"])
def test_invalid_name_is_refused(tmp_path: Path, name: str) -> None:
    done = CliRunner().invoke(main, ["new-source", name, "--into", str(tmp_path / "x")])
    assert done.exit_code == 1
    assert "cannot be a source's name" in done.output


def test_existing_folder_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    done = CliRunner().invoke(main, ["new-source", "acme", "--into", str(tmp_path)])
    assert done.exit_code == 1
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize("title", ['A "quoted" one', "back\\slash", "two\nlines"])
def test_a_title_that_would_break_the_module_is_refused(tmp_path: Path, title: str) -> None:
    done = CliRunner().invoke(main, ["new-source", "acme", "--title", title, "--into", str(tmp_path / "x")])
    assert done.exit_code == 1
    assert "--title" in done.output
    assert not (tmp_path / "x").exists()
