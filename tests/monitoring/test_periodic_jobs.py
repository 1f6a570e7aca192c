"""Periodic jobs run at their intervals, and a failing job does not stop the others."""

import threading

import pytest

from webhooks.errors import JournalUnavailable
from webhooks.monitoring.metrics import PeriodicJobs


def test_jobs_continue_after_errors_and_the_last_runs_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    done, enough = [], threading.Event()

    def unavailable():
        raise JournalUnavailable("the disk is full")

    def broken():
        raise RuntimeError("a bug")

    def fine():
        done.append("run")
        if len(done) > 3:
            enough.set()

    with PeriodicJobs({unavailable: 0.001, broken: 0.001, fine: 0.001}, last=lambda: done.append("last")):
        assert enough.wait(20)
    assert done[-1] == "last"
    assert done.count("last") == 1
    log = caplog.text
    assert "a job was not done: the journal is unavailable" in log
    assert "a bug" in log


def test_a_hanging_job_does_not_delay_the_stop() -> None:
    begun, release = threading.Event(), threading.Event()

    def hang():
        begun.set()
        release.wait(30)

    last = []
    jobs = PeriodicJobs({hang: 0.001}, last=lambda: last.append(1)).start()
    assert begun.wait(20)
    jobs.stop(timeout=0.05)
    assert last == []
    release.set()


def test_the_gunicorn_configuration_also_runs_another_app() -> None:
    from webhooks.cli import gunicorn_conf

    gunicorn_conf.worker_exit(None, None)  # nothing of ours was started, and no hook asks anything of another app
    assert not {"post_worker_init", "when_ready", "pre_fork"} & set(vars(gunicorn_conf))
