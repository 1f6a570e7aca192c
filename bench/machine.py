"""What the figures were measured on: the machine, the date, the releases and the command."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sqlite3
import subprocess
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

import psutil

from bench.peers import versions

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = (
    "segue",
    "flask",
    "gunicorn",
    "gunicorn-h1c",
    "gevent",
    "msgspec",
    "psycopg",
    "segment-analytics-python",
    "hookspool",
)
PROGRAMS = {"Node.js": ["node", "--version"], "Redis": ["redis-server", "--version"], "wrk": ["wrk", "--version"]}
RELEASE = re.compile(r"\d+(?:\.\d+)+")


def facts(command: str, folder: Path, postgres: str = "") -> dict[str, str]:
    """Return the lines of the page's first section. `folder` is where the journals were."""
    memory = psutil.virtual_memory().total / 2**30
    releases = [f"Python {platform.python_version()}", f"SQLite {sqlite3.sqlite_version}"]
    releases += [f"{name} {metadata.version(name)}" for name in PACKAGES if _installed(name)]
    releases += [f"{name} {release}" for name, words in PROGRAMS.items() if (release := _release(words))]
    releases += [f"{name} {release}" for name, release in versions().items()]
    releases += [f"PostgreSQL {postgres}"] if postgres else []
    return {
        "machine": f"{processor()}, {os.cpu_count()} cores with the load generator on them, {memory:.0f} GiB, "
        f"{platform.system()} {platform.release()}, {file_system(folder)}",
        "date": f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
        + (f", revision {revision}" if (revision := _revision()) else ""),
        "releases": ", ".join(releases),
        "command": f"`{command}`",
    }


def processor() -> str:
    """Return the processor's name."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.+)$", info.read_text(), re.MULTILINE) if info.exists() else []
    return names[0] if names else platform.processor() or platform.machine()


def file_system(folder: Path) -> str:
    """Return the kind of the file system that holds a folder."""
    parts = [part for part in psutil.disk_partitions(all=True) if folder.is_relative_to(part.mountpoint)]
    return max(parts, key=lambda part: len(part.mountpoint)).fstype if parts else "unknown file system"


def _installed(name: str) -> bool:
    try:
        return bool(metadata.version(name))
    except metadata.PackageNotFoundError:
        return False


def _release(words: list[str]) -> str:
    if not shutil.which(words[0]):
        return ""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    match = RELEASE.search(done.stdout + done.stderr)
    return match.group() if match else ""


def _revision() -> str:
    words = ["git", "describe", "--always", "--dirty"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip()
