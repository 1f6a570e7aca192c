"""Each alert is sent when raised, again at intervals, and when resolved, by one of several workers."""

import threading
from datetime import timedelta
from pathlib import Path

import pytest

from support.delivery_bench import Clock
from support.events import event
from webhooks.errors import JournalUnavailable
from webhooks.journal import SqliteJournal
from webhooks.monitoring.alerts import Alert, AlertWatcher, NotificationFailed
from webhooks.monitoring.alerts.conditions import conditions, span
from webhooks.monitoring.metrics import SilenceTracker, SnapshotTaker
from webhooks.monitoring.silence import ArrivalTimes
from webhooks.monitoring.snapshot import JournalSnapshot
from webhooks.settings import AlertSettings

MIB = 1024 * 1024


class FakeChannel:
    """A channel that records notifications. It refuses them if `down` is set."""

    def __init__(self, name="channel"):
        self.name, self.got, self.down = name, [], False

    def send(self, notification):
        if self.down:
            raise NotificationFailed("the channel answered 500")
        self.got.append([(update.status, update.alert.key) for update in notification.updates])


@pytest.fixture
def journal(tmp_path: Path):
    opened = SqliteJournal(tmp_path / "j.db")
    yield opened
    opened.close()


class AlertBench:
    """Watchers over one journal. `current` is the list of current alerts."""

    def __init__(self, journal, names=("w1",), channels=None, **settings):
        self.clock, self.journal, self.current = Clock(), journal, []
        self.channels = channels or [FakeChannel()]
        self.watchers = [self.watch(name, **settings) for name in names]

    def watch(self, name, **settings):
        snapshots = SnapshotTaker(self.journal, "sqlite:///j.db", clock=self.clock)
        bench = self

        class Watcher(AlertWatcher):
            def current(self):
                return list(bench.current)

        return Watcher(
            self.journal, snapshots, SilenceTracker(self.journal, clock=self.clock), AlertSettings(**settings), sources=["acme"],
            name=name, where="here", channels=self.channels, clock=self.clock,
        )  # fmt: skip

    def minutes(self, count):
        for _ in range(count):
            for watch in self.watchers:
                watch.check()
            self.clock.pass_(minutes=1)

    @property
    def got(self):
        return self.channels[0].got


def alert(key="disk", weight=0.0):
    return Alert(key=key, severity="warning", title=key, text="t", hint="m", weight=weight)


def test_an_alert_is_sent_once_again_at_intervals_and_when_resolved(journal: SqliteJournal) -> None:
    bench = AlertBench(journal, repeat=timedelta(hours=2))
    bench.minutes(5)
    assert bench.got == []
    bench.current = [alert()]
    bench.minutes(119)
    assert bench.got == [[("raised", "disk")]]
    bench.minutes(5)
    assert bench.got[1:] == [[("again", "disk")]]
    bench.current = []
    bench.minutes(30)
    assert bench.got[2:] == [[("resolved", "disk")]]
    bench.current = [alert()]
    bench.minutes(2)
    assert bench.got[3:] == [[("raised", "disk")]]


def test_a_problem_that_comes_and_goes_is_one_alert(journal: SqliteJournal) -> None:
    bench = AlertBench(journal)
    for _ in range(20):
        bench.current = [alert()]
        bench.minutes(2)
        bench.current = []
        bench.minutes(3)
    assert bench.got == [[("raised", "disk")]]


def test_alerts_of_one_time_are_sent_together(journal: SqliteJournal) -> None:
    bench = AlertBench(journal)
    bench.current = [alert("a"), alert("b")]
    bench.minutes(1)
    bench.current = [alert("b"), alert("c")]
    bench.minutes(10)
    assert bench.got == [[("raised", "a"), ("raised", "b")], [("raised", "c")], [("resolved", "a")]]


def test_a_doubled_alert_is_sent_early_but_not_every_minute(journal: SqliteJournal) -> None:
    bench = AlertBench(journal)
    for weight in (10, 15, 21, 30, 45, 80, 90, 100):
        bench.current = [alert(weight=weight)]
        bench.minutes(4)
    assert bench.got == [[("raised", "disk")], [("again", "disk")], [("again", "disk")]]


