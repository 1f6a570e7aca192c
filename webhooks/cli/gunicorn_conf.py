"""gunicorn's configuration, from Segue's settings, and the application of each of its processes.

gunicorn --config python:webhooks.cli.gunicorn_conf "webhooks.cli.gunicorn_conf:create_app()"

https://docs.gunicorn.org/en/stable/settings.html
"""

from __future__ import annotations

import logging
import signal
from collections.abc import Callable
from contextlib import ExitStack
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import webhooks.web.handler  # noqa: F401 - before the fork, so that the processes share its memory
from webhooks import logs
from webhooks.errors import SegueError
from webhooks.runtime import Runtime, utc_now
from webhooks.web import workers as web_workers

if TYPE_CHECKING:
    from webhooks.web.app import FlaskApp

log: Final = logging.getLogger("webhooks.web.app")
_runtime = Runtime.load()
_settings = _runtime.settings
_web = _settings.web
_running = ExitStack()

bind = f"[{_web.host}]:{_web.port}" if ":" in _web.host else f"{_web.host}:{_web.port}"
workers = _web.processes
keepalive = 95  # longer than a router's idle time (Heroku's: 90 s), so that the router closes first
worker_class = web_workers.worker(_web.worker_class, seconds=_web.request_timeout, idle=keepalive)
threads = 32 if _web.worker_class == "gthread" else 1
worker_connections = 1000
backlog = 1024
timeout = 30
graceful_timeout = 20
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190
header_map = "drop"  # X_Name and X-Name would be one name in the environ: the first is dropped
forwarder_headers = ""  # a client may not change the path with a SCRIPT_NAME or PATH_INFO header
control_socket_disable = True
logger_class = web_workers.NoAccessLog
logconfig_dict = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"segue": {"()": "webhooks.logs.formatter", "style": _settings.log_format}},
    "handlers": {"stdout": {"class": "logging.StreamHandler", "formatter": "segue", "stream": "ext://sys.stdout"}},
    "root": {"handlers": ["stdout"], "level": _settings.log_level.upper()},
    "loggers": {
        "gunicorn.error": {"handlers": ["stdout"], "level": "INFO", "propagate": False, "qualname": "gunicorn.error"}
    },
}
accesslog = None  # a path may hold a token; the handler logs what it accepts and rejects


def create_app(clock: Callable[[], datetime] = utc_now) -> FlaskApp:
    """Return the application of a process, after its fork, and start the jobs that run beside it."""
    runtime = Runtime(_runtime.settings, _runtime.registry, clock=clock)
    service = runtime.web_service()
    _running.enter_context(service.running())
    return service.app


def worker_exit(_server: Any, _worker: Any) -> None:
    """Stop the jobs of a process. Each adds its counters to the journal's totals, and again when it ends."""
    _running.close()


def on_reload(_server: Any) -> None:
    """Load the settings again on SIGHUP, for the processes that start from now on. If they are wrong, keep these."""
    global _runtime  # noqa: PLW0603 - gunicorn has no other place that its processes inherit
    try:
        _runtime = Runtime.load()
    except SegueError as error:
        log.error("the settings were not loaded again", extra={"reason": error.message, "hint": error.hint})


def post_fork(_server: Any, _worker: Any) -> None:
    """Log to stdout, and end at once on SIGTERM until gunicorn has installed its own handlers."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logs.configure(_settings.log_level, style=_settings.log_format)
