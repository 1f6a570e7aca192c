"""`segue serve`, `segue web`, `segue work`: the service itself."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from webhooks.cli.output import echo, fail

if TYPE_CHECKING:
    from webhooks.cli.configuration import Configuration
    from webhooks.errors import SegueError

Command = TypeVar("Command", bound=Callable[..., Any])

GUNICORN: Final = (
    "-P", "-m", "gunicorn", "--config", "python:webhooks.web.gunicorn_conf", "webhooks.web.app:create_app()",
)  # fmt: skip
MOST_GRACE: Final = 25.0
"""Seconds from SIGTERM to the end; Heroku kills after 30."""


def listening(command: Command) -> Command:
    """The options of a command that runs the web server."""
    host = click.option(
        "--host", metavar="ADDRESS", help="Listen on this address, such as 127.0.0.1 or :: (SEGUE_HOST)."
    )
    port = click.option("--port", metavar="NUMBER", help="Listen on this port (PORT).")
    return port(host(command))


def _set(host: str | None, port: str | None) -> None:
    """Options are environment variables, so that the child processes read the same."""
    os.environ.update({name: value for name, value in {"SEGUE_HOST": host, "PORT": port}.items() if value is not None})


@click.command(short_help="Run it all on one machine: the web server and the delivery worker.")
@listening
def serve(host: str | None, port: str | None) -> None:
    """Run the web server and the delivery worker together, on one machine.

    A process that crashes is started again; if one cannot start, both end with exit code 1. SIGTERM or Ctrl-C ends
    both in order, within 25 seconds; what was not delivered by then is delivered after the next start.

    \b
    Examples:
      segue serve
      SEGUE_DATABASE=sqlite:////data/segue.db segue serve --port 9000
    """  # noqa: D301
    import logging

    from webhooks import logs
    from webhooks.cli import starting
    from webhooks.cli.configuration import configuration
    from webhooks.cli.supervisor import Supervisor

    _set(host, port)
    config = configuration()
    web_settings = config.settings.web
    web_alone = "`segue web` alone stores webhooks without one; they are delivered once there is a key."
    starting.require([starting.write_key_error(config, web_alone)])
    starting.require(_web_errors(config))
    logs.configure(config.settings.log_level, style=config.settings.log_format)
    log = logging.getLogger("segue.serve")
    announced = False

    def say(message: str, fields: Mapping[str, object]) -> None:
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
            for line in banner(config):
                echo(line, err=True)

    own = [sys.executable, "-P", "-m", "webhooks.cli"]  # -P: a folder here hides no package of ours
    supervisor = Supervisor(
        {"web": [*own, "web"], "work": [*own, "work"]},
        grace=min(MOST_GRACE, config.settings.worker.grace.total_seconds()),
        say=say,
        tend=announce,
    )
    code = supervisor.run()
    if supervisor.failed:
        name, status = supervisor.failed
        raise fail(
            f"`segue {name}` cannot start: it ended with exit code {status}, each time before it was ready.",
            f"Its own error is above. `segue check` looks for the cause; `segue {name}` alone shows the error again.",
        )
    raise SystemExit(code)


@click.command(short_help="Run the web server alone (a Procfile's web process).")
@listening
def web(host: str | None, port: str | None) -> None:
    """Run the web server alone: it verifies and stores webhooks. A `segue work` beside it delivers them.

    \b
    Examples:
      segue web
      WEB_CONCURRENCY=4 segue web --port 9000
    """  # noqa: D301
    from webhooks.cli import starting
    from webhooks.cli.configuration import configuration

    _set(host, port)
    starting.require(_web_errors(configuration()))
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, *GUNICORN])  # noqa: S606 - the process becomes gunicorn  # nosec B606


@click.command(short_help="Run the delivery worker alone (a Procfile's worker process).")
def work() -> None:
    """Run the delivery worker alone: it translates what is stored and delivers it to Segment.

    On SIGTERM it finishes what is under way, or hands it back, within SEGUE_GRACE_SECONDS.

    \b
    Example:
      segue work
    """  # noqa: D301
    import signal
    import threading

    from webhooks import logs
    from webhooks.cli import starting
    from webhooks.cli.configuration import configuration
    from webhooks.deliver import Worker, metered
    from webhooks.journal import open_journal
    from webhooks.monitoring.alerts import EVERY, AlertWatcher, installation_name
    from webhooks.monitoring.metrics import Meter, PeriodicJobs, SilenceTracker, SnapshotTaker, Totals
    from webhooks.monitoring.tracing import open_tracer

    config = configuration()
    settings = config.settings
    stored = "Until then `segue web` stores webhooks, and nothing is lost."
    starting.require([starting.write_key_error(config, stored), starting.disk_error(settings)])
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # from here on the thread below alone takes them
    logs.configure(settings.log_level, style=settings.log_format)
    journal = open_journal(
        settings.database, settings.encryption_key, wait_for_server=True, namespace=settings.own_namespace
    )
    meter = Meter()
    clients = metered(settings.segment, meter)
    tracer = open_tracer(settings)
    worker = Worker(
        journal,
        config.endpoints,
        clients,
        settings.worker,
        namespace=settings.namespace,
        retention=settings.retention,
        meter=meter,
        tracer=tracer,
    )
    totals = Totals(meter, journal)
    keys = {clients.of(endpoint.write_key).fingerprint for endpoint in config.endpoints.values()}
    survey = SnapshotTaker(journal, settings.database, keys=sorted(keys))
    pulse = SilenceTracker(journal, floor=settings.alerts.silence.total_seconds())
    watch = AlertWatcher(
        journal, survey, pulse, settings.alerts, sources=config.endpoints, name=worker.name,
        where=installation_name(settings.web.public_url),
    )  # fmt: skip
    stop = threading.Event()

    def wait_for_the_end() -> None:
        signal.sigwait(ends)
        stop.set()
        worker.wake()

    threading.Thread(target=wait_for_the_end, name="signals", daemon=True).start()
    try:
        counting = PeriodicJobs({totals.flush: 5.0, survey.take: 5.0, pulse.learn: 60.0}, last=totals.flush)
        with counting, PeriodicJobs({watch.check: EVERY}):  # one that waits for a mail server holds up no other
            worker.run(stop)
    finally:
        tracer.close()
        journal.close()


def _web_errors(config: Configuration) -> Iterator[SegueError | None]:
    """What keeps the web server from starting, asked before gunicorn tries for seconds."""
    from webhooks.cli import starting

    yield starting.disk_error(config.settings)
    yield starting.worker_class_error(config.settings.web)
    yield starting.port_error(config.settings.web)
    yield starting.journal_error(config.settings)


def banner(config: Configuration) -> list[str]:
    """Where it listens and what is open."""
    from webhooks.cli.starting import bracketed, local

    web_settings = config.settings.web
    base = web_settings.public_url or f"http://{bracketed(local(web_settings.host))}:{web_settings.port}"
    lines = [f"Segue listens on {base}"]
    lines += [f"  open   {base}/webhooks/{name}  ({config.endpoints[name].source.title})" for name in config.open]
    closed = len(set(config.sources) - set(config.open))
    if closed:
        lines.append(f"  closed {closed} more: each opens with its secret; `segue sources` names it")
    lines += [f"  note   {warning}" for warning in config.settings.warnings]
    return lines
