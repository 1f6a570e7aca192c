"""gunicorn's configuration, from Segue's settings. https://docs.gunicorn.org/en/stable/settings.html"""

from __future__ import annotations

import signal
from collections.abc import Callable
from functools import partial
from typing import Any

from webhooks import logs
from webhooks.monitoring.alerts import EVERY, AlertWatcher
from webhooks.monitoring.metrics import PeriodicJobs, Totals
from webhooks.settings import load
from webhooks.sources import plugins
from webhooks.web import request_timeout
from webhooks.web.handler import WebhookHandler

_registry = plugins.load()
_settings = load(sources=_registry.sources, broken=[plugin.name for plugin in _registry.broken])
_web = _settings.web

bind = f"[{_web.host}]:{_web.port}" if ":" in _web.host else f"{_web.host}:{_web.port}"
workers = _web.processes
keepalive = 95  # longer than a router's idle time (Heroku's: 90 s), so that the router closes first
worker_class = request_timeout.worker(_web.worker_class, seconds=_web.request_timeout, idle=keepalive)
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
logger_class = "gunicorn.glogging.Logger"
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


COUNT_EVERY = 5.0
_jobs: list[PeriodicJobs] = []
_at_exit: list[Callable[[], None]] = []


def post_worker_init(worker: Any) -> None:
    """Start the periodic jobs of a worker. Each adds its counters to the journal's totals, and again when it ends."""
    parts = getattr(worker.wsgi, "extensions", {})
    totals: Totals | None = parts.get("segue.totals")
    watch: AlertWatcher | None = parts.get("segue.watch")
    handler: WebhookHandler | None = parts.get("segue")
    if totals is not None and watch is not None and handler is not None:
        _at_exit.extend((handler.tracer.close, partial(handler.refusals.flush, at_end=True)))
        jobs: dict[Callable[[], object], float] = {totals.flush: COUNT_EVERY, handler.refusals.flush: COUNT_EVERY}
        _jobs.append(PeriodicJobs(jobs, last=totals.flush).start())
        _jobs.append(PeriodicJobs({watch.check_if_no_worker: EVERY}).start())


def worker_exit(_server: Any, _worker: Any) -> None:
    """Stop the periodic jobs of a worker and write what is left."""
    for jobs in _jobs:
        jobs.stop()
    for close in _at_exit:
        close()


def post_fork(_server: Any, _worker: Any) -> None:
    """Log to stdout, and end at once on SIGTERM until gunicorn has installed its own handlers."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    logs.configure(_settings.log_level, style=_settings.log_format)
