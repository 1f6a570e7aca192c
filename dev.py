"""Everything a fresh clone needs, with the standard library alone.

    python3 dev.py run            the demo: real webhooks in, Segment messages out, no account anywhere
    python3 dev.py test [...]     the tests; arguments go to pytest
    python3 dev.py test --fast    those that start no server, in less than a minute; further arguments go to pytest
    python3 dev.py cases          a table of small inputs: what comes out of each, beside what must come out
    python3 dev.py lint           ruff, mypy, import contracts, bandit, the documentation's links
    python3 dev.py kit            write the signatures and descriptions of docs/kit.md, from the kit's code
    python3 dev.py docs [...]     the documentation as a site in site/; --serve shows it while you write
    python3 dev.py audit          known vulnerabilities in the pinned releases; --strict: fail if a package is unknown
    python3 dev.py lock [...]     write the lock files after a change of pyproject.toml; --upgrade takes newer releases
    python3 dev.py bench [...]    speed and cost beside peers, written to docs/performance.md; --help says more
    python3 dev.py faults [...]   kills, power cuts, bad receivers, wrong clocks; about half an hour; --help says more

A virtual environment is made in .venv, and again when pyproject.toml or the lock changes.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
VENV = HERE / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
RUNTIME_LOCK = HERE / "requirements.txt"
LOCK = HERE / "requirements-dev.lock"
BENCH_LOCK = HERE / "requirements-bench.lock"
STAMP = VENV / "segue.stamp"
OLDEST = (3, 11)
COVERED = (
    "signatures", "journal", "segment", "deliver", "web.handler", "web.wsgi", "translation.translate",
    "translation.prepare", "translation.identity", "operations", "settings",
)  # fmt: skip
SECURITY = ("segue.py", "webhooks", "translators", "tools", "dev.py")
WORKERS = ["-n", str((os.cpu_count() or 1) * 3 // 2), "--dist", "worksteal"]
"""Half as many again as there are cores, since many tests wait for a server or a clock."""
WHOLE = [
    *WORKERS, "-q", "--cov-branch", "--cov-fail-under=99.9", "--cov-report=term-missing:skip-covered",
    "--cov=translators", *(f"--cov=webhooks.{package}" for package in COVERED),
]  # fmt: skip
"""All tests on all cores; settings, sources, verifying, journalling and delivering must be covered by branch."""
FAST = [
    *(*WORKERS, "-q", "-m", "not slow", "--hypothesis-profile=fast"),
    *(f"tests/{name}" for name in ("kit", "sources", "translation", "settings", "signatures", "segment", "project")),
    *("tests/test_goldens.py", "tests/test_event_keys.py", "tests/test_former_keys.py", "tests/test_imports.py"),
    "tests/test_language.py",
]
"""What a change of a source, the kit, a setting or a page breaks most often: tests without a server or a database."""


def main() -> int:
    """Prepare the environment, then run the command."""
    commands = {
        "run": run,
        "test": test,
        "cases": cases,
        "lint": lint,
        "kit": kit,
        "docs": docs,
        "audit": audit,
        "lock": lock,
        "bench": bench,
        "faults": faults,
    }
    asked = sys.argv[1:2]
    if not asked or asked[0] not in commands:
        say(__doc__ or "")
        return 0 if asked and asked[0] in {"-h", "--help"} else 2
    prepare()
    try:
        return commands[asked[0]](sys.argv[2:])
    except KeyboardInterrupt:
        return 130


def run(arguments: list[str]) -> int:
    """Run the demo."""
    return call(PYTHON, "-m", "segue", "demo", *arguments, cwd=Path.cwd())


def test(arguments: list[str]) -> int:
    """Run all tests, the fast ones, or those that pytest's arguments choose."""
    if "--fast" in arguments:
        return call(PYTHON, "-m", "pytest", *FAST, *(argument for argument in arguments if argument != "--fast"))
    return call(PYTHON, "-m", "pytest", *(arguments or WHOLE))


def cases(_: list[str]) -> int:
    """Print the table of small inputs; WEBHOOK_CASES names their folder."""
    return call(PYTHON, "tests/test_cases.py")


def lint(_: list[str]) -> int:
    """Run every check, also after one has failed."""
    codes = [
        call(PYTHON, "-m", "ruff", "check", "."),
        call(PYTHON, "-m", "ruff", "format", "--check", "."),
        call(PYTHON, "-m", "mypy"),
        call(BIN / "lint-imports"),
        call(
            PYTHON,
            "-m",
            "bandit",
            "-q",
            "-c",
            "pyproject.toml",
            "-r",
            "segue.py",
            "webhooks",
            "translators",
            "tools",
            "dev.py",
        ),
        docs(["--site-dir", str(VENV / "site"), "--quiet"]),
    ]
    return max(codes)


def kit(_: list[str]) -> int:
    """Write what docs/kit.md takes from the code."""
    return call(PYTHON, "tools/kit_page.py")


