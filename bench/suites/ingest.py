"""Requests a second that are answered 2xx: Segue, bare servers, and what people use instead."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import psutil

from bench.context import REQUESTS_A_SECOND, Context
from bench.load import Load, drive, generate
from bench.measure import Case, Column, Suite, Values
from bench.options import QUICK
from bench.payloads import read_requests
from bench.peers import BARE, ON_POSTGRES, PEERS, Peer, Server, serving
from bench.processes import CommandError

COLUMNS = (
    Column("rate", "req/s"),
    Column("p50", "p50 ms", ",.1f"),
    Column("p99", "p99 ms", ",.1f"),
    Column("cpu", "CPU us a request"),
    Column("fsyncs", "fsyncs a request", ".3f"),
)
CHECKED = 200
WARMING = 2.0
"""Seconds of load before a measurement."""


def suite(context: Context) -> Suite:
    """Return every peer at every number of connections."""
    options = context.options
    peers = [peer for peer in PEERS if not options.quick or peer.name in QUICK]
    reasons = {peer.name: context.reason_without(peer.needs) for peer in peers}
    counted: set[tuple[str, int]] = set()
    cases = [
        Case(
            peer.name, partial(measure, context, peer, connections, counted), f"{connections} connections",
            durable=peer.durable, verifies=peer.verifies, base=peer.name == BARE,
        )
        for connections in options.connections
        for peer in peers
        if not reasons[peer.name]
    ]  # fmt: skip
    unavailable = {name: reason for name, reason in reasons.items() if reason}
    return Suite("ingest", "Durable ingest", COLUMNS, cases, unavailable=unavailable)


def measure(context: Context, peer: Peer, connections: int, counted: set[tuple[str, int]]) -> Values:
    """Return the figures of a peer; its fsyncs too, by strace in a run of their own, the first time."""
    with _serving(context, peer) as (server, postgres):
        before = server.cpu_seconds() + _cpu(postgres)
        load = under_load(context, peer, server, connections, context.options.seconds)
        cpu = server.cpu_seconds() + _cpu(postgres) - before
    values = {**figures(load), "cpu": cpu / load.requests * 1e6}
    key = (peer.name, connections)
    traceable = peer.durable == "yes" and peer.name not in ON_POSTGRES and "strace" not in context.missing
    if traceable and key not in counted:
        counted.add(key)
        values["fsyncs"] = _fsyncs(context, peer, connections)
    return values


def figures(load: Load) -> dict[str, float]:
    """Return the columns that the load generator measures."""
    return {"rate": load.rate, "p50": load.p50, "p99": load.p99}


def warm_up(context: Context, peer: Peer, port: int) -> None:
    """Send some requests, and raise CommandError unless all are accepted; then a short load for just-in-time code."""
    first = f"POST {peer.path} HTTP/1.1\r\n".encode()
    requests = read_requests(context.requests(CHECKED, "check"))
    load = generate(port, (first + request for request in requests), 4, 30.0)
    if load.refused or load.requests < CHECKED:
        raise CommandError(f"{peer.name} refused {load.refused} and answered {load.requests} of {CHECKED} requests")
    if context.options.quick:
        return
    file = context.requests(int(REQUESTS_A_SECOND * WARMING), "warming")
    drive(port, peer.path, file, connections=32, seconds=WARMING)


def under_load(context: Context, peer: Peer, server: Server, connections: int, seconds: float) -> Load:
    """Send requests for so many seconds, and raise CommandError if one is not accepted."""
    file = context.requests(int(REQUESTS_A_SECOND * max(1, seconds)))
    load = drive(server.port, peer.path, file, connections=connections, seconds=seconds)
    if load.refused or load.broken or not load.requests:
        raise CommandError(f"{peer.name}: {load.requests} answers, {load.refused} refused, {load.broken} broken")
    if load.rewound and peer.durable == "yes":
        raise CommandError(
            f"{peer.name} answered more than {REQUESTS_A_SECOND} requests a second, so some were sent twice"
        )
    return load


@contextmanager
def _serving(context: Context, peer: Peer, *, trace: bool = False) -> Iterator[tuple[Server, psutil.Process | None]]:
    url, process = context.postgres if "postgresql" in peer.needs else ("", None)
    library: Path | None = context.slow_fsync if "gcc" in peer.needs else None
    with ExitStack() as stack:
        folder = stack.enter_context(context.scratch())
        server = stack.enter_context(
            serving(peer, folder, processes=context.options.processes, postgres=url, library=library, trace=trace)
        )
        warm_up(context, peer, server.port)
        yield server, process


def _fsyncs(context: Context, peer: Peer, connections: int) -> float:
    with _serving(context, peer, trace=True) as (server, _):
        before = server.fsyncs()
        load = under_load(context, peer, server, connections, min(2.0, context.options.seconds))
        return (server.fsyncs() - before) / load.requests


def _cpu(process: psutil.Process | None) -> float:
    """Return the processor time of PostgreSQL, with that of its connections that have ended."""
    if process is None:
        return 0.0
    total = 0.0
    for one in [process, *process.children(recursive=True)]:
        times = one.cpu_times()
        total += times.user + times.system
    return total + process.cpu_times().children_user + process.cpu_times().children_system
