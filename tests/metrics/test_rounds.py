"""Jobs beside the work: each in its time, none ends the others."""

import threading
from types import SimpleNamespace

from webhooks.errors import JournalUnavailable
from webhooks.monitoring.metrics import PeriodicJobs


def test_jobs_go_round_whatever_they_raise_and_the_last_is_done_at_the_end(caplog):
    done, enough = [], threading.Event()

    def away():
        raise JournalUnavailable("the disk is full")

    def broken():
        raise RuntimeError("a bug")

    def fine():
        done.append("round")
        if len(done) > 3:
            enough.set()

    with PeriodicJobs({away: 0.001, broken: 0.001, fine: 0.001}, last=lambda: done.append("last")):
        assert enough.wait(20)
    assert done[-1] == "last"
    assert done.count("last") == 1
    told = caplog.text
    assert "not done: the journal is away" in told
    assert "a bug" in told


def test_a_job_that_hangs_does_not_hold_up_the_end():
    begun, release = threading.Event(), threading.Event()

    def hang():
        begun.set()
        release.wait(30)

    last = []
    rounds = PeriodicJobs({hang: 0.001}, last=lambda: last.append(1)).start()
    assert begun.wait(20)
    rounds.stop(patience=0.05)
    assert last == []
    release.set()


def test_under_our_gunicorn_configuration_another_app_may_run_too():
    from webhooks.web import gunicorn_conf

    gunicorn_conf.post_worker_init(SimpleNamespace(wsgi=lambda environ, start: []))
    assert gunicorn_conf._rounds == []
    gunicorn_conf.worker_exit(None, None)
