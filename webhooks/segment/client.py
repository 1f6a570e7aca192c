"""The one way to Segment: a client per write key, which sends a batch and says what became of each message."""

from __future__ import annotations

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, Protocol

from webhooks.segment.batches import Encoded, assemble, cut, encode
from webhooks.segment.breaker import Admission, Breaker
from webhooks.segment.limiter import Limiter
from webhooks.segment.retries import Meaning, RetryReason, backoff, meaning, retry_after
from webhooks.segment.spec import faults
from webhooks.segment.transport import SegmentResponse, Transport, Unreachable, fingerprint
from webhooks.settings import SegmentSettings

PROBE: Final = 20
"""Messages sent to find out whether a write key works again."""
DOUBT: Final = 5
"""Messages refused alone, none accepted: now as many from all over the batch are tried alone."""
DISTRUST: Final = 10
"""Messages refused alone in a row, over batches too, and none accepted in this one: it is us, not the messages."""


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """Segment answered 200 for it."""


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """It will never be taken as it is; `reason` has the fault and its mend, or Segment's own words."""

    reason: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """Send it again. `delay` in seconds is asked by the server or the breaker; None leaves it to the backoff.

    `counted` says whether this was a try that failed; what was never sent, or was put off, is not.
    """

    reason: str
    delay: float | None = None
    counted: bool = True
    why: RetryReason = RetryReason.FAILED


Result = AcceptedMessage | RefusedMessage | Postponed
_ACCEPTED: Final = AcceptedMessage()


class Post(Protocol):
    """What a client needs of a transport."""

    def post(self, write_key: str, body: bytes, *, retries: int = 0) -> SegmentResponse:
        """Send one batch; `Unreachable` where no whole answer came."""
        ...


@dataclass(slots=True)
class _Sending:
    """A batch on its way. `left` holds runs of its places, the next one first."""

    batch: Sequence[Encoded]
    left: deque[range | list[int]]
    results: dict[int, Result] = field(default_factory=dict)
    accepted: bool = False
    refused: int = 0
    spread: bool = False
    cut_short: bool = False

    def put_off(self, now: Sequence[int], later: Postponed) -> None:
        """Settle this run, and with it the rest, which was not tried."""
        rest = replace(later, counted=False)
        self.results.update((place, later) for place in now)
        self.results.update((place, rest) for run in self.left for place in run)
        self.left.clear()
        self.cut_short = True


