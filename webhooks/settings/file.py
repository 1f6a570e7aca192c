"""Reading segue.toml and secret files. What cannot be read is a fault, never an exception."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

_LARGEST: Final = 1024 * 1024
_MOUNTS: Final = ("/run/secrets/", "/var/run/secrets/")
"""Where Docker and Kubernetes mount secrets, readable by all in the container by their default."""
_SECRET_WORDS: Final = ("SECRET", "TOKEN", "_KEY", "PASSWORD")


def read_toml(given: Path | None, named: str | None, faults: list[str]) -> tuple[Path | None, dict[str, Any]]:
    """The file that was given, or SEGUE_CONFIG names, or ./segue.toml where there is one; with its tables."""
    path = given or (Path(named) if named else Path("segue.toml"))
    if given is None and named is None and not path.exists():
        return None, {}
    who = "SEGUE_CONFIG" if given is None and named else "the configuration file"
    try:
        return path, tomllib.loads(path.read_bytes().decode("utf-8-sig"))  # Windows editors write a byte order mark
    except OSError as error:
        faults.append(f"{who} is {str(path)!r}, which cannot be read ({error.strerror}): give the path of a TOML file")
    except UnicodeDecodeError:
        faults.append(f"{path} is not UTF-8 text: save it as UTF-8")
    except tomllib.TOMLDecodeError as error:
        faults.append(f"{path} is not valid TOML: {error}")
    return path, {}


def read_secret(variable: str, path: str, faults: list[str]) -> str:
    """The text of a secret file (Docker and Kubernetes mount secrets so); empty with a fault where there is none."""
    try:
        text = Path(path).read_bytes()[:_LARGEST].decode("utf-8-sig").strip()
    except OSError as error:
        faults.append(f"{variable} is {path!r}, which cannot be read ({error.strerror}): mount it, or mend the path")
        return ""
    except UnicodeDecodeError:
        faults.append(f"{variable} is {path!r}, which is not UTF-8 text: write the secret into it as text")
        return ""
    if not text:
        faults.append(f"{variable} is {path!r}, which is empty: write the secret into it")
    return text


def readable_by_all(config: Path | None, secret_files: Iterable[Path]) -> Iterator[str]:
    """Files with secrets in them that every user of this machine can read: the configuration, `.env`, secret files."""
    dotenv = Path(".env")
    paths = [config] if config else []
    if _mode(dotenv) & 0o004 and _holds_secrets(_text(dotenv)):
        paths.append(dotenv)
    paths += [path for path in secret_files if not str(path.absolute()).startswith(_MOUNTS)]
    for path in paths:
        if _mode(path) & 0o006:
            can = "change" if _mode(path) & 0o002 else "read"
            yield f"every user of this machine can {can} {path}, which holds secrets: chmod 600 {path}"


def _holds_secrets(text: str) -> bool:
    """Whether a `.env` file gives a value to a variable that is named as a secret is."""
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
