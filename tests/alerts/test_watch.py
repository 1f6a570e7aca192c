"""Each alert once, again after a while, and when it is over; by one worker of several."""

import threading
from datetime import timedelta

import pytest

from delivery import Clock
from events import event
from webhooks.errors import JournalUnavailable
from webhooks.journal import SqliteJournal
from webhooks.monitoring.alerts import Alert, AlertWatcher, NotificationFailed
from webhooks.monitoring.alerts.conditions import conditions, span
from webhooks.monitoring.metrics import SilenceTracker, SnapshotTaker
from webhooks.monitoring.silence import ArrivalTimes
from webhooks.monitoring.snapshot import JournalSnapshot
from webhooks.settings import AlertSettings

MIB = 1024 * 1024


class Way:
    """Takes what it is told; `down` refuses."""

    def __init__(self, name="way"):
        self.name, self.got, self.down = name, [], False

    def send(self, news):
        if self.down:
            raise NotificationFailed("it answered 500")
        self.got.append([(each.kind, each.alert.key) for each in news.told])


@pytest.fixture
def journal(tmp_path):
    opened = SqliteJournal(tmp_path / "j.db")
    yield opened
    opened.close()


class Stand:
    """Watches over one journal; `wrong` is what is wrong."""

    def __init__(self, journal, names=("w1",), ways=None, **settings):
        self.clock, self.journal, self.wrong = Clock(), journal, []
        self.ways = ways or [Way()]
        self.watches = [self.watch(name, **settings) for name in names]

    def watch(self, name, **settings):
        survey = SnapshotTaker(self.journal, "sqlite:///j.db", clock=self.clock)
        made = AlertWatcher(
            self.journal, survey, SilenceTracker(self.journal, clock=self.clock), AlertSettings(**settings), sources=["acme"],
            name=name, where="here", ways=self.ways, clock=self.clock,
        )  # fmt: skip
        made.now = lambda: list(self.wrong)
        return made

    def minutes(self, count):
        for _ in range(count):
            for watch in self.watches:
                watch.look()
            self.clock.pass_(minutes=1)

    @property
    def got(self):
        return self.ways[0].got


def alert(key="disk", weight=0.0):
    return Alert(key=key, severity="warning", title=key, text="t", hint="m", weight=weight)


def test_an_alert_is_told_once_again_at_the_interval_and_when_it_is_over(journal):
    stand = Stand(journal, repeat=timedelta(hours=2))
    stand.minutes(5)
    assert stand.got == []
    stand.wrong = [alert()]
    stand.minutes(119)
    assert stand.got == [[("raised", "disk")]]
    stand.minutes(5)
    assert stand.got[1:] == [[("again", "disk")]]
    stand.wrong = []
    stand.minutes(30)
    assert stand.got[2:] == [[("resolved", "disk")]]
    stand.wrong = [alert()]
    stand.minutes(2)
    assert stand.got[3:] == [[("raised", "disk")]]


def test_what_comes_and_goes_is_one_alert(journal):
    stand = Stand(journal)
    for _ in range(20):
        stand.wrong = [alert()]
        stand.minutes(2)
        stand.wrong = []
        stand.minutes(3)
    assert stand.got == [[("raised", "disk")]]


def test_what_happens_at_one_time_is_told_at_one_time(journal):
    stand = Stand(journal)
    stand.wrong = [alert("a"), alert("b")]
    stand.minutes(1)
    stand.wrong = [alert("b"), alert("c")]
    stand.minutes(10)
    assert stand.got == [[("raised", "a"), ("raised", "b")], [("raised", "c")], [("resolved", "a")]]


def test_what_has_doubled_is_told_early_but_not_every_minute(journal):
    stand = Stand(journal)
    for weight in (10, 15, 21, 30, 45, 80, 90, 100):
        stand.wrong = [alert(weight=weight)]
        stand.minutes(4)
    assert stand.got == [[("raised", "disk")], [("again", "disk")], [("again", "disk")]]


def test_two_workers_on_one_journal_tell_once(journal):
    stand = Stand(journal, names=("w1", "w2", "w3"), repeat=timedelta(minutes=30))
    stand.wrong = [alert()]
    stand.minutes(45)
    stand.wrong = []
    stand.minutes(10)
    assert stand.got == [[("raised", "disk")], [("again", "disk")], [("resolved", "disk")]]


def test_workers_that_look_at_the_very_same_time_tell_once(journal):
    stand = Stand(journal, names=[f"w{number}" for number in range(8)])
    stand.wrong = [alert()]
    start = threading.Barrier(8)

    def look(watch):
        start.wait(10)
        watch.look()

    threads = [threading.Thread(target=look, args=(watch,)) for watch in stand.watches]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert stand.got == [[("raised", "disk")]]


def test_when_a_worker_dies_another_goes_on_and_says_nothing_again(journal):
    stand = Stand(journal, names=("w1", "w2"))
    stand.wrong = [alert()]
    stand.minutes(3)
    del stand.watches[0]
    stand.minutes(10)
    stand.wrong = []
    stand.minutes(10)
    assert stand.got == [[("raised", "disk")], [("resolved", "disk")]]


