"""One client per write key. It sends a batch and returns the result of each message."""

from __future__ import annotations

import hashlib
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final

from webhooks.http.outgoing import Unreachable
from webhooks.segment.batches import Encoded, assemble, cut, encode
from webhooks.segment.breaker import Admission, Breaker
from webhooks.segment.limiter import Limiter
from webhooks.segment.post import Post, SegmentResponse
from webhooks.segment.retries import Meaning, RetryReason, backoff, meaning, retry_after
from webhooks.segment.spec import faults
from webhooks.settings import SegmentSettings

PROBE: Final = 20
"""Messages in a probe, which tests whether a write key works again."""
SAMPLE: Final = 5
"""After so many messages refused alone and none accepted, as many from the whole batch are tried alone."""
HOLD_AFTER: Final = 10
"""After so many messages refused alone in a row, also over batches, and none accepted in this batch, the key is held.
The cause is then the configuration and not the messages."""


@dataclass(frozen=True, slots=True)
class AcceptedMessage:
    """Segment answered 200 for this message."""


@dataclass(frozen=True, slots=True)
class RefusedMessage:
    """Segment will not accept this message as it is. `reason` has the fault and its fix, or Segment's own text."""

    reason: str


@dataclass(frozen=True, slots=True)
class Postponed:
    """Send this message again. `delay` is in seconds, set by the server or the breaker; None uses the backoff.

    `counted` is True if this was an attempt that failed. It is False if the message was not sent.
    """

    reason: str
    delay: float | None = None
    counted: bool = True
    retry_reason: RetryReason = RetryReason.FAILED


Result = AcceptedMessage | RefusedMessage | Postponed
_ACCEPTED: Final = AcceptedMessage()


@dataclass(slots=True)
class _Sending:
    """A batch that is being sent. `pending` has runs of its indexes, the next run first."""

    batch: Sequence[Encoded]
    pending: deque[range | list[int]]
    results: dict[int, Result] = field(default_factory=dict)
    accepted: bool = False
    refused: int = 0
    sampled: bool = False
    interrupted: bool = False

    def postpone(self, attempted: Sequence[int], result: Postponed) -> None:
        """Postpone this run, and everything after it, which was not attempted."""
        rest = replace(result, counted=False)
        self.results.update((index, result) for index in attempted)
        self.results.update((index, rest) for run in self.pending for index in run)
        self.pending.clear()
        self.interrupted = True