class Client:
    """Sends to one write key; safe to share between threads."""

    def __init__(
        self,
        write_key: str,
        settings: SegmentSettings,
        *,
        transport: Post | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        tick: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._write_key = write_key
        self._send_sent_at = settings.send_sent_at
        self._transport = transport or Transport(settings)
        self._clock = clock
        self._tick = tick
        self._chance = chance
        self._limiter = Limiter(settings.rate, tick=tick)
        self._in_a_row = 0
        self._lock = threading.Lock()
        self.breaker = Breaker(tick=tick, chance=chance)
        self.fingerprint = fingerprint(write_key)

    def send(self, batch: Sequence[Encoded], *, retries: int = 0, stop: threading.Event | None = None) -> list[Result]:
        """What became of each message of a batch that `cut` made, after one try and the halving it may need.

        Returns early when `stop` is set, with what was not sent as `Later`. Raises nothing for what a server does.
        """
        stop = stop or threading.Event()
        if not self._write_key:
            self.breaker.hold("no write key is configured: set SEGMENT_WRITE_KEY, or the endpoint's write_key")
            held = Postponed(self.breaker.reason, self.breaker.wait(), counted=False, why=RetryReason.HELD)
            return [held] * len(batch)
        sending = _Sending(batch, deque([range(len(batch))]))
        admission = self.breaker.admit()
        try:
            while sending.left:
                if admission is Admission.NONE:
                    reason = self.breaker.reason or "another request is finding out whether Segment answers again"
                    sending.put_off((), Postponed(reason, self.breaker.wait(), counted=False, why=self.breaker.setback))
                    break
                if self._step(sending, admission, retries=retries, stop=stop):
                    admission = Admission.ALL
            if admission is Admission.PROBE and not sending.cut_short:
                self.breaker.succeed()  # all were refused, each on its own: the server answers, and knows us
        finally:
            if admission is Admission.PROBE:
                self.breaker.release()
        return [sending.results[place] for place in range(len(batch))]

    def deliver(
        self, messages: Iterable[Mapping[str, Any]], *, patience: float = 60.0, stop: threading.Event | None = None
    ) -> list[Result]:
        """Check, batch and send messages once, trying again for up to `patience` seconds: for commands and scripts."""
        stop = stop or threading.Event()
        results: list[Result] = []
        open_: dict[int, Encoded] = {}
        for place, message in enumerate(messages):
            encoded = Encoded(str(message.get("messageId", "")), encode(message))
            fault = faults(message, encoded.body)
            results.append(RefusedMessage(fault) if fault else Postponed("not sent yet"))
            if not fault:
                open_[place] = encoded
        until = self._tick() + patience
        tries = 0
        while open_:
            places = iter(list(open_))
            waits = [0.0]
            for batch in cut(list(open_.values())):
                for result, place in zip(self.send(batch, retries=tries, stop=stop), places, strict=False):
                    results[place] = result
                    if isinstance(result, Postponed):
                        waits.append(backoff(tries, self._chance) if result.delay is None else result.delay)
                    else:
                        del open_[place]
            tries += 1
            if open_ and (self._tick() + max(waits) > until or stop.wait(max(waits))):
                break
        return results

    def _step(self, sending: _Sending, admission: Admission, *, retries: int, stop: threading.Event) -> bool:
        """Send the next run. True once something was accepted."""
        run = sending.left.popleft()
        if admission is Admission.PROBE and len(run) > PROBE:
            sending.left.appendleft(run[PROBE:])
            run = run[:PROBE]
        if stop.wait(self._limiter.reserve(len(run))):
            self._limiter.give_back(len(run))
            sending.put_off(run, Postponed("the worker is shutting down", 0.0, counted=False, why=RetryReason.STOPPING))
            return False
        body = assemble([sending.batch[place] for place in run], sent_at=self._clock() if self._send_sent_at else None)
        try:
            answer = self._transport.post(self._write_key, body, retries=retries)
        except Unreachable as error:
            self.breaker.fail(f"Segment cannot be reached: {error}")
            sending.put_off(run, Postponed(f"Segment cannot be reached: {error}", why=RetryReason.UNREACHABLE))
            return False
        told = f"Segment answered {answer.status}: {answer.text or 'nothing more'}"
        match meaning(answer.status):
            case Meaning.ACCEPTED:
                self.breaker.succeed()
                with self._lock:
                    self._in_a_row = 0
                sending.accepted = True
                sending.results.update((place, _ACCEPTED) for place in run)
                return True
            case Meaning.RETRY:
                self._retry(sending, run, answer, told)
            case Meaning.CONFIG:
                self.breaker.hold(told[:300])
                sending.put_off(run, Postponed(told, self.breaker.wait(), counted=False, why=RetryReason.HELD))
            case _:  # Meaning.SPLIT
                self._split(sending, run, told)
        return False

    def _retry(self, sending: _Sending, run: Sequence[int], answer: SegmentResponse, told: str) -> None:
        asked = retry_after(answer.headers, now=self._clock())
        if asked is None:
            self.breaker.fail(told)
            why = RetryReason.THROTTLED if answer.status == 429 else RetryReason.SERVER
            sending.put_off(run, Postponed(told, why=why))
        else:
            self.breaker.pause(asked, told)
            sending.put_off(run, Postponed(told, asked, counted=False, why=RetryReason.THROTTLED))

    def _split(self, sending: _Sending, run: range | list[int], told: str) -> None:
        if len(run) > 1:
            half = len(run) // 2
            sending.left.extendleft((run[half:], run[:half]))
            return
        sending.refused += 1
        sending.results[run[0]] = RefusedMessage(told)
        with self._lock:
            self._in_a_row += 1
            in_a_row = self._in_a_row
        if sending.accepted:
            return
        if in_a_row >= DISTRUST:
            self.breaker.hold(f"{in_a_row} messages in a row were refused and none accepted; {told}"[:300])
            later = Postponed(self.breaker.reason, self.breaker.wait(), why=RetryReason.HELD)
            sending.put_off(sorted(sending.results), later)
        elif sending.refused >= DOUBT and not sending.spread:
            sending.spread = True
            rest = [place for left in sending.left for place in left]
            alone = rest[:: max(1, len(rest) // DOUBT)][:DOUBT]
            others = sorted(set(rest) - set(alone))
            sending.left = deque([[place] for place in alone] + ([others] if others else []))


class Clients:
    """The clients of one process: one per write key, over one transport."""

    def __init__(
        self, settings: SegmentSettings, *, make: Callable[[str, SegmentSettings], Client] | None = None
    ) -> None:
        self.settings = settings
        transport = Transport(settings)
        self._make = make or (lambda write_key, given: Client(write_key, given, transport=transport))
        self._clients: dict[str, Client] = {}
        self._lock = threading.Lock()

    def of(self, write_key: str = "") -> Client:
        """The client of a write key, or of the installation's default where none is given."""
        key = write_key or self.settings.write_key
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(key, self.settings)
            return self._clients[key]
