"""The result of each message, for every response of the server."""

import json
import threading
from collections import Counter
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from support.messages import encoded, message
from webhooks.segment import (
    AcceptedMessage,
    Client,
    Clients,
    Postponed,
    RefusedMessage,
    RetryReason,
    SegmentResponse,
    Unreachable,
)
from webhooks.segment.client import HOLD_AFTER, PROBE
from webhooks.settings import SegmentSettings

NOW = datetime(2026, 3, 31, 12, 0, tzinfo=UTC)
OK = SegmentResponse(200, {}, '{"success":true}')


class Server:
    """Refuse batches with a poison message. `plan` has the first responses; exceptions in it are raised."""

    def __init__(self, *plan, poison=(), refusal=400, always=None):
        self.plan = list(plan)
        self.poison = set(poison)
        self.refusal = refusal
        self.always = always
        self.posts = []
        self.accepted: Counter[str] = Counter()
        self.bodies = []

    def post(self, write_key, body, *, retries=0):
        ids = [message["messageId"] for message in json.loads(body)["batch"]]
        self.posts.append(ids)
        self.bodies.append(body)
        self.retries = retries
        response = self.plan.pop(0) if self.plan else self.always or OK
        if isinstance(response, Exception):
            raise response
        if response.status == 200 and self.poison.intersection(ids):
            return SegmentResponse(self.refusal, {}, "malformed")
        if response.status == 200:
            self.accepted.update(ids)
        return response


class Ticks:
    now = 0.0

    def __call__(self):
        return self.now


def client(server, *, write_key="wk", tick=None, **options):
    segment_settings = SegmentSettings(**{"rate": 0, **options})
    return Client(
        write_key, segment_settings, transport=server, clock=lambda: NOW, tick=tick or Ticks(), chance=lambda: 1.0
    )


def batch(count):
    return [encoded(number) for number in range(count)]


def by_kind(results):
    return {
        kind: [index for index, result in enumerate(results) if isinstance(result, kind)]
        for kind in (AcceptedMessage, RefusedMessage, Postponed)
    }


def test_one_poison_message_of_two_thousand_is_found_by_halving() -> None:
    server = Server(poison=["m-1234"])
    by_result = by_kind(client(server).send(batch(2000)))
    assert by_result[RefusedMessage] == [1234]
    assert len(by_result[AcceptedMessage]) == 1999
    assert server.accepted == Counter(f"m-{number}" for number in range(2000) if number != 1234)
    assert len(server.posts) <= 23


def test_a_refusal_has_segments_own_text() -> None:
    assert client(Server(poison=["m-0"])).send(batch(2))[0] == RefusedMessage("Segment answered 400: malformed")


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 300), st.sets(st.integers(0, 299), max_size=HOLD_AFTER - 1), st.sampled_from([400, 413, 422]))
def test_only_poison_is_refused_and_other_messages_are_accepted_once(count, poison, refusal) -> None:
    poison = {number for number in poison if number < count}
    server = Server(poison={f"m-{number}" for number in poison}, refusal=refusal)
    by_result = by_kind(client(server).send(batch(count)))
    assert by_result == {
        RefusedMessage: sorted(poison),
        AcceptedMessage: [number for number in range(count) if number not in poison],
        Postponed: [],
    }
    assert server.accepted == Counter(f"m-{number}" for number in by_result[AcceptedMessage])


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60), st.sets(st.integers(0, 59)))
def test_much_poison_is_refused_exactly_or_the_write_key_is_held(count, poison) -> None:
    poison = {number for number in poison if number < count}
    server = Server(poison={f"m-{number}" for number in poison})
    sender = client(server)
    by_result = by_kind(sender.send(batch(count)))
    if sender.breaker.held:
        assert by_result == {RefusedMessage: [], AcceptedMessage: [], Postponed: list(range(count))}
        assert not server.accepted
        assert len(poison) >= HOLD_AFTER
    else:
        assert by_result[RefusedMessage] == sorted(poison)
        assert not by_result[Postponed]
        assert set(server.accepted) == {f"m-{number}" for number in range(count)} - server.poison


def test_a_run_of_poison_at_the_start_does_not_hold_the_write_key() -> None:
    server = Server(poison={f"m-{number}" for number in range(40)})
    sender = client(server)
    by_result = by_kind(sender.send(batch(1000)))
    assert by_result[RefusedMessage] == list(range(40))
    assert not sender.breaker.held


