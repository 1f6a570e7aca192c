"""An object of each process: in the child of a real fork a new one, created once; the parent's stays as it is."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Callable
from weakref import ref

import pytest

from webhooks.journal.per_process import PerProcess


class Resource:
    """An object that knows the process that created it."""

    created: list[int] = []  # noqa: RUF012 - counted in each process

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.is_abandoned = False
        self.created.append(self.pid)
        time.sleep(0.01)  # another thread would create one more meanwhile

    def abandon(self) -> None:
        self.is_abandoned = True


@pytest.fixture(autouse=True)
def _created(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Resource, "created", [])


def in_child(check: Callable[[], None]) -> None:
    """Call a function in the child of a fork. Fail if it raises, or after 20 seconds."""
    pid = os.fork()
    if pid == 0:  # pragma: no cover - another process
        code = 1
        try:
            check()
            code = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(code)
    until = time.monotonic() + 20
    while time.monotonic() < until:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.01)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    pytest.fail("the child did not end")


def of_all_threads(resource: PerProcess[Resource]) -> list[Resource]:
    """Return what eight threads get at the same time."""
    results: list[Resource] = []
    start = threading.Barrier(8)

    def get() -> None:
        start.wait(10)
        results.append(resource.get())

    threads = [threading.Thread(target=get) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    return results


def test_a_process_keeps_its_object() -> None:
    resource = PerProcess(Resource, abandon=Resource.abandon)
    assert resource.get() is resource.get()
    assert (resource.get().is_abandoned, Resource.created) == (False, [os.getpid()])


def test_a_child_of_a_fork_creates_its_object_once_for_all_threads() -> None:
    resource = PerProcess(Resource, abandon=Resource.abandon)
    parents = resource.get()

    def check() -> None:
        results = of_all_threads(resource)
        assert len(results) == 8
        assert {id(result) for result in results} == {id(resource.get())}
        assert resource.get().pid == os.getpid()
        assert Resource.created == [parents.pid, os.getpid()]
        assert parents.is_abandoned

    in_child(check)
    assert (resource.get(), parents.is_abandoned) == (parents, False)


def test_a_child_of_a_child_creates_its_own_object() -> None:
    resource = PerProcess(Resource)

    def check() -> None:
        own = resource.get()
        in_child(lambda: _assert(resource.get() is not own))
        assert resource.get() is own

    in_child(check)


def test_the_object_of_the_parent_is_never_collected_in_the_child() -> None:
    resource = PerProcess(Resource)
    parents = ref(resource.get())

    def check() -> None:
        resource.get()
        assert parents() is not None

    in_child(check)


def test_a_fork_while_another_thread_creates_the_object_does_not_block_the_child() -> None:
    creating, go_on = threading.Event(), threading.Event()

    class Slow(Resource):
        def __init__(self) -> None:
            super().__init__()
            if len(self.created) == 2:
                creating.set()
                go_on.wait(10)

    resource = PerProcess(Slow)

    def check() -> None:
        thread = threading.Thread(target=resource.get)
        thread.start()
        assert creating.wait(10)
        in_child(lambda: _assert(resource.get().pid == os.getpid()))
        go_on.set()
        thread.join(10)
        assert resource.get().pid == os.getpid()

    in_child(check)


def _assert(condition: bool) -> None:
    assert condition
