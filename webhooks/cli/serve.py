"""`segue serve`, `segue web`, `segue work`: the service itself."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import click

from webhooks.cli.output import echo, fail

if TYPE_CHECKING:
    from webhooks.cli.configuration import Configuration
    from webhooks.settings import WebSettings

GUNICORN: Final = (
    "-m", "gunicorn", "--config", "python:webhooks.gunicorn_conf", "webhooks.app:create_app()",
)  # fmt: skip
MOST_GRACE: Final = 25.0
"""Seconds from SIGTERM to the end; Heroku kills after 30."""


@click.command(short_help="Run it all on one machine: the web server and the delivery worker.")
def serve() -> None:
    """Run the web server and the delivery worker together, on one machine.

    A process that crashes is started again. SIGTERM or Ctrl-C ends both in order, within 25 seconds; what was not
    delivered by then is delivered after the next start.

    \b
    Examples:
      segue serve
      PORT=9000 SEGUE_DATABASE=sqlite:////data/segue.db segue serve
    """  # noqa: D301
    import logging

    from webhooks import logs
    from webhooks.cli.configuration import configuration
    from webhooks.cli.supervisor import Supervisor

    config = configuration()
    web_settings = config.settings.web
    need_write_keys(config, "`segue web` alone stores webhooks without one; they are delivered once there is a key.")
    need_port(web_settings)
    logs.configure(config.settings.log_level, style=config.settings.log_format)
    log = logging.getLogger("segue.serve")
    announced = False

    def say(message: str, fields: Mapping[str, object]) -> None:
        log.log(
            logging.WARNING if "unexpectedly" in message or "killed" in message else logging.INFO,
            message,
            extra=dict(fields),
        )

    def announce() -> None:
        nonlocal announced
        if not announced and is_listening(web_settings):
            announced = True
            for line in banner(config):
                echo(line, err=True)

    own = [sys.executable, "-m", "webhooks.cli"]
    supervisor = Supervisor(
        {"web": [*own, "web"], "work": [*own, "work"]},
        grace=min(MOST_GRACE, config.settings.worker.grace.total_seconds()),
        say=say,
        tend=announce,
    )
    raise SystemExit(supervisor.run())


@click.command(short_help="Run the web server alone (a Procfile's web process).")
def web() -> None:
    """Run the web server alone: it verifies and stores webhooks. A `segue work` beside it delivers them.

    \b
    Examples:
      segue web
      PORT=9000 WEB_CONCURRENCY=4 segue web
    """  # noqa: D301
    from webhooks.cli.configuration import configuration

    config = configuration()
    need_port(config.settings.web)
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
    from webhooks.alerts import EVERY, Watch, place
    from webhooks.cli.configuration import configuration
    from webhooks.deliver import Worker, metered
    from webhooks.journal import open_journal
    from webhooks.metrics import Meter, Pulse, Rounds, Survey, Totals
    from webhooks.tracing import open_tracer

    config = configuration()
    settings = config.settings
    need_write_keys(config, "Until then `segue web` stores webhooks, and nothing is lost.")
    ends = {signal.SIGTERM, signal.SIGINT}
    signal.pthread_sigmask(signal.SIG_BLOCK, ends)  # from here on the thread below alone takes them
    logs.configure(settings.log_level, style=settings.log_format)
    journal = open_journal(settings.database, settings.encryption_key, patient=True)
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
    survey = Survey(journal, settings.database, keys=sorted(keys))
    pulse = Pulse(journal, floor=settings.alerts.silence.total_seconds())
    watch = Watch(
        journal, survey, pulse, settings.alerts, sources=config.endpoints, name=worker.name,
        where=place(settings.web.public_url),
    )  # fmt: skip
    stop = threading.Event()

    def wait_for_the_end() -> None:
        signal.sigwait(ends)
        stop.set()
        worker.wake()

    threading.Thread(target=wait_for_the_end, name="signals", daemon=True).start()
    try:
        counting = Rounds({totals.flush: 5.0, survey.take: 5.0, pulse.listen: 60.0}, last=totals.flush)
        with counting, Rounds({watch.look: EVERY}):  # one that waits for a mail server holds up no other
            worker.run(stop)
    finally:
        tracer.close()
        journal.close()


def need_write_keys(config: Configuration, otherwise: str) -> None:
    """Segment answers 200 to a missing key and drops the message, so nothing may be sent without one."""
    without = sorted(name for name, endpoint in config.endpoints.items() if not endpoint.write_key)
    if not config.settings.segment.write_key and (without or not config.endpoints):
        raise fail(
            "SEGMENT_WRITE_KEY is not set, so nothing can be delivered.",
            f"Set it to the write key of an HTTP API source in Segment. {otherwise} To only look: `segue demo`.",
        )


def need_port(web_settings: WebSettings) -> None:
    """A clear word before gunicorn tries for seconds."""
    host, port = web_settings.host, web_settings.port
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise fail(
                f"Port {port} is in use by another program.",
                f"Choose another one, such as PORT={port + 1 if port < 65535 else 8000}, or end the other program.",
            ) from None
        if error.errno == errno.EACCES:
            raise fail(f"Port {port} needs more rights.", "Choose a port above 1023, such as PORT=8000.") from None
        raise fail(
            f"SEGUE_HOST {host!r} is no address of this machine.", "Use 0.0.0.0 for all, 127.0.0.1 for this one alone."
        ) from None


def is_listening(web_settings: WebSettings) -> bool:
    """Whether the web server takes connections."""
    try:
        with socket.create_connection((local(web_settings.host), web_settings.port), timeout=0.5):
            return True
    except OSError:
        return False


def local(host: str) -> str:
    """The address to reach a listening host by from here."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104  # nosec B104


def banner(config: Configuration) -> list[str]:
    """Where it listens and what is open."""
    web_settings = config.settings.web
    base = web_settings.public_url or f"http://{local(web_settings.host)}:{web_settings.port}"
    lines = [f"Segue listens on {base}"]
    lines += [f"  open   {base}/webhooks/{name}  ({config.endpoints[name].source.title})" for name in config.open]
    closed = len(set(config.sources) - set(config.open))
    if closed:
        lines.append(f"  closed {closed} more: each opens with its secret; `segue sources` names it")
    lines += [f"  note   {warning}" for warning in config.settings.warnings]
    return lines