def test_a_way_that_is_down_is_told_later_and_the_others_hear_nothing_twice(journal, caplog):
    stand = Stand(journal, ways=[Way("slack"), Way("email")])
    slack, email = stand.ways
    email.down = True
    stand.wrong = [alert()]
    stand.minutes(3)
    assert (slack.got, email.got) == ([[("raised", "disk")]], [])
    assert "an alert was not told, and will be" in caplog.text
    email.down = False
    stand.minutes(3)
    assert (slack.got, email.got) == ([[("raised", "disk")]], [[("raised", "disk")]])
    email.down, stand.wrong = True, []
    stand.minutes(20)
    email.down = False
    stand.minutes(2)
    assert slack.got[1:] == email.got[1:] == [[("resolved", "disk")]]


def test_an_end_that_could_not_be_told_for_a_day_is_told_no_more(journal):
    stand = Stand(journal)
    stand.wrong = [alert()]
    stand.minutes(1)
    stand.ways[0].down, stand.wrong = True, []
    stand.minutes(7)
    stand.clock.pass_(days=1)
    stand.minutes(1)
    stand.ways[0].down = False
    stand.minutes(10)
    assert stand.got == [[("raised", "disk")]]
    assert journal.notes()["alerts"][1] == {"open": {}}


def test_the_web_stands_in_where_no_worker_lives(journal):
    stand = Stand(journal)
    (watch,) = stand.watches
    stand.wrong = [alert()]
    watch.stand_in()
    journal.note("worker:w1", {}, now=stand.clock.now)
    watch.stand_in()
    assert stand.got == []
    stand.clock.pass_(minutes=4)
    watch.stand_in()
    assert stand.got == [[("raised", "disk")]]


def test_where_the_journal_is_away_nothing_is_told_twice_after_it_is_back(journal, monkeypatch):
    stand = Stand(journal)
    stand.wrong = [alert()]
    stand.minutes(1)

    def away(*_, **__):
        raise JournalUnavailable("the disk is full")

    monkeypatch.setattr(journal, "remember", away)
    with pytest.raises(JournalUnavailable):
        stand.minutes(1)
    monkeypatch.undo()
    stand.minutes(3)
    assert stand.got == [[("raised", "disk")]]


# What is wrong


@pytest.fixture
def clock():
    return Clock()


def found(clock, *, seen=None, notes=None, limits=None, settings=None):
    told = conditions(
        seen=JournalSnapshot(at=clock.now, **(seen or {})), notes=notes or {}, limits=limits or {},
        settings=settings or AlertSettings(), sources=["acme", "shop"], now=clock.now,
    )  # fmt: skip
    return {alert.key: alert for alert in told}


def test_all_is_well_where_nothing_is_wrong(clock):
    ago = timedelta(minutes=14)
    assert not found(
        clock,
        seen={
            "states": {"acme": {"pending": 9, "delivered": 5, "unsupported": 3}}, "oldest": {"acme": clock.now - ago},
            "disk": (600 * MIB, 5000 * MIB), "keys": ("abc",),
        },
        notes={"hold:abc": (clock.now, {"held": False}), "worker:w": (clock.now - timedelta(minutes=2), {})},
        limits={"acme": (ArrivalTimes(first=0, last=clock.now.timestamp() - 100), 3600.0)},
    )  # fmt: skip


def test_each_thing_that_is_wrong_says_what_and_what_to_do(clock):
    now = clock.now
    alerts = found(
        clock,
        seen={
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
        ("warning", "Nothing has come from acme for 2 h 1 min"),
    ]
    assert alerts["workers"].text.startswith("None has given a sign for 4 min.")
    assert "401: no such key" in alerts["held:abc"].text
    assert "1,200 events of acme not delivered yet" in alerts["backlog:acme"].text
    assert "Up to 2 h is usual" in alerts["silent:acme"].text
    assert all(len(alert.hint) > 20 for alert in alerts.values())


def test_what_counts_as_wrong_is_the_operators(clock):
    seen = {"oldest": {"acme": clock.now - timedelta(minutes=30)}, "disk": (700 * MIB, 1000 * MIB)}
    assert set(found(clock, seen=seen)) == {"backlog:acme"}
    assert not found(clock, seen=seen, settings=AlertSettings(backlog=timedelta(hours=1)))
    assert "disk" in found(clock, seen=seen, settings=AlertSettings(disk_free=80.0))


def test_over_a_real_journal_it_sees_dead_events_and_old_ones(journal):
    clock = Clock()
    journal.append([event("bad", problem="x"), event("a", received_at=clock.now - timedelta(hours=1))], now=clock.now)
    watch = AlertWatcher(
        journal, SnapshotTaker(journal, "sqlite:///j.db", clock=clock), SilenceTracker(journal, clock=clock), AlertSettings(),
        sources=["acme"], name="w", where="here", clock=clock,
    )  # fmt: skip
    assert [alert.key for alert in watch.now()] == ["backlog:acme", "dead:acme"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59, "59 s"), (60, "1 min"), (3600, "1 h"), (3900, "1 h 5 min"), (90000, "1 d 1 h"), (-5, "0 s")],
)
def test_spans_are_read_at_a_glance(seconds, text):
    assert span(timedelta(seconds=seconds)) == text
