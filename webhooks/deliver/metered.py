"""A transport that counts and times its requests."""

from __future__ import annotations

import time

from webhooks.monitoring.metrics import Meter
from webhooks.segment import Client, Clients, Post, SegmentResponse, meaning
from webhooks.segment.transport import Transport
from webhooks.settings import SegmentSettings


class Metered:
    """A transport as in `webhooks.segment.Post`, which measures each request."""

    def __init__(self, transport: Post, meter: Meter) -> None:
        self._transport = transport
        self._meter = meter

    def post(self, write_key: str, body: bytes, *, retries: int = 0) -> SegmentResponse:
        """Send one batch. Raise `Unreachable` if no complete response arrives."""
        began = time.perf_counter()
        outcome = "unreachable"
        try:
            response = self._transport.post(write_key, body, retries=retries)
            outcome = meaning(response.status).value
        finally:
            self._meter.requested.observe(time.perf_counter() - began)
            self._meter.requests.labels(outcome).inc()
        return response


def metered(settings: SegmentSettings, meter: Meter) -> Clients:
    """Return the clients of a worker, over one transport that is measured."""
    transport = Metered(Transport(settings), meter)
    return Clients(settings, make=lambda write_key, options: Client(write_key, options, transport=transport))