def test_several_workers_on_one_journal_send_an_alert_once(journal: SqliteJournal) -> None:
    bench = AlertBench(journal, names=("w1", "w2", "w3"), repeat=timedelta(minutes=30))
    bench.current = [alert()]
    bench.minutes(45)
    bench.current = []
    bench.minutes(10)
    assert bench.got == [[("raised", "disk")], [("again", "disk")], [("resolved", "disk")]]


def test_workers_that_check_at_the_same_time_send_an_alert_once(journal: SqliteJournal) -> None:
    bench = AlertBench(journal, names=[f"w{number}" for number in range(8)])
    bench.current = [alert()]
    start = threading.Barrier(8)

    def check(watch):
        start.wait(10)
        watch.check()

    threads = [threading.Thread(target=check, args=(watch,)) for watch in bench.watchers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert bench.got == [[("raised", "disk")]]


def test_another_worker_continues_without_repeating_alerts(journal: SqliteJournal) -> None:
    bench = AlertBench(journal, names=("w1", "w2"))
    bench.current = [alert()]
    bench.minutes(3)
    del bench.watchers[0]
    bench.minutes(10)
    bench.current = []
    bench.minutes(10)
    assert bench.got == [[("raised", "disk")], [("resolved", "disk")]]


def test_a_failed_channel_is_retried_and_others_get_no_duplicates(
    journal: SqliteJournal, caplog: pytest.LogCaptureFixture
) -> None:
    bench = AlertBench(journal, channels=[FakeChannel("slack"), FakeChannel("email")])
    slack, email = bench.channels
    email.down = True
    bench.current = [alert()]
    bench.minutes(3)
    assert (slack.got, email.got) == ([[("raised", "disk")]], [])
    assert "an alert was not sent and will be retried" in caplog.text
    email.down = False
    bench.minutes(3)
    assert (slack.got, email.got) == ([[("raised", "disk")]], [[("raised", "disk")]])
    email.down, bench.current = True, []
    bench.minutes(20)
    email.down = False
    bench.minutes(2)
    assert slack.got[1:] == email.got[1:] == [[("resolved", "disk")]]


def test_a_resolved_alert_unsent_for_a_day_is_forgotten(journal: SqliteJournal) -> None:
    bench = AlertBench(journal)
    bench.current = [alert()]
    bench.minutes(1)
    bench.channels[0].down, bench.current = True, []
    bench.minutes(7)
    bench.clock.pass_(days=1)
    bench.minutes(1)
    bench.channels[0].down = False
    bench.minutes(10)
    assert bench.got == [[("raised", "disk")]]
    assert journal.notes()["alerts"][1] == {"open": {}}


def test_the_web_process_sends_alerts_if_no_worker_is_alive(journal: SqliteJournal) -> None:
    bench = AlertBench(journal)
    (watch,) = bench.watchers
    bench.current = [alert()]
    watch.check_if_no_worker()
    journal.note("worker:w1", {}, now=bench.clock.now)
    watch.check_if_no_worker()
    assert bench.got == []
    bench.clock.pass_(minutes=4)
    watch.check_if_no_worker()
    assert bench.got == [[("raised", "disk")]]


def test_a_journal_outage_repeats_no_alert(journal: SqliteJournal, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = AlertBench(journal)
    bench.current = [alert()]
    bench.minutes(1)

    def unavailable(*_, **__):
        raise JournalUnavailable("the disk is full")

    monkeypatch.setattr(journal, "remember", unavailable)
    with pytest.raises(JournalUnavailable):
        bench.minutes(1)
    monkeypatch.undo()
    bench.minutes(3)
    assert bench.got == [[("raised", "disk")]]


# The conditions of alerts


@pytest.fixture
def clock():
    return Clock()


def alerts_of(clock, *, snapshot=None, notes=None, limits=None, settings=None):
    alerts = conditions(
        snapshot=JournalSnapshot(at=clock.now, **(snapshot or {})), notes=notes or {}, limits=limits or {},
        settings=settings or AlertSettings(), sources=["acme", "shop"], now=clock.now,
    )  # fmt: skip
    return {alert.key: alert for alert in alerts}


def test_without_problems_there_are_no_alerts(clock) -> None:
    ago = timedelta(minutes=14)
    assert not alerts_of(
        clock,
        snapshot={
            "states": {"acme": {"pending": 9, "delivered": 5, "unsupported": 3}}, "oldest": {"acme": clock.now - ago},
            "disk": (600 * MIB, 5000 * MIB), "keys": ("abc",),
        },
        notes={"hold:abc": (clock.now, {"held": False}), "worker:w": (clock.now - timedelta(minutes=2), {})},
        limits={"acme": (ArrivalTimes(first=0, last=clock.now.timestamp() - 100), 3600.0)},
    )  # fmt: skip


def test_each_alert_has_a_title_a_text_and_a_hint(clock) -> None:
    now = clock.now
    alerts = alerts_of(
        clock,
        snapshot={
            "states": {"acme": {"pending": 1200, "dead": 3}, "shop": {"dead": 1}},
            "oldest": {"acme": now - timedelta(hours=1, minutes=5)}, "disk": (400 * MIB, 100_000 * MIB), "keys": ("abc",),
        },
        notes={
            "hold:abc": (now, {"held": True, "reason": "Segment answered 401: no such key"}),
            "hold:gone": (now, {"held": True, "reason": "an old key"}),
            "worker:a": (now - timedelta(days=1), {}), "worker:b": (now - timedelta(minutes=4), {}),
        },
        limits={
            "acme": (ArrivalTimes(first=0, last=now.timestamp() - 7300), 7200.0),
            "shop": (ArrivalTimes(first=0, last=now.timestamp() - 7100), 7200.0),
            "not configured any more": (ArrivalTimes(first=0, last=0), 1.0),
        },
    )  # fmt: skip
    assert [(alert.severity, alert.title) for alert in alerts.values()] == [
        ("critical", "No delivery worker is alive"),
        ("critical", "Segment refuses the write key abc"),
        ("critical", "The journal's disk is low: 400 MiB are left"),
        ("warning", "Events of acme have waited for 1 h 5 min"),
        ("warning", "3 dead events of acme"),
        ("warning", "1 dead event of shop"),
        ("warning", "acme has sent nothing for 2 h 1 min"),
    ]
    assert alerts["workers"].text.startswith("The last heartbeat was 4 min ago.")
    assert "401: no such key" in alerts["held:abc"].text
    assert "1,200 events of acme are not delivered yet" in alerts["backlog:acme"].text
    assert "Up to 2 h is usual" in alerts["silent:acme"].text
    assert all(len(alert.hint) > 20 for alert in alerts.values())


def test_the_thresholds_are_configurable(clock) -> None:
    snapshot = {"oldest": {"acme": clock.now - timedelta(minutes=30)}, "disk": (700 * MIB, 1000 * MIB)}
    assert set(alerts_of(clock, snapshot=snapshot)) == {"backlog:acme"}
    assert not alerts_of(clock, snapshot=snapshot, settings=AlertSettings(backlog=timedelta(hours=1)))
    assert "disk" in alerts_of(clock, snapshot=snapshot, settings=AlertSettings(disk_free=80.0))


def test_dead_and_old_events_of_a_real_journal_are_alerts(journal: SqliteJournal) -> None:
    clock = Clock()
    journal.append([event("bad", problem="x"), event("a", received_at=clock.now - timedelta(hours=1))], now=clock.now)
    watch = AlertWatcher(
        journal, SnapshotTaker(journal, "sqlite:///j.db", clock=clock), SilenceTracker(journal, clock=clock), AlertSettings(),
        sources=["acme"], name="w", where="here", clock=clock,
    )  # fmt: skip
    assert [alert.key for alert in watch.current()] == ["backlog:acme", "dead:acme"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (3900, "1 h 5 min"), (90000, "1 d 1 h"), (-5, "0 s")],
)
def test_durations_as_text(seconds, text) -> None:
    assert span(timedelta(seconds=seconds)) == text