class Client:
    """Send to one write key. Safe to share between threads."""

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
        self._transport = transport or _new_transport(settings)
        self._clock = clock
        self._tick = tick
        self._chance = chance
        self._limiter = Limiter(settings.rate, tick=tick)
        self._refused_in_a_row = 0
        self._lock = threading.Lock()
        self.breaker = Breaker(tick=tick, chance=chance)
        self.fingerprint = fingerprint(write_key)

    def send(self, batch: Sequence[Encoded], *, retries: int = 0, stop: threading.Event | None = None) -> list[Result]:
        """Send a batch that `cut` made, once, and return the result of each message.

        If Segment refuses the batch, it is halved until the messages at fault are alone. If `stop` is set, return
        early; messages that were not sent are `Postponed`. No server failure raises.
        """
        stop = stop or threading.Event()
        if not self._write_key:
            self.breaker.hold("no write key is configured: set SEGMENT_WRITE_KEY, or the endpoint's write_key")
            held = Postponed(self.breaker.reason, self.breaker.wait(), counted=False, retry_reason=RetryReason.HELD)
            return [held] * len(batch)
        sending = _Sending(batch, deque([range(len(batch))]))
        admission = self.breaker.admit()
        try:
            while sending.pending:
                if admission is Admission.NONE:
                    reason = self.breaker.reason or "another request is testing whether Segment accepts batches again"
                    sending.postpone(
                        (),
                        Postponed(reason, self.breaker.wait(), counted=False, retry_reason=self.breaker.retry_reason),
                    )
                    break
                if self._step(sending, admission, retries=retries, stop=stop):
                    admission = Admission.ALL
            if admission is Admission.PROBE and not sending.interrupted:
                self.breaker.succeed()  # every message was refused by itself: the server answers and accepts the key
        finally:
            if admission is Admission.PROBE:
                self.breaker.release()
        return [sending.results[index] for index in range(len(batch))]

    def deliver(
        self, messages: Iterable[Mapping[str, Any]], *, timeout: float = 60.0, stop: threading.Event | None = None
    ) -> list[Result]:
        """Check, batch and send messages, with retries for up to `timeout` seconds. For commands and scripts."""
        stop = stop or threading.Event()
        results: list[Result] = []
        unsent: dict[int, Encoded] = {}
        for index, message in enumerate(messages):
            encoded = Encoded(str(message.get("messageId", "")), encode(message))
            fault = faults(message, encoded.body)
            results.append(RefusedMessage(fault) if fault else Postponed("not sent yet"))
            if not fault:
                unsent[index] = encoded
        until = self._tick() + timeout
        attempts = 0
        while unsent:
            indexes = iter(list(unsent))
            waits = [0.0]
            for batch in cut(list(unsent.values())):
                for result, index in zip(self.send(batch, retries=attempts, stop=stop), indexes, strict=False):
                    results[index] = result
                    if isinstance(result, Postponed):
                        waits.append(backoff(attempts, self._chance) if result.delay is None else result.delay)
                    else:
                        del unsent[index]
            attempts += 1
            if unsent and (self._tick() + max(waits) > until or stop.wait(max(waits))):
                break
        return results

    def _step(self, sending: _Sending, admission: Admission, *, retries: int, stop: threading.Event) -> bool:
        """Send the next run. True once something was accepted."""
        run = sending.pending.popleft()
        if admission is Admission.PROBE and len(run) > PROBE:
            sending.pending.appendleft(run[PROBE:])
            run = run[:PROBE]
        if stop.wait(self._limiter.reserve(len(run))):
            self._limiter.give_back(len(run))
            sending.postpone(
                run, Postponed("the worker is shutting down", 0.0, counted=False, retry_reason=RetryReason.STOPPING)
            )
            return False
        body = assemble([sending.batch[index] for index in run], sent_at=self._clock() if self._send_sent_at else None)
        try:
            response = self._transport.post(self._write_key, body, retries=retries)
        except Unreachable as error:
            self.breaker.fail(f"Segment cannot be reached: {error}")
            sending.postpone(
                run, Postponed(f"Segment cannot be reached: {error}", retry_reason=RetryReason.UNREACHABLE)
            )
            return False
        description = f"Segment answered {response.status}: {response.text or 'nothing more'}"
        match meaning(response.status):
            case Meaning.ACCEPTED:
                self.breaker.succeed()
                with self._lock:
                    self._refused_in_a_row = 0
                sending.accepted = True
                sending.results.update((index, _ACCEPTED) for index in run)
                return True
            case Meaning.RETRY:
                self._retry(sending, run, response, description)
            case Meaning.CONFIG:
                self.breaker.hold(description[:300])
                sending.postpone(
                    run, Postponed(description, self.breaker.wait(), counted=False, retry_reason=RetryReason.HELD)
                )
            case _:  # Meaning.SPLIT
                self._split(sending, run, description)
        return False

    def _retry(self, sending: _Sending, run: Sequence[int], response: SegmentResponse, description: str) -> None:
        asked = retry_after(response.headers, now=self._clock())
        if asked is None:
            self.breaker.fail(description)
            retry_reason = RetryReason.THROTTLED if response.status == 429 else RetryReason.SERVER
            sending.postpone(run, Postponed(description, retry_reason=retry_reason))
        else:
            self.breaker.pause(asked, description)
            sending.postpone(run, Postponed(description, asked, counted=False, retry_reason=RetryReason.THROTTLED))

    def _split(self, sending: _Sending, run: range | list[int], description: str) -> None:
        if len(run) > 1:
            half = len(run) // 2
            sending.pending.extendleft((run[half:], run[:half]))
            return
        sending.refused += 1
        sending.results[run[0]] = RefusedMessage(description)
        with self._lock:
            self._refused_in_a_row += 1
            refused_in_a_row = self._refused_in_a_row
        if sending.accepted:
            return
        if refused_in_a_row >= HOLD_AFTER:
            self.breaker.hold(
                f"{refused_in_a_row} messages in a row were refused and none accepted; {description}"[:300]
            )
            later = Postponed(self.breaker.reason, self.breaker.wait(), retry_reason=RetryReason.HELD)
            sending.postpone(sorted(sending.results), later)
        elif sending.refused >= SAMPLE and not sending.sampled:
            sending.sampled = True
            rest = [index for pending in sending.pending for index in pending]
            alone = rest[:: max(1, len(rest) // SAMPLE)][:SAMPLE]
            others = sorted(set(rest) - set(alone))
            sending.pending = deque([[index] for index in alone] + ([others] if others else []))


class Clients:
    """The clients of one process: one per write key, all over one transport."""

    def __init__(
        self, settings: SegmentSettings, *, make: Callable[[str, SegmentSettings], Client] | None = None
    ) -> None:
        self.settings = settings
        transport = _new_transport(settings)
        self._make = make or (lambda write_key, options: Client(write_key, options, transport=transport))
        self._clients: dict[str, Client] = {}
        self._lock = threading.Lock()

    def of(self, write_key: str = "") -> Client:
        """Return the client of a write key, or of the default write key if it is empty."""
        key = write_key or self.settings.write_key
        with self._lock:
            if key not in self._clients:
                self._clients[key] = self._make(key, self.settings)
            return self._clients[key]


def _new_transport(settings: SegmentSettings) -> Post:
    from webhooks.segment.transport import Transport  # loads requests, which a web process does without

    return Transport(settings)


def fingerprint(write_key: str) -> str:
    """Return eight hex digits that identify a write key in logs and notes without revealing it; `none` for no key."""
    return hashlib.sha256(write_key.encode()).hexdigest()[:8] if write_key else "none"
