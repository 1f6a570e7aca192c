"""`segue serve`, `segue web`, `segue work`: run the service."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from webhooks.cli.output import echo, fail
from webhooks.cli.plugin_option import files_of_option

if TYPE_CHECKING:
    from webhooks.errors import SegueError
    from webhooks.runtime import Runtime

Command = TypeVar("Command", bound=Callable[..., Any])

GUNICORN: Final = (
    "-P", "-m", "gunicorn", "--config", "python:webhooks.cli.gunicorn_conf", "webhooks.cli.gunicorn_conf:create_app()",
)  # fmt: skip
MAX_GRACE: Final = 25.0
"""Seconds from SIGTERM to the end; Heroku kills after 30."""


def listening(command: Command) -> Command:
    """Add the options of a command that runs the web server."""
    host = click.option(
        "--host", metavar="ADDRESS", help="Listen on this address, such as 127.0.0.1 or :: (SEGUE_HOST)."
    )
    port = click.option("--port", metavar="NUMBER", help="Listen on this port (PORT).")
    return port(host(command))


def _set(host: str | None, port: str | None) -> None:
    """Set environment variables, so that child processes read the same values."""
    from webhooks.settings import plugin_variable

    os.environ.update({name: value for name, value in {"SEGUE_HOST": host, "PORT": port}.items() if value is not None})
    os.environ.update(plugin_variable(files_of_option()))


@click.command(short_help="Run the web server and the delivery worker together, on one machine.")
@listening
def serve(host: str | None, port: str | None) -> None:
    """Run the web server and the delivery worker together, on one machine.

    A process that crashes is restarted; if one cannot start, both end with exit code 1. SIGTERM or Ctrl-C stops both
    gracefully within 25 seconds. Events not delivered by then are delivered after the next start.

    \b
    Examples:
      segue serve
      SEGUE_DATABASE=sqlite:////data/segue.db segue serve --port 9000
    """  # noqa: D301
    import logging

    from webhooks import logs
    from webhooks.cli import starting
    from webhooks.cli.configuration import current_runtime
    from webhooks.cli.supervisor import Supervisor

    _set(host, port)
    runtime = current_runtime()
    web_settings = runtime.settings.web
    web_alone = "`segue web` alone stores webhooks without a key; they are delivered once one is set."
    starting.require([starting.write_key_error(runtime, web_alone)])
    starting.require(_web_errors(runtime))
    logs.configure(runtime.settings.log_level, style=runtime.settings.log_format)
    log = logging.getLogger("segue.serve")
    announced = False

    def log_event(message: str, fields: Mapping[str, object]) -> None:
        log.log(
            logging.INFO if message in {"started", "stopping", "stopped"} else logging.WARNING,
            message,
            extra=dict(fields),
        )

    def announce() -> None:
        nonlocal announced
        if not announced and starting.is_answering(web_settings):
            announced = True
            supervisor.has_started("web")
            for line in banner(runtime):
                echo(line, err=True)

    own = [
        sys.executable,
        "-P",
        "-m",
        "webhooks.cli",
    ]  # -P: no folder here can shadow our packages
    supervisor = Supervisor(
        {"web": [*own, "web"], "work": [*own, "work"]},
        grace=min(MAX_GRACE, runtime.settings.worker.grace.total_seconds()),
        log_event=log_event,
        on_tick=announce,
    )
    code = supervisor.run()
    if supervisor.failed:
        name, status = supervisor.failed
        raise fail(
            f"`segue {name}` cannot start: it ended with exit code {status}, each time before it was ready.",
            f"Its own error is above. `segue check` finds most causes; `segue {name}` alone shows the error again.",
        )
    raise SystemExit(code)


@click.command(short_help="Run only the web server (a Procfile's web process).")
@listening
def web(host: str | None, port: str | None) -> None:
    """Run only the web server: it verifies and stores webhooks. `segue work` delivers them.

    \b
    Examples:
      segue web
      WEB_CONCURRENCY=4 segue web --port 9000
    """  # noqa: D301
    from webhooks.cli import starting
    from webhooks.cli.configuration import current_runtime

    _set(host, port)
    starting.require(_web_errors(current_runtime()))
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *GUNICORN])  # noqa: S606 - the process becomes gunicorn  # nosec B606


@click.command(short_help="Run only the delivery worker (a Procfile's worker process).")
def work() -> None:
    """Run only the delivery worker: it translates stored events and delivers them to Segment.

    On SIGTERM it finishes or releases the events in progress within SEGUE_GRACE_SECONDS.

    \b
    Example:
      segue work
    """  # noqa: D301
    import signal
    import threading

    from webhooks import logs
    from webhooks.cli import starting
    from webhooks.cli.configuration import current_runtime

    runtime = current_runtime()
    settings = runtime.settings
    stored = "Until then `segue web` stores webhooks, and nothing is lost."
    starting.require([starting.write_key_error(runtime, stored), starting.disk_error(settings)])
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # from here on only the thread below handles them
    logs.configure(settings.log_level, style=settings.log_format)
    service = runtime.worker_service()

    def wait_for_signal() -> None:
        signal.sigwait(ends)
        service.worker.stop()

    threading.Thread(target=wait_for_signal, name="signals", daemon=True).start()
    with service.running():
        service.worker.run()


def _web_errors(runtime: Runtime) -> Iterator[SegueError | None]:
    """Yield what would keep the web server from starting; gunicorn itself would retry for seconds."""
    from webhooks.cli import starting

    yield starting.disk_error(runtime.settings)
    yield starting.worker_class_error(runtime.settings.web)
    yield starting.port_error(runtime.settings.web)
    yield starting.journal_error(runtime)


def banner(runtime: Runtime) -> list[str]:
    """Return the lines that say where Segue listens and which endpoints are open."""
    from webhooks.cli.starting import bracketed, local

    web_settings = runtime.settings.web
    base = web_settings.public_url or f"http://{bracketed(local(web_settings.host))}:{web_settings.port}"
    lines = [f"Segue listens on {base}"]
    lines += [f"  open   {base}/webhooks/{name}  ({runtime.endpoints[name].source.title})" for name in runtime.open]
    closed = len(set(runtime.sources) - set(runtime.open))
    if closed:
        lines.append(f"  closed {closed} more: each opens once its secret is set; `segue sources` lists the variables")
    lines += [f"  note   {warning}" for warning in runtime.settings.warnings]
    return lines
