"""A transport that counts and times its requests."""

from __future__ import annotations

import time

from webhooks.monitoring.metrics import Meter
from webhooks.segment import Client, Clients, Post, SegmentResponse, Transport, meaning
from webhooks.settings import SegmentSettings


class Metered:
    """See `webhooks.segment.Post`."""

    def __init__(self, transport: Post, meter: Meter) -> None:
        self._transport = transport
        self._meter = meter

    def post(self, write_key: str, body: bytes, *, retries: int = 0) -> SegmentResponse:
        """Send one batch; `Unreachable` where no whole answer came."""
        began = time.perf_counter()
        told = "unreachable"
        try:
            answer = self._transport.post(write_key, body, retries=retries)
            told = meaning(answer.status).value
        finally:
            self._meter.requested.observe(time.perf_counter() - began)
            self._meter.requests.labels(told).inc()
        return answer


def metered(settings: SegmentSettings, meter: Meter) -> Clients:
    """The clients of a worker, over one transport that is counted."""
    transport = Metered(Transport(settings), meter)
    return Clients(settings, make=lambda write_key, given: Client(write_key, given, transport=transport))