def test_if_all_is_refused_the_key_is_held_and_no_message_is_refused() -> None:
    server = Server(always=SegmentResponse(400, {}, "unknown key"))
    sender = client(server)
    results = sender.send(batch(2000))
    assert {type(result) for result in results} == {Postponed}
    assert all(result.delay == 60.0 for result in results)
    assert sum(result.counted for result in results) == HOLD_AFTER
    assert "unknown key" in sender.breaker.held
    assert len(server.posts) <= 22 + HOLD_AFTER


def test_a_refused_write_key_is_detected_over_many_small_batches() -> None:
    server = Server(always=SegmentResponse(400, {}, "no"))
    sender = client(server)
    results = [sender.send(batch(1))[0] for _ in range(HOLD_AFTER + 3)]
    assert [type(result) for result in results] == [RefusedMessage] * (HOLD_AFTER - 1) + [Postponed] * 4


@pytest.mark.parametrize("status", [301, 401, 403, 404, 501, 418])
def test_a_configuration_fault_holds_the_key_and_counts_no_attempt(status) -> None:
    tick = Ticks()
    server = Server(always=SegmentResponse(status, {}, "no such key"))
    sender = client(server, tick=tick)
    assert (
        sender.send(batch(2))
        == [Postponed(f"Segment answered {status}: no such key", 60.0, counted=False, retry_reason=RetryReason.HELD)]
        * 2
    )
    assert sender.send(batch(2))[0].counted is False
    assert len(server.posts) == 1
    tick.now += 60
    server.always = None
    assert by_kind(sender.send(batch(50)))[AcceptedMessage] == list(range(50))
    assert [len(ids) for ids in server.posts] == [2, PROBE, 30]
    assert not sender.breaker.held


def test_without_a_write_key_messages_are_postponed() -> None:
    server = Server()
    sender = client(server, write_key="")
    (result,) = sender.send(batch(1))
    assert "no write key" in result.reason
    assert (result.delay, result.counted, server.posts) == (60.0, False, [])
    assert sender.fingerprint == "none"


@pytest.mark.parametrize(
    ("fault", "retry_reason"),
    [
        (Unreachable("ReadTimeout"), RetryReason.UNREACHABLE),
        (SegmentResponse(503, {}, ""), RetryReason.SERVER),
        (SegmentResponse(429, {}, ""), RetryReason.THROTTLED),
        (SegmentResponse(408, {}, ""), RetryReason.SERVER),
    ],
)
def test_a_temporary_failure_is_postponed_and_counted(fault, retry_reason) -> None:
    (result,) = client(Server(fault)).send(batch(1))
    assert (result.delay, result.counted, result.retry_reason) == (None, True, retry_reason)


@pytest.mark.parametrize("status", [429, 503, 529, 408])
def test_retry_after_pauses_the_key_and_counts_no_attempt(status) -> None:
    tick = Ticks()
    server = Server(SegmentResponse(status, {"Retry-After": "7"}, "slow down"))
    sender = client(server, tick=tick)
    assert sender.send(batch(1)) == [
        Postponed(f"Segment answered {status}: slow down", 7.0, counted=False, retry_reason=RetryReason.THROTTLED)
    ]
    assert sender.send(batch(1))[0].delay == 7.0
    assert len(server.posts) == 1
    tick.now += 7
    assert sender.send(batch(1)) == [AcceptedMessage()]


def test_a_failure_during_halving_keeps_earlier_results() -> None:
    server = Server(OK, OK, Unreachable("reset"), poison=["m-3"])
    results = client(server).send(batch(4))
    assert results[:2] == [AcceptedMessage(), AcceptedMessage()]
    assert [result.counted for result in results[2:]] == [True, True]


def test_messages_that_were_not_sent_count_no_attempt() -> None:
    server = Server(OK, OK, OK, Unreachable("reset"), poison=["m-0"])
    results = client(server).send(batch(4))
    assert [getattr(result, "counted", None) for result in results] == [None, True, False, False]


