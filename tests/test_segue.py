"""The command's first module: Segue's packages must be its own, or the error says which command repairs them."""

import importlib
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest

import segue
from webhooks.errors import PluginError
from webhooks.sources import plugins


def test_segues_own_packages_are_no_conflict() -> None:
    assert segue.conflict() is None


@pytest.mark.parametrize("package", segue.PACKAGES)
@pytest.mark.parametrize("command", [["-m", "segue", "check"], ["-m", "webhooks.cli", "check"], ["-m", "segue"]])
def test_a_folder_that_hides_a_package_is_named_and_never_imported(
    tmp_path: Path, package: str, command: list[str]
) -> None:
    (tmp_path / package).mkdir()
    (tmp_path / package / "__init__.py").write_text("print('imported'); raise SystemExit(5)")
    done = subprocess.run(
        [sys.executable, *command], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(tmp_path), "PATH": ""},
    )  # fmt: skip
    if "webhooks.cli" in command and package == "webhooks":
        return  # Python imports a package before it looks for the module in it
    assert done.returncode == 1
    assert f"Error: {tmp_path}/{package} hides Segue's package `{package}`." in done.stderr
    assert "PYTHONPATH" in done.stderr
    assert "imported" not in done.stdout


def test_a_package_without_its_init_is_incomplete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "translators").mkdir()
    monkeypatch.setattr(segue, "_folder", lambda package: tmp_path / package)
    conflict = segue.conflict()
    assert conflict is not None
    message, hint = conflict
    assert "`translators` is incomplete" in message
    assert "install --force-reinstall --no-deps" in hint


def test_loading_the_plugins_asks_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(segue, "conflict", lambda: ("another package", "reinstall"))
    with pytest.raises(PluginError, match="another package"):
        plugins.load()


def test_the_origin_is_where_pip_installed_it_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    class Installed:
        recorded: str | None = None

        def read_text(self, name: str) -> str | None:
            assert name == "direct_url.json"
            return self.recorded

    installed = Installed()
    monkeypatch.setattr(metadata, "distribution", lambda name: installed)
    assert segue._origin().startswith("<the wheel or folder")
    (tmp_path / "my segue").mkdir()
    for recorded, origin in [
        (f'{{"url": "file://{tmp_path}/my%20segue", "dir_info": {{}}}}', f"'{tmp_path}/my segue'"),
        (f'{{"url": "file://{tmp_path}", "dir_info": {{"editable": true}}}}', f"-e {tmp_path}"),
        (
            f'{{"url": "file://{tmp_path}/gone"}}',
            f"<the wheel or folder that you installed Segue from; it was {tmp_path}/gone>",
        ),
        ('{"url": "https://example.com/segue.whl"}', "https://example.com/segue.whl"),
    ]:
        installed.recorded = recorded
        assert segue._origin() == origin
    importlib.reload(segue)
