"""The lock files pin every dependency of pyproject.toml with hashes, and name no host."""

import re
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
GROUPS = PROJECT["dependency-groups"]
RUNTIME, DEV, BENCH = "requirements.txt", "requirements-dev.lock", "requirements-bench.lock"


@cache
def pinned(file):
    """Return each name's version and hashes."""
    pins = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", (ROOT / file).read_text()):
        if line := re.match(r"([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", entry):
            pins[canonicalize_name(line[1])] = (line[2], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry))
    return pins


def required(*groups):
    names = [requirement for group in groups for requirement in GROUPS[group] if isinstance(requirement, str)]
    extras = [requirement for extra in PROJECT["project"]["optional-dependencies"].values() for requirement in extra]
    return [*PROJECT["project"]["dependencies"], *names, *(extras if "dev" in groups else ())]


@pytest.mark.parametrize(("file", "groups"), [(RUNTIME, ["build"]), (DEV, ["build", "dev"])])
def test_every_dependency_is_pinned_within_its_range(file, groups) -> None:
    for requirement in map(Requirement, required(*groups)):
        version, _ = pinned(file).get(canonicalize_name(requirement.name), ("nothing", []))
        assert version in requirement.specifier, f"{requirement} is not met by {file}: run `python3 dev.py lock`"


@pytest.mark.parametrize("file", [RUNTIME, DEV, BENCH])
def test_every_pin_has_its_hashes(file) -> None:
    assert len(pinned(file)) > 10
    assert [name for name, (_, hashes) in pinned(file).items() if not hashes] == []


def test_packages_of_the_benchmark_are_pinned_and_are_no_dependency_of_the_service() -> None:
    names = {canonicalize_name(Requirement(requirement).name) for requirement in GROUPS["bench"]}
    assert {"hookspool", "matplotlib"} <= names <= set(pinned(BENCH))
    assert names & set(pinned(RUNTIME)) == set()


def test_dev_lock_has_the_runtime_versions() -> None:
    runtime, dev = pinned(RUNTIME), pinned(DEV)
    assert {name: dev.get(name) for name in runtime} == runtime


@pytest.mark.parametrize("file", [RUNTIME, DEV, BENCH])
def test_lock_files_name_no_host(file) -> None:
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted", (ROOT / file).read_text())
