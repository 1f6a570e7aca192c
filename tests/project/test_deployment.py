"""Dockerfile, compose.yaml, systemd unit, proxies, workflow and forms name what the project has."""

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from webhooks.cli.main import COMMANDS
from webhooks.settings.model import WebSettings
from webhooks.settings.schema import CONFIG, ENDPOINT, PLUGINS, TABLES

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
UNIT = (ROOT / "deploy" / "segue.service").read_text()
FORMS = sorted(path for path in (ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml") if path.name != "config.yml")
FILES = [
    *("Dockerfile", "compose.yaml", ".env.example", "Procfile", "app.json"),
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / "deploy").iterdir())),
]
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"


def variables():
    """Every variable that the settings read, and the pattern of those of an endpoint."""
    rules = [rule for schema in TABLES.values() for rule in schema.fields.values()]
    names = (
        {rule.metadata["env"] for rule in rules} | {rule.metadata.get("also", "") for rule in rules} | {CONFIG, PLUGINS}
    )
    patterns = {rule.metadata["env"].replace("{NAME}", "*") for rule in ENDPOINT.fields.values() if rule.metadata}
    return names | {f"{name}_FILE" for name in names} | patterns


def copied():
    """What the Dockerfile copies out of the build context."""
    lines = [
        line.split()[1:-1] for line in DOCKERFILE.splitlines() if line.startswith("COPY ") and "--from" not in line
    ]
    return [name for line in lines for name in line]


@pytest.mark.parametrize("file", FILES)
def test_variables_named_in_deployment_files_are_settings(file) -> None:
    named = set(re.findall(r"\b(?:SEGUE|SEGMENT)_[A-Z_]+\b|\b[A-Z]+_WEBHOOK_SECRET\b", (ROOT / file).read_text()))
    assert [name for name in sorted(named) if not any(fnmatch(name, known) for known in variables())] == []


def test_paths_copied_into_the_image_exist_and_are_in_the_build_context() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    for name in copied():
        assert (ROOT / name).exists(), name
        assert f"!{name}" in ignored, f".dockerignore leaves {name} out"


def test_the_image_has_what_the_distribution_is_built_from() -> None:
    project = (ROOT / "pyproject.toml").read_text()
    assert {"pyproject.toml", "requirements.txt", "segue.py", "webhooks", "translators"} <= set(copied())
    assert set(re.findall(r'^readme = "(.+)"', project, re.MULTILINE)) <= set(copied())


def test_the_image_does_not_run_as_root_and_keeps_its_journal_on_the_volume() -> None:
    user, volume = (
        re.search(r"^USER (\S+)", DOCKERFILE, re.MULTILINE),
        re.search(r"^VOLUME (\S+)", DOCKERFILE, re.MULTILINE),
    )
    assert user
    assert user[1] not in {"root", "0"}
    assert volume
    assert f"SEGUE_DATABASE=sqlite:///{volume[1]}/" in DOCKERFILE
    assert f"EXPOSE {WebSettings().port}" in DOCKERFILE


def test_commands_of_deployment_files_exist() -> None:
    entrypoint = re.search(r'^ENTRYPOINT \["segue"\]\nCMD \["(\w+)"\]', DOCKERFILE, re.MULTILINE)
    assert entrypoint
    assert entrypoint[1] in COMMANDS
    for name in ("migrate", "web", "worker"):
        assert COMPOSE["services"][name]["command"][0] in COMMANDS
    commands = re.findall(r"^Exec\w+=/opt/segue/bin/segue (\w+)", UNIT, re.MULTILINE)
    assert commands == ["check", "serve"]


def test_compose_starts_migrate_before_web_and_worker() -> None:
    services = COMPOSE["services"]
    assert services["migrate"]["depends_on"] == {"database": {"condition": "service_healthy"}}
    for name in ("web", "worker"):
        assert services[name]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
        assert services[name]["environment"]["SEGUE_DATABASE"].startswith("postgresql://")
    assert services["web"]["ports"] == [f"{services['web']['environment']['PORT']}:8000"]


@pytest.mark.parametrize("file", ["nginx.conf", "Caddyfile"])
def test_proxies_send_to_the_default_port_and_keep_metrics_inside(file) -> None:
    text = (ROOT / "deploy" / file).read_text()
    assert f"127.0.0.1:{WebSettings().port}" in text
    assert "/metrics" in text


def test_the_unit_waits_longer_for_the_end_than_segue_takes() -> None:
    (seconds,) = re.findall(r"^TimeoutStopSec=(\d+)", UNIT, re.MULTILINE)
    assert int(seconds) > 25


def test_the_workflow_covers_every_supported_python_and_runs_what_the_project_has() -> None:
    workflow = yaml.safe_load(WORKFLOW.read_text())
    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13", "3.14"]
    runs = [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]
    assert "bash .ci/run" in runs
    assert (ROOT / ".ci" / "run").is_file()


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_issue_forms_are_complete(form) -> None:
    """https://docs.github.com/en/communities/using-templates-to-encourage-useful-issues-and-pull-requests/syntax-for-githubs-form-schema"""
    content = yaml.safe_load(form.read_text())
    assert {"name", "description", "body"} <= set(content)
    ids = [element["id"] for element in content["body"] if element["type"] != "markdown"]
    assert len(ids) == len(set(ids))
    for element in content["body"]:
        needed = {"markdown": "value", "dropdown": "options"}.get(element["type"], "label")
        assert element["type"] in {"markdown", "input", "textarea", "dropdown", "checkboxes"}
        assert element["attributes"][needed]


def test_pre_commit_runs_the_project_s_own_tools() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"][0]["hooks"]
    assert [hook["id"] for hook in hooks] == ["ruff-check", "ruff-format"]
    assert all(hook["entry"].startswith(".venv/bin/python -m ruff") for hook in hooks)