def docs(arguments: list[str]) -> int:
    """Build the site; a broken link is an error."""
    os.environ["NO_MKDOCS_2_WARNING"] = "1"
    if "--serve" in arguments:
        return call(PYTHON, "-m", "mkdocs", "serve", *(argument for argument in arguments if argument != "--serve"))
    return call(PYTHON, "-m", "mkdocs", "build", "--strict", *arguments)


def audit(arguments: list[str]) -> int:
    """Ask the advisory services about every pinned release."""
    return call(PYTHON, "tools/audit.py", *arguments)


def lock(arguments: list[str]) -> int:
    """Write exact releases and their hashes for every platform; pins stay as they are without `--upgrade`."""
    pins = [
        *("uv", "pip", "compile", "--universal", "--python-version", f"{OLDEST[0]}.{OLDEST[1]}"),
        *("--generate-hashes", "--custom-compile-command", "python3 dev.py lock", "--quiet"),
    ]
    locks = [
        ["pyproject.toml", "--group", "build", "-o", RUNTIME_LOCK.name],
        ["pyproject.toml", "--group", "dev", "--all-extras", "-c", RUNTIME_LOCK.name, "-o", LOCK.name],
        ["--group", "bench", "-c", LOCK.name, "-o", BENCH_LOCK.name],
    ]
    code = 0
    for lock_ in locks:
        code = code or call(PYTHON, "-m", *pins, *lock_, *arguments)
    if not code:
        prepare()
    return code


def bench(arguments: list[str]) -> int:
    """Measure beside the peers."""
    return call(PYTHON, "-m", "bench", *arguments)


def faults(arguments: list[str]) -> int:
    """Run the fault suite."""
    return call(PYTHON, "tests/faults", *arguments)


def call(*command: str | Path, cwd: Path = HERE) -> int:
    """Run to the end; Ctrl-C goes to the child, and we wait for it to clean up."""
    process = subprocess.Popen([str(part) for part in command], cwd=cwd)  # noqa: S603 - our own commands
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:
            continue


def prepare() -> None:
    """Make .venv fit pyproject.toml and the lock file."""
    if sys.version_info < OLDEST:
        stop(
            f"Segue needs Python {OLDEST[0]}.{OLDEST[1]} or newer; this is {sys.version.split()[0]}.",
            "Install it (such as `apt install python3.11 python3.11-venv`) and run `python3.11 dev.py ...`.",
        )
    shutil.rmtree(HERE / "segue.egg-info", ignore_errors=True)  # of a `pip install .`: older entry points, found first
    stamp = environment_stamp()
    if STAMP.exists() and PYTHON.exists() and STAMP.read_text() == stamp:
        return
    if not PYTHON.exists() or (STAMP.exists() and STAMP.read_text().rsplit(" ", 1)[0] != stamp.rsplit(" ", 1)[0]):
        say("Making a virtual environment in .venv ...")
        make_venv()
    say("Installing the dependencies (once, about a minute) ...")
    pip("install", "--no-deps", "--require-hashes", "-r", str(LOCK))
    pip("install", "--no-deps", "--no-build-isolation", "-e", str(HERE))
    shutil.rmtree(HERE / "segue.egg-info", ignore_errors=True)  # a build's leftover would hide new entry points
    STAMP.write_text(stamp)


def environment_stamp() -> str:
    """Return what the environment is made from: this Python, and the digest of both files."""
    digest = hashlib.sha256((HERE / "pyproject.toml").read_bytes() + LOCK.read_bytes())
    return f"{sys.version_info.major}.{sys.version_info.minor} {HERE} {digest.hexdigest()}"


def make_venv() -> None:
    """Make the environment, with pip; stop with a hint if the system's Python has no venv module."""
    shutil.rmtree(VENV, ignore_errors=True)
    command = [sys.executable, "-m", "venv", str(VENV)]
    made = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own command
    if made.returncode:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        shutil.rmtree(VENV, ignore_errors=True)
        stop(
            "Python's venv module could not make an environment: " + (made.stderr or made.stdout).strip()[-500:],
            f"On Debian and Ubuntu: `apt install python{version}-venv`. Elsewhere install a Python with ensurepip.",
        )


def pip(*arguments: str) -> None:
    """Run pip; it prints nothing unless it fails."""
    command = [str(PYTHON), "-m", "pip", "--quiet", "--disable-pip-version-check", "--no-input", *arguments]
    if call(*command):
        stop(
            "pip could not install what is above.", "Is there a network, or a proxy for HTTPS_PROXY? Then run it again."
        )


def say(text: str) -> None:
    """Print progress, unbuffered."""
    sys.stderr.write(text.strip() + "\n")


def stop(what: str, hint: str) -> None:
    """Stop with the problem and a hint."""
    say(what)
    say(hint)
    raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(main())