def test_failures_open_the_breaker_and_one_small_probe_closes_it() -> None:
    tick = Ticks()
    server = Server(always=SegmentResponse(502, {}, ""))
    sender = client(server, tick=tick)
    for _ in range(8):
        sender.send(batch(100))
    assert len(server.posts) == 5
    tick.now += sender.breaker.wait()
    sender.send(batch(100))
    assert len(server.posts[-1]) == PROBE
    tick.now += sender.breaker.wait()
    server.always = None
    assert by_kind(sender.send(batch(100)))[AcceptedMessage] == list(range(100))
    assert [len(ids) for ids in server.posts[-2:]] == [PROBE, 80]


def test_a_probe_with_only_poison_closes_the_breaker() -> None:
    tick = Ticks()
    server = Server(*[Unreachable("reset")] * 5, poison=["m-0"])
    sender = client(server, tick=tick)
    for _ in range(5):
        sender.send(batch(1))
    tick.now += 1
    assert isinstance(sender.send(batch(1))[0], RefusedMessage)
    assert sender.breaker.state == "closed"


def test_a_probe_interrupted_by_stop_is_released() -> None:
    tick = Ticks()
    server = Server(*[Unreachable("reset")] * 5)
    sender = client(server, tick=tick)
    for _ in range(5):
        sender.send(batch(1))
    tick.now += 1
    stop = threading.Event()
    stop.set()
    assert sender.send(batch(1), stop=stop) == [
        Postponed("the worker is shutting down", 0.0, counted=False, retry_reason=RetryReason.STOPPING)
    ]
    assert sender.breaker.wait() == 0
    assert sender.send(batch(1)) == [AcceptedMessage()]


def test_batches_are_postponed_briefly_during_a_probe() -> None:
    tick = Ticks()
    sender = client(Server(*[Unreachable("reset")] * 5), tick=tick)
    for _ in range(5):
        sender.send(batch(1))
    tick.now += 1
    sender.breaker.admit()
    (result,) = sender.send(batch(1))
    assert (result.delay, result.counted) == (0.25, False)


def test_each_request_waits_for_the_limiter() -> None:
    stop = threading.Event()
    threading.Timer(0.05, stop.set).start()
    sender = client(Server(), rate=10.0)
    assert sender.send(batch(10), stop=stop) == [AcceptedMessage()] * 10
    assert isinstance(sender.send(batch(10), stop=stop)[0], Postponed)


def test_sent_at_is_the_time_of_the_attempt_if_configured() -> None:
    server = Server()
    client(server).send(batch(1))
    client(server, send_sent_at=True).send(batch(1))
    assert [json.loads(body).get("sentAt") for body in server.bodies] == [None, "2026-03-31T12:00:00.000Z"]


def test_the_number_of_retries_is_sent() -> None:
    server = Server()
    client(server).send(batch(1), retries=3)
    assert server.retries == 3


def test_deliver_checks_and_sends_messages() -> None:
    server = Server()
    results = client(server).deliver([message(1), message(2, userId=None), message(3)])
    assert [type(result) for result in results] == [AcceptedMessage, RefusedMessage, AcceptedMessage]
    assert server.posts == [["m-1", "m-3"]]


class InstantWait(threading.Event):
    """An event whose `wait` moves the clock."""

    def __init__(self, tick):
        super().__init__()
        self.tick = tick

    def wait(self, timeout=None):
        self.tick.now += timeout
        return self.is_set()


def test_deliver_retries_until_its_timeout() -> None:
    tick = Ticks()
    server = Server(Unreachable("reset"), SegmentResponse(429, {"Retry-After": "7"}, ""), OK, poison=["m-2"])
    results = client(server, tick=tick).deliver([message(1), message(2), message(3)], stop=InstantWait(tick))
    assert [type(result) for result in results] == [AcceptedMessage, RefusedMessage, AcceptedMessage]
    assert tick.now == 7.5
    server = Server(always=SegmentResponse(401, {}, ""))
    assert isinstance(client(server).deliver([message(1)], timeout=5)[0], Postponed)
    assert len(server.posts) == 1


def test_deliver_ends_on_stop() -> None:
    stop = threading.Event()
    stop.set()
    server = Server()
    assert isinstance(client(server).deliver([message(1)], stop=stop)[0], Postponed)
    assert server.posts == []


def test_there_is_one_client_for_each_write_key() -> None:
    clients = Clients(SegmentSettings(write_key="default"))
    assert clients.of() is clients.of("default")
    assert clients.of("other") is not clients.of()
    assert len({clients.of().fingerprint, clients.of("other").fingerprint}) == 2
