"""A worker over a journal in memory and a fake Segment on the loopback."""

import threading
import time

import pytest

from support.delivery_bench import Bench
from support.faulty_receiver import FaultyReceiver
from support.memory_journal import MemoryJournal


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("NO_PROXY", "*")
    with FaultyReceiver() as server:
        yield server


@pytest.fixture
def bench(server: FaultyReceiver):
    bench = Bench(server, MemoryJournal())
    yield bench
    for worker in bench.workers:
        worker.close()


@pytest.fixture
def eventually():
    def wait(check, what="the condition did not become true"):
        deadline = time.monotonic() + 20
        while not check():
            assert time.monotonic() < deadline, what
            time.sleep(0.002)

    return wait


@pytest.fixture
def running():
    """Run workers in threads, and stop them at the end."""
    started = []

    def run(worker):
        thread = threading.Thread(target=worker.run, daemon=True)
        thread.start()

        def end():
            worker.stop()
            thread.join(30)
            assert not thread.is_alive()

        started.append(end)
        return end

    yield run
    for end in started:
        end()
