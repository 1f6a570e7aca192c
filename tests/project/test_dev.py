"""dev.py names paths and packages that exist, and --fast is what is documented."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def load():
    spec = importlib.util.spec_from_file_location("segue_dev", ROOT / "dev.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


DEV = load()


def test_paths_of_the_fast_tests_exist() -> None:
    paths = [argument for argument in DEV.FAST if argument.startswith("tests/")]
    assert len(paths) > 8
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_packages_whose_coverage_is_required_exist() -> None:
    for name in DEV.COVERED:
        path = ROOT / "webhooks" / name.replace(".", "/")
        assert path.is_dir() or path.with_suffix(".py").is_file(), name


def test_fast_chooses_the_fast_tests_and_passes_arguments_on(monkeypatch: pytest.MonkeyPatch) -> None:
    called = []

    def call(*command):
        called.append(command)
        return 0

    monkeypatch.setattr(DEV, "call", call)
    assert DEV.test(["--fast", "-x"]) == 0
    assert DEV.test(["tests/kit"]) == 0
    assert DEV.test([]) == 0
    assert [command[3:] for command in called] == [(*DEV.FAST, "-x"), ("tests/kit",), tuple(DEV.WHOLE)]


def test_the_help_names_every_command() -> None:
    done = subprocess.run([sys.executable, "dev.py", "--help"], cwd=ROOT, capture_output=True, text=True, check=False)
    for name in ("run", "test", "cases", "lint", "docs", "audit", "lock", "bench", "faults"):
        assert f"python3 dev.py {name}" in done.stderr
