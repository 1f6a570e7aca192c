"""Checks before `segue serve`, `web` and `work` start. `segue check` makes the same checks."""

from __future__ import annotations

import errno
import json
import socket
from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from webhooks.errors import JournalUnavailable, SegueError, SettingsError
from webhooks.http.client import request
from webhooks.http.outgoing import Unreachable
from webhooks.logs import progress
from webhooks.settings import Settings, WebSettings

if TYPE_CHECKING:
    from webhooks.runtime import Runtime

ALLOW_SQLITE: Final = "SEGUE_ALLOW_SQLITE_ON_DYNO"


def require(errors: Iterable[SegueError | None]) -> None:
    """Raise the first error, without making further checks."""
    for error in errors:
        if error is not None:
            raise error


def write_key_error(runtime: Runtime, otherwise: str = "") -> SegueError | None:
    """Return an error if a write key is missing: Segment answers 200 without one and drops the message."""
    without = [name for name, endpoint in runtime.endpoints.items() if not endpoint.write_key]
    if runtime.settings.segment.write_key or not (without or not runtime.endpoints):
        return None
    return SegueError(
        "SEGMENT_WRITE_KEY is not set, so nothing can be delivered.",
        hint=f"Set it to the write key of an HTTP API source in Segment. {otherwise} Without a key: `segue demo`.",
    )


def disk_error(settings: Settings) -> SegueError | None:
    """Return an error for SQLite on a dyno, whose disk is not kept: https://devcenter.heroku.com/articles/dynos#ephemeral-filesystem"""
    if not settings.on_dyno or settings.on_postgres or settings.allow_sqlite_on_dyno:
        return None
    return SegueError(
        "The journal is a SQLite file on a dyno (DYNO is set), whose disk is not kept: each dyno has its "
        "own file, and a restart (at least one a day) loses every webhook that was acknowledged but not delivered.",
        hint="Add PostgreSQL: `heroku addons:create heroku-postgresql` sets DATABASE_URL. If losing webhooks is "
        f"acceptable here, with `segue serve` as the only process: {ALLOW_SQLITE}=true.",
    )


def journal_error(runtime: Runtime) -> SegueError | None:
    """Return an error if the journal cannot be opened, or belongs to another installation.

    PostgreSQL may be unavailable for a while: the service waits for it. A SQLite file of an earlier version is migrated
    here, before a process with a time limit opens it.
    """
    try:
        with progress("webhooks.journal"):
            runtime.open_journal(wait_for_server=True).close()
    except (JournalUnavailable, SettingsError) as error:
        return error
    return None


def worker_class_error(web: WebSettings) -> SegueError | None:
    """Return an error if gunicorn's worker class, or something it needs, cannot be imported."""
    from webhooks.web import workers

    try:
        workers.worker(web.worker_class, seconds=web.request_timeout, idle=1)
    except Exception as error:  # noqa: BLE001 - gunicorn raises RuntimeError for a missing package, among others
        return SegueError(
            f"gunicorn's worker class {web.worker_class} cannot be imported: {error}.",
            hint="The web server does not start without it. Install Segue with its dependencies: `pip install .` in "
            "its folder, or `pip install -r requirements.txt`.",
        )
    return None


def port_error(web: WebSettings) -> SegueError | None:
    """Return an error if the web server cannot listen; gunicorn would retry for seconds."""
    host, port = web.host, web.port
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        return _port_error(error, host, port)
    return None


def _port_error(error: OSError, host: str, port: int) -> SegueError:
    if error.errno == errno.EADDRINUSE:
        other = port + 1 if port < 65535 else 8000
        if is_segue(host, port):
            return SegueError(
                f"Port {port} is in use by a Segue that is already running.",
                hint=f"Stop it first, or choose another port: PORT={other} or --port {other}.",
            )
        return SegueError(
            f"Port {port} is in use by another program.",
            hint=f"Choose another one, such as PORT={other} or --port {other}, or stop the other program.",
        )
    if error.errno == errno.EACCES:
        return SegueError(f"Port {port} needs more permissions.", hint="Choose a port above 1023, such as PORT=8000.")
    if error.errno == errno.EAFNOSUPPORT:
        return SegueError(f"SEGUE_HOST is {host!r}, and this machine has no IPv6.", hint="Use 0.0.0.0, or enable IPv6.")
    return SegueError(
        f"SEGUE_HOST {host!r} is not an address of this machine.",
        hint="Use 0.0.0.0 for all, :: for all with IPv6, 127.0.0.1 for this machine only.",
    )


def is_segue(host: str, port: int) -> bool:
    """Whether a Segue answers there."""
    try:
        response = request("GET", f"http://{bracketed(local(host))}:{port}/", timeout=2)
        return bool(json.loads(response.body).get("service") == "segue")
    except (Unreachable, ValueError, AttributeError):
        return False


def is_answering(web: WebSettings) -> bool:
    """Return whether a web process answers. gunicorn listens before its processes have loaded the application."""
    try:
        response = request("GET", f"http://{bracketed(local(web.host))}:{web.port}/healthz", timeout=0.5)
    except Unreachable:
        return False
    return response.status == HTTPStatus.OK


def local(host: str) -> str:
    """Return the address at which this machine reaches a listening host."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # nosec B104


def bracketed(host: str) -> str:
    """Return the host as written in a URL."""
    return f"[{host}]" if ":" in host else host
