"""Deliver to Segment: the spec's limits, batches, retries and the shared client.

Only `webhooks.segment.transport` imports requests, when the first client is built.

clients = Clients(settings.segment)
clients.of().deliver([message, ...])    # from a command: with retries, up to a timeout
clients.of(write_key).send(batch)       # from the worker: one attempt of a batch
"""

from webhooks.http.outgoing import Unreachable
from webhooks.segment.batches import Encoded, assemble, cut, encode
from webhooks.segment.breaker import Admission, Breaker
from webhooks.segment.client import AcceptedMessage, Client, Clients, Postponed, RefusedMessage, Result, fingerprint
from webhooks.segment.limiter import Limiter
from webhooks.segment.post import Post, SegmentResponse
from webhooks.segment.retries import Meaning, RetryReason, backoff, meaning, retry_after
from webhooks.segment.spec import faults

__all__ = [
    "AcceptedMessage",
    "Admission",
    "Breaker",
    "Client",
    "Clients",
    "Encoded",
    "Limiter",
    "Meaning",
    "Post",
    "Postponed",
    "RefusedMessage",
    "Result",
    "RetryReason",
    "SegmentResponse",
    "Unreachable",
    "assemble",
    "backoff",
    "cut",
    "encode",
    "faults",
    "fingerprint",
    "meaning",
    "retry_after",
]
