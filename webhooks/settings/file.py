"""Read segue.toml and secret files. A file that cannot be read is an error in the list, never an exception."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

_LARGEST: Final = 1024 * 1024
_MOUNTS: Final = ("/run/secrets/", "/var/run/secrets/")
"""Where Docker and Kubernetes mount secrets, by default readable by every user in the container."""
_SECRET_WORDS: Final = ("SECRET", "TOKEN", "_KEY", "PASSWORD")


def read_toml(config_file: Path | None, variable: str | None, faults: list[str]) -> tuple[Path | None, dict[str, Any]]:
    """Return path and tables of `config_file`, else of SEGUE_CONFIG (`variable`), else of ./segue.toml if it exists."""
    path = config_file or (Path(variable) if variable else Path("segue.toml"))
    if config_file is None and variable is None and not path.exists():
        return None, {}
    origin = "SEGUE_CONFIG" if config_file is None and variable else "the configuration file"
    try:
        return path, tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # Windows editors write a byte order mark
    except OSError as error:
        faults.append(
            f"{origin} is {str(path)!r}, which cannot be read ({error.strerror}): give the path of a TOML file"
        )
    except UnicodeDecodeError:
        faults.append(f"{path} is not UTF-8 text: save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{path} is not valid TOML: {error}")
    return path, {}


def read_secret(variable: str, path: str, faults: list[str]) -> str:
    """Return the text of a secret file, as Docker and Kubernetes mount them. If there is none, add an error."""
    try:
        text = Path(path).read_bytes()[:_LARGEST].decode("utf-8-sig").strip()
    except OSError as error:
        faults.append(f"{variable} is {path!r}, which cannot be read ({error.strerror}): mount it, or fix the path")
        return ""
    except UnicodeDecodeError:
        faults.append(f"{variable} is {path!r}, which is not UTF-8 text: write the secret into it as text")
        return ""
    if not text:
        faults.append(f"{variable} is {path!r}, which is empty: write the secret into it")
    return text


def readable_by_all(config: Path | None, secret_files: Iterable[Path]) -> Iterator[str]:
    """Yield a warning for each file with secrets that every user can read: configuration, `.env`, secret files."""
    dotenv = Path(".env")
    paths = [config] if config else []
    if _mode(dotenv) & 0o004 and _contains_secrets(_text(dotenv)):
        paths.append(dotenv)
    paths += [path for path in secret_files if not str(path.absolute()).startswith(_MOUNTS)]
    for path in paths:
        if _mode(path) & 0o006:
            access = "change" if _mode(path) & 0o002 else "read"
            yield f"every user of this machine can {access} {path}, which contains secrets: chmod 600 {path}"


def _contains_secrets(text: str) -> bool:
    """Return whether a `.env` file sets a variable with a secret's name."""
    for line in text.splitlines():
        name, _, value = line.partition("=")
        is_secret = not name.lstrip().startswith("#") and any(word in name for word in _SECRET_WORDS)
        if is_secret and value.strip() and not value.lstrip().startswith("#"):
            return True
    return False


def _mode(path: Path) -> int:
    try:
        return path.stat().st_mode & 0o777 if path.is_file() else 0
    except OSError:
        return 0


def _text(path: Path) -> str:
    try:
        return path.read_bytes()[:_LARGEST].decode("utf-8-sig", "replace")
    except OSError:
        return ""
