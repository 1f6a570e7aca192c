"""SEGUE_PLUGINS: the files of sources that are not installed."""

import os
from pathlib import Path

import pytest

from webhooks.errors import SettingsError
from webhooks.settings import load, plugin_files, plugin_variable


def test_the_variable_separates_paths_as_path_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    text = os.pathsep.join(["acme.py", "", " /srv/crm_segue "])
    assert plugin_files({"SEGUE_PLUGINS": text}) == (tmp_path / "acme.py", Path("/srv/crm_segue"))
    assert plugin_files({"SEGUE_PLUGINS": " "}) == plugin_files({}) == ()
    monkeypatch.setenv("SEGUE_PLUGINS", "/srv/acme.py")
    assert plugin_files() == (Path("/srv/acme.py"),)


def test_a_child_process_reads_the_same_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    files = (tmp_path / "acme.py", tmp_path / "with space" / "crm.py")
    assert plugin_files(plugin_variable(files)) == files
    assert plugin_variable([Path("acme.py")]) == {"SEGUE_PLUGINS": f"{tmp_path}/acme.py"}
    assert plugin_variable([]) == {}


def test_a_path_that_the_variable_cannot_hold_is_refused() -> None:
    with pytest.raises(SettingsError, match="rename it"):
        plugin_variable([Path(f"/srv/a{os.pathsep}b.py")])


def test_the_variable_is_known_to_the_settings() -> None:
    assert load({"SEGUE_PLUGINS": "/srv/acme.py"}, sources={}).endpoints == {}
