"""Reading segue.toml and secret files. What cannot be read is a fault, never an exception."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

_LARGEST: Final = 1024 * 1024


def read_toml(given: Path | None, named: str | None, faults: list[str]) -> tuple[Path | None, dict[str, Any]]:
    """The file that was given, or SEGUE_CONFIG names, or ./segue.toml where there is one; with its tables."""
    path = given or (Path(named) if named else Path("segue.toml"))
    if given is None and named is None and not path.exists():
        return None, {}
    who = "SEGUE_CONFIG" if given is None and named else "the configuration file"
    try:
        return path, tomllib.loads(path.read_bytes().decode())
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
        text = Path(path).read_bytes()[:_LARGEST].decode().strip()
    except OSError as error:
        faults.append(f"{variable} is {path!r}, which cannot be read ({error.strerror}): mount it, or mend the path")
        return ""
    except UnicodeDecodeError:
        faults.append(f"{variable} is {path!r}, which is not UTF-8 text: write the secret into it as text")
        return ""
    if not text:
        faults.append(f"{variable} is {path!r}, which is empty: write the secret into it")
    return text
