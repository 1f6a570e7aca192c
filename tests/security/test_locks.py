"""The lock files pin all that pyproject.toml asks for, with hashes, and name no host."""

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
RUNTIME, DEV = "requirements.txt", "requirements-dev.lock"


@cache
def pinned(file):
    """Name to version and hashes."""
    found = {}
    for entry in re.split(r"\n(?=[A-Za-z0-9])", (ROOT / file).read_text()):
        if line := re.match(r"([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", entry):
            found[canonicalize_name(line[1])] = (line[2], re.findall(r"--hash=sha256:([0-9a-f]{64})\b", entry))
    return found


def asked(*groups):
    names = [each for group in groups for each in GROUPS[group] if isinstance(each, str)]
    extras = [each for extra in PROJECT["project"]["optional-dependencies"].values() for each in extra]
    return [*PROJECT["project"]["dependencies"], *names, *(extras if "dev" in groups else ())]


@pytest.mark.parametrize(("file", "groups"), [(RUNTIME, ["build"]), (DEV, ["build", "dev"])])
def test_every_dependency_is_pinned_within_its_range(file, groups):
    for requirement in map(Requirement, asked(*groups)):
        version, _ = pinned(file).get(canonicalize_name(requirement.name), ("nothing", []))
        assert version in requirement.specifier, f"{requirement} is not met by {file}: run `python3 dev.py lock`"


@pytest.mark.parametrize("file", [RUNTIME, DEV])
def test_every_pin_has_its_hashes(file):
    assert len(pinned(file)) > 20
    assert [name for name, (_, hashes) in pinned(file).items() if not hashes] == []


def test_what_is_developed_with_is_what_runs():
    runtime, dev = pinned(RUNTIME), pinned(DEV)
    assert {name: dev.get(name) for name in runtime} == runtime


@pytest.mark.parametrize("file", [RUNTIME, DEV])
def test_no_host_stands_in_a_lock(file):
    assert not re.search(r"://|--(extra-)?index|--find-links|--trusted", (ROOT / file).read_text())
