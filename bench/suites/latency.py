"""Milliseconds from an event's receipt to its delivery, with a receiver that takes 20 ms, at a steady rate."""

from __future__ import annotations

import http.client
import threading
import time
from functools import partial
from itertools import islice

from bench.context import Context
from bench.job import python
from bench.measure import Case, Column, Suite, Values, percentile
from bench.payloads import PATH, read_requests
from bench.peers import Place, segue, segue_environment
from bench.processes import CommandError, free_port, running
from webhooks.journal import Journal, State, open_journal

COLUMNS = (
    Column("sent", "events/s"),
    Column("p50", "p50 ms"),
    Column("p99", "p99 ms"),
    Column("cpu", "CPU us an event"),
)
RATES = (100, 500)
RECEIVER = 0.02
CONNECTIONS = 16
SETTLING = 60.0
"""Seconds that the last events may take."""


def suite(context: Context) -> Suite:
    """Return a row for each rate."""
    cases = [
        Case(f"{rate} events/s", partial(measure, context, rate), durable="yes", verifies="yes")
        for rate in RATES[: 1 if context.options.quick else None]
    ]
    return Suite("latency", "Received to delivered", COLUMNS, cases, rate="p50")


def measure(context: Context, rate: int) -> Values:
    """Send at a rate to a web process of Segue, with a worker beside it, and read the times from the journal."""
    seconds = max(2.0, context.options.seconds)
    count = int(rate * seconds)
    file = context.requests(count)
    with context.receiver(RECEIVER) as url, context.scratch() as folder:
        place = Place(folder, free_port(), 1)
        command = segue(place)[0]
        environment = {**command.environment, "SEGMENT_URL": url, "SEGUE_SEGMENT_RATE": "0"}
        with (
            running(command.words, folder=folder, environment=environment) as web,
            running(python("-m", "segue", "work"), folder=folder, environment=environment) as worker,
        ):
            web.wait_for_port(place.port)
            journal = open_journal(segue_environment(place)["SEGUE_DATABASE"])
            requests = [b"POST\r\n" + request for request in islice(read_requests(file), count)]
            before = web.cpu_seconds() + worker.cpu_seconds()
            took = send(place.port, requests, rate)
            _wait_for_settlement(journal, count)
            cpu = web.cpu_seconds() + worker.cpu_seconds() - before
            waits = waiting_times(journal)
            journal.close()
    return {
        "sent": count / took, "p50": percentile(waits, 0.5), "p99": percentile(waits, 0.99), "cpu": cpu / count * 1e6
    }  # fmt: skip


def send(port: int, requests: list[bytes], rate: float) -> float:
    """Send each request at its time, over several connections; return the seconds until the last answer."""
    start = time.perf_counter()
    failed: list[str] = []

    def run(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        for number in range(first, len(requests), CONNECTIONS):
            head, _, body = requests[number].partition(b"\r\n\r\n")
            lines = head.decode().split("\r\n")[1:]
            time.sleep(max(0.0, start + number / rate - time.perf_counter()))
            try:
                connection.request("POST", PATH, body, dict(line.split(": ", 1) for line in lines))
                response = connection.getresponse()
                response.read()
                if response.status != 200:
                    failed.append(f"status {response.status}")
            except (OSError, http.client.HTTPException) as error:
                failed.append(str(error))
                return
        connection.close()

    threads = [threading.Thread(target=run, args=(first,)) for first in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise CommandError(f"{len(failed)} requests failed: {failed[0]}")
    return time.perf_counter() - start


def waiting_times(journal: Journal) -> list[float]:
    """Return the milliseconds from receipt to delivery of every event."""
    times: list[float] = []
    after = ""
    while rows := journal.rows(after=after, limit=1000):
        after = rows[-1].cursor
        settled = [(row.settled_at, row.event.received_at) for row in rows if row.settled_at]
        times += [(end - start).total_seconds() * 1000 for end, start in settled]
    return times


def _wait_for_settlement(journal: Journal, count: int) -> None:
    end = time.monotonic() + SETTLING
    while time.monotonic() < end:
        states = journal.census().by_state
        if states.get(State.DELIVERED, 0) >= count:
            return
        time.sleep(0.2)
    raise CommandError(f"not all of {count} events were delivered within {SETTLING:.0f} s: {dict(states)}")
